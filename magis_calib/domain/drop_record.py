"""One drop with everything that came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from magis_calib.domain.camera import SequenceType
from magis_calib.domain.control import Decision, Gain, Limits, Setpoints
from magis_calib.domain.estimate import StationEstimate


@dataclass(frozen=True, slots=True, eq=False)
class DropRecord:
    """One drop with everything that came of it."""

    drop_id: int
    time_ns: int
    """UTC, trigger of the drop."""
    sequence_type: SequenceType
    complete: bool
    estimate: StationEstimate
    decision: Decision
    in_force: Setpoints
    """Setpoints the atoms of this drop saw."""
    stage_s: Mapping[str, float]
    """Duration of each stage of its path, by name."""
    note: str = ""
    doubts: Mapping[str, str] = field(default_factory=dict)
    """Why its pictures were perhaps not of this drop, by what is concerned ("view x", "drop")."""
    targets: Mapping[str, float] = field(default_factory=dict)
    """What the observables were aimed at; empty in sessions that did not record it."""
    gains: Mapping[str, Gain] = field(default_factory=dict)
    """Of observables that were controlled with another gain than the configuration's."""
    limits: Mapping[str, Limits] = field(default_factory=dict)
    """Of actuators that had other limits than the configuration's."""

    @property
    def durations_s(self) -> Mapping[str, float]:
        """Those of the stages, and `received_to_applied` where a correction was applied."""
        waited_s = self.decision.received_to_applied_s
        if waited_s is None:
            return self.stage_s
        return {**self.stage_s, "received_to_applied": waited_s}
