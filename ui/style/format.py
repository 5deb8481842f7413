"""Ages, times and states in words, the same everywhere in the window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise

from magis_calib.domain.camera import VIEWS
from magis_calib.domain.devices import LinkState
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import END_OF_TIME_NS, Quantity
from magis_calib.state.snapshot import LoopWord, Snapshot
from ui.style.colours import ACT, INFO, LOOK, PROCEDURE, SHADOW, TEXT

LOOP_SHAPES: dict[LoopWord, tuple[str, str]] = {
    "closed": ("●", TEXT),
    "shadow": ("◌", SHADOW),
    "held": ("❚❚", INFO),
    "open": ("○", INFO),
    "fault": ("✖", ACT),
    "stopped": ("■", TEXT),
    "procedure": ("◆", PROCEDURE),
}
"""Shape and colour of each loop word."""

CAMERAS = frozenset(f"camera {view}" for view in VIEWS)
"""Names of their links; the others are those of controllers and of what stands in for them."""

OUTCOME_SHAPES = {
    "applied": ("✓", TEXT),
    "held": ("–", TEXT),
    "refused": ("✖", LOOK),
    "half_applied": ("◐", ACT),
    "unverified": ("?", LOOK),
}


def minus(text: str) -> str:
    """Write a text with the sign that is as wide as a plus."""
    return text.replace("-", "−")


def typed_number(text: str) -> float:
    """Return the number that somebody typed, with either minus and either point; NaN for none."""
    try:
        return float(text.strip().replace("−", "-").replace(",", "."))
    except ValueError:
        return math.nan


def no_drops(snapshot: Snapshot) -> str:
    """Write what stands in a panel before the first drop."""
    return "\n\n".join(["No drops yet", *why_no_drops(snapshot)])


def why_no_drops(snapshot: Snapshot) -> list[str]:
    """Return a paragraph for each peer that is not there; cameras only answer to drops.

    Where all are there, the only one says that the first drop is waited for.
    """
    peers = [one for one in snapshot.links if one.name not in CAMERAS]
    if not peers:
        return ["nothing is known of any controller yet"]
    absent = [missing(snapshot, one.name) for one in peers if not one.connected]
    return absent or [_all_there(peers)]


def _all_there(peers: Sequence[LinkState]) -> str:
    names = ", ".join(one.name.replace("_", " ") for one in peers)
    return f"connected: {names}; waiting for the first drop"


def age(age_s: float | None) -> str:
    """Write an age for a person: tenths below ten seconds, then ever coarser."""
    if age_s is None or not math.isfinite(age_s):
        return "never"
    seconds = max(0.0, age_s)
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def utc_time(time_ns: int) -> str:
    """Write the time of day (UTC); "–" for what is no time."""
    if not 0 <= time_ns < END_OF_TIME_NS:
        return "–"
    return datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%H:%M:%S")


def raw(quantity: Quantity, value: float, stderr: float = math.nan) -> str:
    """Write an SI value in full, for hover and copy."""
    unit = "" if quantity.unit == "1" else f" {quantity.unit}"
    error = f" ± {stderr:.3g}" if math.isfinite(stderr) else ""
    return (
        f"{quantity.name} = {value:.9g}{error}{unit}"
        if math.isfinite(value)
        else f"{quantity.name} = –"
    )


def signed(quantity: Quantity, value: float) -> str:
    """Write a difference (SI) with its sign and unit."""
    if not math.isfinite(value):
        return "–"
    return minus(
        f"{value * quantity.shown_scale:+.{quantity.decimals}f} {quantity.shown_unit}"
    ).rstrip()


def missing(snapshot: Snapshot, link: str) -> str:
    """Say why there is nothing from this peer and what to do about it."""
    found = next((one for one in snapshot.links if one.name == link), None)
    link = link.replace("_", " ")
    if found is None:
        return f"nothing is known of {link} yet"
    if found.connected:
        return f"{link} is connected; waiting for its first drop"
    since = "never heard from" if found.age_s is None else f"silent for {age(found.age_s)}"
    return f"{link}: {since}\n{found.detail}"


def latest_age(snapshot: Snapshot, now_s: float) -> float | None:
    """Return how old the newest drop's numbers are."""
    return None if snapshot.latest_s is None else now_s - snapshot.latest_s


def is_stale(snapshot: Snapshot, now_s: float) -> bool:
    """Tell whether the newest numbers are older than three usual intervals between drops."""
    old = latest_age(snapshot, now_s)
    return (
        old is not None
        and not snapshot.finished
        and old > max(5.0, 3.0 * interval_s(snapshot.records))
    )


def why_unusable(record: DropRecord, name: str) -> str:
    """Say why this observable has no number in this drop."""
    if record.sequence_type != "interferometer":
        return f"{record.sequence_type.replace('_', ' ')} drop"
    of_all = "; ".join(record.estimate.reasons)
    return record.decision.not_used.get(name, of_all) or "not usable"


def interval_s(records: Sequence[DropRecord]) -> float:
    """Return the usual time between the newest drops; 0 where there is none yet."""
    times = sorted(record.time_ns for record in records[-10:])
    gaps = sorted(late - early for early, late in pairwise(times))
    return gaps[len(gaps) // 2] / 1e9 if gaps else 0.0
