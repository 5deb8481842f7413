"""Actuators that only listen: they know what was recorded, and send nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence

from magis_calib.actuators.moves import MoveResult
from magis_calib.config.loop import LoopConfig
from magis_calib.config.station import Station
from magis_calib.domain.control import NOT_JUDGED, Decision, ParameterFacts, Setpoints
from magis_calib.domain.devices import ActuatorState, Oddity
from magis_calib.domain.drop_record import DropRecord
from magis_calib.feedback.evaluation import Evaluation
from magis_calib.replay.recorded_decisions import astray_of
from magis_calib.state.answer import Refusal


class RecordedActuators:
    """Knows the recorded setpoints and decisions, and what became of the estimates this time."""

    held = ""

    def __init__(self, records: Sequence[DropRecord], station: Station) -> None:
        """Take what the recorded run knew."""
        self._recorded = {record.drop_id: record for record in records}
        self._latest: DropRecord | None = None
        self._facts = configured_facts(station.loop)

    @property
    def astray(self) -> str:
        """Return which actuators read other than commanded, as recorded."""
        return astray_of(self._latest.decision) if self._latest else ""

    @property
    def facts(self) -> Mapping[str, ParameterFacts]:
        """The limits the configuration states: no controller is asked."""
        return self._facts

    def prepare(self) -> bool:
        """Be ready: there is nobody to ask."""
        return True

    def oddities(self) -> Mapping[str, Oddity]:
        """Return nothing: no controller speaks."""
        return {}

    def in_force(self, drop_id: int) -> Setpoints:
        """Return the setpoints recorded for this drop."""
        self._latest = self._recorded.get(drop_id)
        return self._latest.in_force if self._latest else {}

    def commanded(self) -> Setpoints:
        """Return the setpoints in force: what was commanded since is not known in advance."""
        return self._latest.in_force if self._latest else {}

    def act(self, drop_id: int, evaluation: Evaluation, received_s: float) -> Decision:
        """Return the recorded decision: nothing is sent."""
        recorded = self._recorded.get(drop_id)
        if recorded is not None:
            return recorded.decision
        words = "replay: this drop has no recorded decision"
        return Decision(drop_id, time.time_ns(), "held", words, code=NOT_JUDGED)

    def accept(self) -> None:
        """Do nothing: a replay moves nothing."""

    def by_hand(self, name: str, value: float) -> str:
        """Refuse: a replay moves nothing."""
        return Refusal("not sent: this is a replay")

    def waiting_for_drop(self) -> int | None:
        """Return None: nothing is waited for."""
        return None

    def restore(self) -> MoveResult:
        """Refuse: a replay moves nothing."""
        return self.go_to({}, "the setpoints of the start")

    def go_to(self, goal: Setpoints, words: str) -> MoveResult:
        """Refuse: a replay moves nothing."""
        return MoveResult(False, f"did not go to {words}: this is a replay")

    def final_readback(self) -> Setpoints:
        """Return nothing: no controller is there."""
        return {}

    def final_status(self) -> Mapping[str, Mapping[str, str | int | float | bool]]:
        """Return nothing: no controller is there."""
        return {}

    def states(self) -> tuple[ActuatorState, ...]:
        """Return the recorded setpoints of the drop shown."""
        if self._latest is None:
            return ()
        readback = {**self._latest.in_force}
        return tuple(
            ActuatorState(
                name,
                "recording",
                readback.get(name, math.nan),
                readback.get(name, math.nan),
                facts.minimum,
                facts.maximum,
                facts.step_limit,
                facts.readback_tolerance,
            )
            for name, facts in self._facts.items()
        )


def configured_facts(loop: LoopConfig) -> dict[str, ParameterFacts]:
    """Return the limits that the configuration states, as a controller would."""
    return {
        name: ParameterFacts(name, "", one.minimum, one.maximum, one.step_cap, 1, 0.0, 0.0, 0.0)
        for name, one in loop.actuators.items()
    }
