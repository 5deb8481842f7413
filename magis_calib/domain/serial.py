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
    """Return the record that `to_json` wrote."""
    table = json.loads(text)
    table["estimate"] = _station(table["estimate"])
    table["decision"] = _decision(table["decision"])
    table["limits"] = {name: Limits(**one) for name, one in table.get("limits", {}).items()}
    return DropRecord(**table)


def _station(table: dict[str, Any]) -> StationEstimate:
    return StationEstimate(
        table["drop_id"],
        _numbers(table["values"]),
        _numbers(table["stderr"]),
        _matrix(table["covariance"]),
        table["usable"],
        tuple(table["reasons"]),
        {view: _view(inner) for view, inner in table["views"].items()},
        _number(table.get("consistency_chi2")),
        table.get("consistency_dof", 0),
    )


def _view(table: dict[str, Any]) -> ViewEstimate:
    table["parameters"] = {
        name: Value(**_numbers(value)) for name, value in table["parameters"].items()
    }
    table["atoms"] = Value(**_numbers(table["atoms"]))
    table["covariance"] = _matrix(table["covariance"])
    table["displacements"] = {port: tuple(place) for port, place in table["displacements"].items()}
    for name in ("names", "usable_quantities", "reasons"):
        table[name] = tuple(table[name])
    for name in ("chi2_per_dof", "disagreement_sigma"):
        table[name] = _number(table.get(name))
    told = table.get("diagnostics", {})
    table["diagnostics"] = {name: Value(**_numbers(value)) for name, value in told.items()}
    table["measurements"] = tuple(Measurement(**one) for one in table.get("measurements", ()))
    return ViewEstimate(**table)


def _decision(table: dict[str, Any]) -> Decision:
    proposal = table["proposal"]
    expected = ("prediction", "response", "disturbance", "innovation", "innovation_sigma")
    if proposal is not None:
        proposal["limits"] = tuple(proposal["limits"])
        moved = {name: proposal.pop(name) for name in expected if name in proposal}
        # recorded when a proposal held its expectation, and nothing was known of drops without one
        if moved:
            table["expectation"] = {key: {} for key in expected} | moved
        table["proposal"] = Proposal(**proposal)
    if table.get("expectation") is not None:
        table["expectation"] = Expectation(**table["expectation"])
    if "code" not in table:
        table["code"] = old_words.code_of(table)
        table["phase_random"] = old_words.phase_was_random(table)
        for one in table.get("verdicts", ()):
            one["code"] = old_words.code_of_verdict(one)
    table["verdicts"] = tuple(RuleVerdict(**one) for one in table.get("verdicts", ()))
    table["used"] = tuple(table["used"])
    return Decision(**table)


def _numbers(table: Mapping[str, float | None]) -> dict[str, float]:
    return {name: _number(value) for name, value in table.items()}


def _number(value: float | None) -> float:
    return NAN if value is None else value


def _matrix(rows: list[list[float | None]]) -> Any:
    if not rows:
        return np.empty((0, 0))
    return np.array([[_number(value) for value in row] for row in rows])
