"""Each replayed estimate beside the recorded one, to the last bit, and what differs by name."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import StationEstimate
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.domain.serial import to_json

NAMED = 10
"""Differences that are told by name."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One number or word of an estimate that is not what was recorded."""

    drop_id: int
    where: str
    """ "station", "view x" or "view y"."""
    name: str
    recorded: Any
    replayed: Any

    def in_words(self) -> str:
        """Return it as one line."""
        return (
            f"drop {self.drop_id}, {self.where}, {self.name}: recorded {_shown(self.recorded)}, "
            f"replayed {_shown(self.replayed)}"
        )


class Comparison:
    """Compares each replayed estimate with the recorded one."""

    def __init__(self, recorded: Sequence[DropRecord]) -> None:
        """Remember what was recorded."""
        self._recorded = {record.drop_id: record for record in recorded}
        self.compared = 0
        self.different: list[int] = []
        self.first: list[Difference] = []
        """The first differences, by name."""

    def add(self, replayed: DropRecord) -> None:
        """Take in one replayed drop."""
        recorded = self._recorded.get(replayed.drop_id)
        if recorded is None or not recorded.complete:
            return
        self.compared += 1
        before, now = to_json(recorded.estimate), to_json(replayed.estimate)
        if before != now:
            self.different.append(replayed.drop_id)
            if len(self.first) < NAMED:
                found = differences(recorded.estimate, replayed.estimate)
                self.first += list(found)[: NAMED - len(self.first)]

    def in_words(self) -> str:
        """Return the result as one line."""
        if not self.different:
            return (
                f"{self.compared} estimates compared: all identical to the recorded ones, bit "
                f"for bit"
            )
        first = ", ".join(str(drop) for drop in self.different[:10])
        return (
            f"{self.compared} estimates compared: {len(self.different)} differ, first of them "
            f"drops {first}"
        )


def differences(recorded: StationEstimate, replayed: StationEstimate) -> Iterator[Difference]:
    """Yield everything in which two estimates of a drop differ.

    The views, which come first in the work, first.
    """
    before, now = json.loads(to_json(recorded)), json.loads(to_json(replayed))
    views_before, views_now = before.pop("views"), now.pop("views")
    parts = [
        (f"view {view}", views_before.get(view), views_now.get(view))
        for view in {**views_before, **views_now}
    ]
    for where, one, other in (*parts, ("station", before, now)):
        for name, was, became in _unequal("", one, other):
            yield Difference(recorded.drop_id, where, name, was, became)


def _unequal(name: str, one: Any, other: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield name and both values of every leaf that differs."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in {**one, **other}:
            yield from _unequal(f"{name} {key}".strip(), one.get(key), other.get(key))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for place, (was, became) in enumerate(zip(one, other, strict=True)):
            yield from _unequal(f"{name}[{_row(name, place, len(one))}]", was, became)
    elif json.dumps(one) != json.dumps(other):
        yield name, one, other


def _row(name: str, place: int, size: int) -> str:
    """Name a row or column of the station's covariance; count others."""
    return (
        list(OBSERVABLES)[place]
        if name.startswith("covariance") and size == len(OBSERVABLES)
        else str(place)
    )


def _shown(value: Any) -> str:
    return "nothing" if value is None else repr(value)
