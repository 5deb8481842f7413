"""What a what-if changes: gains, targets and the response matrix, read from a small TOML file."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError

from magis_calib.config.fields import Finite, Strict, toml_table
from magis_calib.config.loading import line_of
from magis_calib.config.station import Station
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import ConfigError
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.host.files import read_text

NAME = "what_if"
"""Of a matrix whose numbers stand in the file."""


class ObservableChange(Strict):
    """How one observable is controlled otherwise; None: as recorded."""

    gain: float | Literal["auto"] | None = None
    target: Finite | None = None


class Changes(Strict):
    """The whole file."""

    matrix: str | dict[str, dict[str, Finite]] | None = None
    """A recorded matrix by name, or rows that replace those of the one in force."""
    observables: dict[str, ObservableChange] = Field(default_factory=dict)

    @property
    def targets(self) -> dict[str, float]:
        """The targets that are other than recorded."""
        return {
            name: one.target for name, one in self.observables.items() if one.target is not None
        }

    def over(self, record: DropRecord) -> DropRecord:
        """Return the record with the file's targets, and without gains that it changes."""
        kept = {name: gain for name, gain in record.gains.items() if name not in self._regained}
        return replace(record, targets={**record.targets, **self.targets}, gains=kept)

    def leave(self, record: DropRecord) -> bool:
        """Whether this drop was decided with just the gains and targets of the file."""
        aimed = all(
            record.targets.get(name, value) == value for name, value in self.targets.items()
        )
        return aimed and not self._regained & record.gains.keys()

    @property
    def _regained(self) -> set[str]:
        return {name for name, one in self.observables.items() if one.gain is not None}


def read_changes(path: Path) -> Changes:
    """Return what this file changes.

    Raises `ConfigError` naming the file, the line or key, wanted and got.
    """
    try:
        text = read_text(path)
        changes = Changes.model_validate(toml_table(text))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise ConfigError("\n".join(_explain(path, text, one) for one in error.errors())) from error
    rows = changes.matrix if isinstance(changes.matrix, dict) else {}
    for table, names in (("observables", changes.observables), ("matrix", rows)):
        for name in names:
            if name not in OBSERVABLES:
                raise ConfigError(
                    f"{_place(path, text, [table, name])}: wanted one of {list(OBSERVABLES)}, got "
                    f"{name!r}"
                )
    return changes


def changed(station: Station, changes: Changes, path: Path | None = None) -> Station:
    """Return the recorded station with these changes, or raise `ConfigError`.

    `path`: the file that the changes were read from; None where they were not.
    """
    table = station.model_dump(mode="json", by_alias=True)
    loop = table["loop"]
    if isinstance(changes.matrix, str):
        loop["matrix"] = changes.matrix
    elif changes.matrix is not None:
        table["matrices"][NAME] = {**table["matrices"][loop["matrix"]], **changes.matrix}
        loop["matrix"] = NAME
    for name, one in changes.observables.items():
        loop["observables"][name] |= one.model_dump(exclude_none=True)
    try:
        return Station.model_validate(table)
    except ValidationError as error:
        text = read_text(path) if path else ""
        raise ConfigError(
            "\n".join(_explain(path or Path(NAME), text, one) for one in error.errors())
        ) from error


def _explain(path: Path, text: str, item: Any) -> str:
    keys = [str(part) for part in item["loc"]]
    keys = keys[1:] if keys[:1] == ["loop"] and len(keys) > 1 else keys  # the file leaves it out
    if item["type"] == "extra_forbidden":
        known = (
            list(Changes.model_fields) if len(keys) == 1 else list(ObservableChange.model_fields)
        )
        return f"{_place(path, text, keys)}: unknown name, wanted one of {known}, got {keys[-1]!r}"
    got = "" if item["type"] == "value_error" else f", got {item['input']!r}"
    return f"{_place(path, text, keys)}: {item['msg'].removeprefix('Value error, ')}{got}"


def _place(path: Path, text: str, keys: list[str]) -> str:
    line = line_of(keys, text)
    return f"{path}: {f'line {line}, ' if line else ''}{'.'.join(keys) or 'file'}"
