"""A drop's record as JSON and back, without losing a bit.

Python writes the shortest text that reads back exactly.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from magis_calib.domain import old_words
from magis_calib.domain.control import Decision, Expectation, Limits, Proposal, RuleVerdict
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import NAN, Measurement, StationEstimate, Value, ViewEstimate
from magis_calib.domain.json_text import json_table
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.domain.typed import made, refuse_other_types


def plain(value: Any) -> Any:
    """Return nested dataclasses, arrays and mappings as plain JSON values.

    NaN and infinities become null.

    A field whose metadata says `"recorded": False` is left out.
    """
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        kept = [
            field.name
            for field in dataclasses.fields(value)
            if field.metadata.get("recorded", True)
        ]
        return {name: plain(getattr(value, name)) for name in kept}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


def to_json(value: Any) -> str:
    """Return the JSON text of any noun of the domain."""
    return json.dumps(plain(value), allow_nan=False, ensure_ascii=False, separators=(",", ":"))


def record_from_json(text: str) -> DropRecord:
    """Return the record that `to_json` wrote.

    Raises `ValueError` naming the field, wanted and got, where somebody else wrote it.
    """
    try:
        record = _record(json_table(text))
    except KeyError as error:
        raise ValueError(f"field {error} is missing") from error
    except (AttributeError, TypeError) as error:
        raise ValueError(f"not of the shape of a record: {error}") from error
    refuse_other_types(record)
    for name in ("values", "stderr"):
        if missing := OBSERVABLES.keys() - getattr(record.estimate, name).keys():
            raise ValueError(f"estimate.{name}: {min(missing)} is missing")
    return record


def _record(table: dict[str, Any]) -> DropRecord:
    table["estimate"] = _station(table["estimate"])
    table["decision"] = _decision(table["decision"])
    limits = _table(table.get("limits", {}), "limits")
    table["limits"] = {name: made(Limits, one) for name, one in limits.items()}
    return made(DropRecord, table)


def _table(value: Any, name: str) -> dict[str, Any]:
    """Return a table as it is. Raises `ValueError` for another thing."""
    if not isinstance(value, dict):
        raise ValueError(f"{name}: wanted a table, got {str(value)[:40]!r}")
    return value


def _station(told: Any) -> StationEstimate:
    table = _table(told, "estimate")
    views: dict[Any, ViewEstimate] = {
        view: _view(inner) for view, inner in _table(table["views"], "views").items()
    }
    return StationEstimate(
        table["drop_id"],
        _numbers(table["values"]),
        _numbers(table["stderr"]),
        _matrix(table["covariance"]),
        table["usable"],
        tuple(table["reasons"]),
        views,
        _number(table.get("consistency_chi2")),
        table.get("consistency_dof", 0),
    )


def _view(told: Any) -> ViewEstimate:
    table = _table(told, "view")
    table["parameters"] = _values(table["parameters"])
    table["atoms"] = made(Value, _numbers(table["atoms"]))
    table["covariance"] = _matrix(table["covariance"])
    table["displacements"] = {port: tuple(place) for port, place in table["displacements"].items()}
    for name in ("names", "usable_quantities", "reasons"):
        table[name] = tuple(table[name])
    for name in ("chi2_per_dof", "disagreement_sigma"):
        table[name] = _number(table.get(name))
    table["diagnostics"] = _values(table.get("diagnostics", {}))
    table["measurements"] = tuple(made(Measurement, one) for one in table.get("measurements", ()))
    return made(ViewEstimate, table)


def _values(told: Any) -> dict[str, Value]:
    return {name: made(Value, _numbers(one)) for name, one in _table(told, "values").items()}


def _decision(told: Any) -> Decision:
    table = _table(told, "decision")
    proposal = table["proposal"]
    expected = ("prediction", "response", "disturbance", "innovation", "innovation_sigma")
    if proposal is not None:
        proposal["limits"] = tuple(proposal["limits"])
        moved = {name: proposal.pop(name) for name in expected if name in proposal}
        # recorded when a proposal held its expectation, and nothing was known of drops without one
        if moved:
            table["expectation"] = {key: {} for key in expected} | moved
        table["proposal"] = made(Proposal, proposal)
    if table.get("expectation") is not None:
        table["expectation"] = made(Expectation, table["expectation"])
    if "code" not in table:
        table["code"] = old_words.code_of(table)
        table["phase_random"] = old_words.phase_was_random(table)
        for one in table.get("verdicts", ()):
            one["code"] = old_words.code_of_verdict(one)
    table["verdicts"] = tuple(made(RuleVerdict, one) for one in table.get("verdicts", ()))
    table["used"] = tuple(table["used"])
    return made(Decision, table)


def _numbers(told: Any) -> dict[str, float]:
    return {name: _number(value) for name, value in _table(told, "numbers").items()}


def _number(value: float | None) -> float:
    return NAN if value is None else value


def _matrix(rows: list[list[float | None]]) -> Any:
    if not rows:
        return np.empty((0, 0))
    return np.array([[_number(value) for value in row] for row in rows])
