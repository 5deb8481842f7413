"""What another configuration of the cameras would have given: what moved, what became usable."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import OBSERVABLES, wrap_error

WORST = 10


@dataclass(frozen=True, slots=True)
class Move:
    """One observable of one drop, recorded and now (SI)."""

    drop_id: int
    observable: str
    recorded: float
    recorded_stderr: float
    now: float
    now_stderr: float
    moved_by: float
    """In recorded standard errors.

    Infinite where the recorded value had none and the value changed.
    """


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to one observable over all drops."""

    observable: str
    compared: int
    """Drops with a value before and now."""
    moved: int
    """Of these, by more than the limit."""
    became_usable: tuple[int, ...]
    became_unusable: tuple[int, ...]


class Moves:
    """Collects how far each re-estimated observable moved."""

    def __init__(self, recorded: Sequence[DropRecord], limit: float) -> None:
        """`limit`: standard errors by which an observable must move to be counted."""
        self._recorded = {record.drop_id: record for record in recorded}
        self.limit = limit
        self._moves: dict[str, list[Move]] = {name: [] for name in OBSERVABLES}
        self._gained: dict[str, list[int]] = {name: [] for name in OBSERVABLES}
        self._lost: dict[str, list[int]] = {name: [] for name in OBSERVABLES}

    def add(self, now: DropRecord) -> None:
        """Take in one drop that was estimated again."""
        recorded = self._recorded.get(now.drop_id)
        if recorded is None or not recorded.complete:
            return
        for name in OBSERVABLES:
            before, after = recorded.estimate.values[name], now.estimate.values[name]
            if math.isfinite(before) and math.isfinite(after):
                self._moves[name].append(_move(name, recorded, now))
            elif math.isfinite(after):
                self._gained[name].append(now.drop_id)
            elif math.isfinite(before):
                self._lost[name].append(now.drop_id)

    def changes(self) -> list[Change]:
        """Return what happened to each observable."""
        return [self._change(name, moves) for name, moves in self._moves.items()]

    def _change(self, name: str, moves: Sequence[Move]) -> Change:
        moved = sum(one.moved_by > self.limit for one in moves)
        gained, lost = tuple(self._gained[name]), tuple(self._lost[name])
        return Change(name, len(moves), moved, gained, lost)

    def worst(self) -> list[Move]:
        """Return the observables that moved furthest, largest first."""
        moved = [one for moves in self._moves.values() for one in moves if one.moved_by > 0]
        return sorted(moved, key=lambda one: -one.moved_by)[:WORST]


def _move(name: str, recorded: DropRecord, now: DropRecord) -> Move:
    before, after = recorded.estimate, now.estimate
    away = abs(wrap_error(name, after.values[name] - before.values[name]))
    error = before.stderr[name]
    moved_by = away / error if error > 0 else math.inf if away > 0 else 0.0
    return Move(
        recorded.drop_id,
        name,
        before.values[name],
        error,
        after.values[name],
        after.stderr[name],
        moved_by,
    )
