"""Which setpoints the atoms of each drop saw."""

from __future__ import annotations

import math

from magis_calib.domain.control import Setpoints

Change = tuple[int, Setpoints]
KEPT = 200
"""Changes remembered; older ones are merged into the base."""


class Timeline:
    """Absolute setpoints by the first drop that sees them. One thread writes; any may read."""

    def __init__(self, start: Setpoints) -> None:
        """Begin with the setpoints read at the start of the run."""
        self._known: tuple[Setpoints, tuple[Change, ...]] = (dict(start), ())
        """What holds before the changes, and the changes: replaced as one, never changed."""
        self._doubtful: tuple[tuple[int, float], ...] = ()
        """First and last drop of each stretch whose setpoints nobody knows; replaced as one."""

    def change(self, effective_drop: int, setpoints: Setpoints) -> None:
        """Note that these hold from this drop on."""
        base, changes = self._known
        if changes and changes[-1][0] == effective_drop:
            changes = (*changes[:-1], (effective_drop, {**changes[-1][1], **setpoints}))
        else:
            changes = (*changes, (effective_drop, dict(setpoints)))
        for _, oldest in changes[:-KEPT]:
            base = {**base, **oldest}
        self._known = (base, changes[-KEPT:])

    def doubt(self, first_drop: int) -> None:
        """Note that nobody knows what this drop and later ones see, until `trust`."""
        if not self._doubtful or self._doubtful[-1][1] < math.inf:
            self._doubtful = (*self._doubtful[1 - KEPT :], (first_drop, math.inf))

    def trust(self, first_drop: int) -> None:
        """Note that what holds is known again from this drop on."""
        if self._doubtful and self._doubtful[-1][1] == math.inf:
            begun = self._doubtful[-1][0]
            self._doubtful = (*self._doubtful[:-1], (begun, first_drop - 1))

    def never_mind(self) -> None:
        """Note that what was doubted last is known after all, by the changes noted."""
        if self._doubtful and self._doubtful[-1][1] == math.inf:
            self._doubtful = self._doubtful[:-1]

    def is_doubtful(self, drop_id: int) -> bool:
        """Tell whether nobody knows what the atoms of this drop saw."""
        return any(first <= drop_id <= last for first, last in self._doubtful)

    def in_force(self, drop_id: int) -> Setpoints:
        """Return what the atoms of this drop saw, a guess where that is doubtful."""
        base, changes = self._known
        merged = dict(base)
        for effective, setpoints in changes:
            if effective <= drop_id:
                merged.update(setpoints)
        return merged

    def newest(self) -> Setpoints:
        """Return what was commanded last, in force or not yet."""
        base, changes = self._known
        merged = dict(base)
        for _, setpoints in changes:
            merged.update(setpoints)
        return merged

    def first_drop_with_newest(self) -> int | None:
        """Return the first drop that sees everything commanded so far; None before any change."""
        return max((effective for effective, _ in self._known[1]), default=None)
