"""Which setpoints the atoms of each drop saw."""

from __future__ import annotations

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

    def in_force(self, drop_id: int) -> Setpoints:
        """Return what the atoms of this drop saw."""
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
