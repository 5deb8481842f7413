"""Procedures in words: what one would do, how far it is, how it ended. No Qt."""

from __future__ import annotations

import time

from magis_calib.domain.quantities import ACTUATORS
from magis_calib.procedures.catalogue import KNOWN
from magis_calib.state.procedure import ProcedureState
from magis_calib.state.snapshot import Snapshot
from ui.models.live import why_over
from ui.models.series import steered
from ui.style.colours import ACT, LOOK, TEXT
from ui.style.format import age, interval_s


def why_not_started(snapshot: Snapshot) -> str:
    """Say why none may begin now; empty where one may. The engine judges again."""
    if over := why_over(snapshot):
        return over
    if snapshot.loop == "fault":
        return "a fault stopped the loop, close it again first"
    state = snapshot.procedure
    if state is not None and state.running:
        return f"{state.name} is running"
    return "" if snapshot.actuators else "no controller has described its actuators yet"


def why_not_set(actuator: str, snapshot: Snapshot) -> str:
    """Say why an optimum may not be set now; empty where it may. The engine judges again."""
    if snapshot.loop == "closed" and actuator in steered(snapshot.records):
        return "the loop moves it: hold or open the loop first"
    return why_not_started(snapshot)


def request(name: str, snapshot: Snapshot) -> str:
    """Ask whether it shall begin, saying what moves and how long it takes."""
    known = KNOWN[name]
    pace_s = interval_s(snapshot.records)
    lasts = f", at least {age(pace_s * known.drops)}" if pace_s > 0 else ""
    moved = [one.name for one in snapshot.actuators if one.name in steered(snapshot.records)]
    names = f": {', '.join(ACTUATORS[one].label for one in moved)}" if moved else ""
    return (
        f"start {name}: {known.summary}? {known.drops} drops{lasts}. It moves {known.moves}, "
        f"inside step caps and ranges{names}. The loop sends nothing meanwhile"
    )


def progress(state: ProcedureState) -> str:
    """Write the time left, and drops done and planned."""
    left = "time left not known yet" if state.left_s is None else f"{age(state.left_s)} left"
    return f"{left} · {state.done} of {state.planned} drops"


def began(state: ProcedureState) -> str:
    """Write how long ago it began."""
    return f"began {age(time.monotonic() - state.began_s)} ago"


def ending(state: ProcedureState) -> tuple[str, str, str]:
    """Return how it ended, the colour, and its words."""
    head, colour = _ended(state)
    return f"{head} · {state.done} drops", colour, state.words


def _ended(state: ProcedureState) -> tuple[str, str]:
    if state.cancelled:
        return f"■ {state.name} cancelled", LOOK
    return (f"✓ {state.name} ended well", TEXT) if state.good else (f"✖ {state.name} FAILED", ACT)
