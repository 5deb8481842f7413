"""Whether a run can still be asked for something. No Qt."""

from __future__ import annotations

from magis_calib.state.snapshot import Snapshot


def goes_on(snapshot: Snapshot) -> bool:
    """Tell whether this is a live run that has not ended."""
    return snapshot.mode == "live" and not snapshot.finished
