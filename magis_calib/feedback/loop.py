"""The control loop between an estimate and new setpoints: compare, gate, learn, propose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.camera import SequenceType
from magis_calib.domain.config import Station
from magis_calib.domain.control import ParameterFacts, Proposal, Setpoints
from magis_calib.domain.estimate import Array, StationEstimate
from magis_calib.domain.quantities import OBSERVABLES, wrap_error
from magis_calib.feedback.channels import Channels
from magis_calib.feedback.comparison import Comparison, compared
from magis_calib.feedback.gates import Closing, JumpGate, PhaseGate, unusable_drop, unusable_observables
from magis_calib.feedback.law import correcting_move
from magis_calib.feedback.response import Response

FRINGE_ROWS = [list(OBSERVABLES).index(name) for name in ("fringe_x_rad_per_m", "fringe_z_rad_per_m")]
PHASE = list(OBSERVABLES).index("phase_rad")


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the loop makes of one drop: a proposal, or the reason why there is none."""

    proposal: Proposal | None
    used: tuple[str, ...]
    not_used: Mapping[str, str]
    hold: str
    """Why nothing is proposed; empty where something is."""


class Loop:
    """Control of the six observables. One thread uses it; the setpoints in force are told from outside."""

    def __init__(self, station: Station) -> None:
        """Begin with no knowledge of the disturbance."""
        self._config = station.loop
        self.targets = {name: one.target for name, one in station.loop.observables.items()}
        self.response = Response.of(station)
        gains = [station.loop.observables[name].gain for name in OBSERVABLES]
        self._channels = Channels(
            self.response.noise,
            [None if gain == "auto" else gain for gain in gains],
            [name == "phase_rad" for name in OBSERVABLES],
        )
        self._phase_gate = PhaseGate()
        self._jump_gate = JumpGate()
        self._closing = Closing(station.loop)
        self._latest_drop = 0

    def resume(self, commanded: Setpoints) -> None:
        """The operator closes the loop here: take this point as approved."""

    def expected(self, in_force: Setpoints) -> Array:
        """Return the six observables these setpoints should give, with the disturbance expected now."""
        return self.response.predict(in_force) + self.response.from_channels @ self._channels.predicted()[0]

    def expected_wavevector(self, in_force: Setpoints) -> tuple[float, float]:
        """Return the fringe's (horizontal, vertical) wavevector these setpoints should give, rad/m."""
        right, up = self.expected(in_force)[FRINGE_ROWS]
        return float(right), float(up)

    def judge(
        self,
        estimate: StationEstimate,
        sequence_type: SequenceType,
        in_force: Setpoints,
        commanded: Setpoints,
        facts: Mapping[str, ParameterFacts],
    ) -> Judgement:
        """Compare a drop with the prediction for its setpoints and propose where to go from those commanded last."""
        refused = unusable_drop(sequence_type, estimate)
        if refused:
            return Judgement(None, (), dict.fromkeys(OBSERVABLES, refused), refused)
        not_used = unusable_observables(estimate)
        prediction = self.expected(in_force)
        found = compared(estimate, self.response.predict(in_force), self.response, self._channels, not_used)
        refused = self._jump_gate.judge(self._channels, found, self._phase_gate.reason() is None)
        if refused:
            return Judgement(None, (), dict.fromkeys(OBSERVABLES, refused), refused)
        self._learn(found, estimate.drop_id)
        if "phase_rad" not in not_used and (reason := self._phase_gate.reason()):
            not_used["phase_rad"] = reason
        errors = self._errors(commanded, not_used)
        not_used |= self._closing.not_yet(errors)
        errors = {name: error for name, error in errors.items() if name not in not_used}
        if not errors:
            return Judgement(None, (), not_used, "no observable can be used")
        return Judgement(self._proposal(errors, commanded, facts, prediction, found), tuple(errors), not_used, "")

    def _learn(self, found: Comparison, drop_id: int) -> None:
        drops = max(1, drop_id - self._latest_drop) if self._latest_drop else 1
        self._channels.update(found.disturbance, found.fit_variance, drops)
        self._latest_drop = drop_id
        if np.isfinite(found.innovation[PHASE]):
            self._phase_gate.add(float(found.innovation[PHASE]))

    def _errors(self, commanded: Setpoints, not_used: Mapping[str, str]) -> dict[str, float]:
        """Return the errors to expect at the setpoints commanded last, of each observable that may be used."""
        ahead = self.expected(commanded)
        return {
            name: wrap_error(name, float(ahead[row]) - self.targets[name])
            for row, name in enumerate(OBSERVABLES)
            if name not in not_used
        }

    def _proposal(
        self, errors: Mapping[str, float], commanded: Setpoints, facts: Mapping[str, ParameterFacts],
        prediction: Array, found: Comparison,
    ) -> Proposal:  # fmt: skip
        move = correcting_move(errors, commanded, self.response, self._config, facts)
        measured = {name: value for name, value in _named(found.disturbance).items() if np.isfinite(value)}
        return Proposal(
            {name: wrap_error(name, value) for name, value in _named(prediction).items()},
            measured,
            errors,
            {name: move.proposed[name] for name in self.response.actuators},
            {name: move.limited[name] for name in self.response.actuators},
            move.limits,
            {name: value for name, value in _named(found.innovation).items() if np.isfinite(value)},
            {name: value for name, value in _named(found.sigma).items() if np.isfinite(value)},
        )


def _named(vector: Array) -> dict[str, float]:
    return dict(zip(OBSERVABLES, vector.tolist(), strict=True))
