"""Whether a run can still be asked for something. No Qt."""

from __future__ import annotations

from magis_calib.state.snapshot import Snapshot


def goes_on(snapshot: Snapshot) -> bool:
    """Tell whether this is a live run that has not ended."""
    return not why_over(snapshot)


def why_over(snapshot: Snapshot) -> str:
    """Say why nothing can be asked of this run any more; empty where it goes on."""
    if snapshot.mode != "live":
        return "this is a replay"
    return "the run has ended" if snapshot.finished else ""
