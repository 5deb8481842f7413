"""Which setpoints the atoms of each drop saw."""

from __future__ import annotations

from magis_calib.domain.control import Setpoints

KEPT = 200
"""Changes remembered; older ones are merged into the base."""


class Timeline:
    """Absolute setpoints by the first drop that sees them. One thread writes and reads."""

    def __init__(self, start: Setpoints) -> None:
        """Begin with the setpoints read at the start of the run."""
        self._base = dict(start)
        self._changes: list[tuple[int, dict[str, float]]] = []

    def change(self, effective_drop: int, setpoints: Setpoints) -> None:
        """Note that these hold from this drop on."""
        if self._changes and self._changes[-1][0] == effective_drop:
            self._changes[-1][1].update(setpoints)
        else:
            self._changes.append((effective_drop, dict(setpoints)))
        while len(self._changes) > KEPT:
            self._base.update(self._changes.pop(0)[1])

    def in_force(self, drop_id: int) -> Setpoints:
        """Return what the atoms of this drop saw."""
        merged = dict(self._base)
        for effective, setpoints in self._changes:
            if effective <= drop_id:
                merged.update(setpoints)
        return merged

    def newest(self) -> Setpoints:
        """Return what was commanded last, in force or not yet."""
        merged = dict(self._base)
        for _, setpoints in self._changes:
            merged.update(setpoints)
        return merged

    def first_drop_with_newest(self) -> int | None:
        """Return the first drop that sees everything commanded so far; None before any change."""
        return max((effective for effective, _ in self._changes), default=None)
