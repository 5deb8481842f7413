"""What a run leaves behind in its session's `final.json`."""

from __future__ import annotations

import time
from typing import Any

from magis_calib.domain.control import Setpoints
from magis_calib.run.command_handler import CommandHandler
from magis_calib.run.components import Components
from magis_calib.state.snapshot import Snapshot


def final_state(
    components: Components,
    handler: CommandHandler,
    snapshot: Snapshot,
    left: str,
    readback: Setpoints,
) -> dict[str, Any]:
    """Return the state at the end: what was sent last, what is read back, what stopped it.

    `left`: what became of the setpoints, in words; `readback`: asked for once more.
    """
    return {
        "stopped_ns": time.time_ns(),
        "loop": handler.wanted,
        "fault": handler.fault,
        "counters": snapshot.counters,
        "last_sent": {one.name: one.setpoint for one in components.actuators.states()},
        "readback": dict(readback),
        "controllers": components.actuators.final_status(),
        "on_stop": left,
        "poke": handler.procedures.poke,
        "safety_changes": snapshot.safety_changes,
    }
