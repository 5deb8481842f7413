"""The control loop between an estimate and new setpoints: compare, gate, propose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from magis_calib.domain.camera import SequenceType
from magis_calib.domain.config import Station
from magis_calib.domain.control import ParameterFacts, Proposal, Setpoints
from magis_calib.domain.estimate import Array, StationEstimate
from magis_calib.domain.quantities import OBSERVABLES, wrap_error
from magis_calib.feedback.gates import PhaseGate, unusable_drop, unusable_observables
from magis_calib.feedback.law import integral_move
from magis_calib.feedback.response import Response

FRINGE_ROWS = [list(OBSERVABLES).index(name) for name in ("fringe_x_rad_per_m", "fringe_z_rad_per_m")]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the loop makes of one drop: a proposal, or the reason why there is none."""

    proposal: Proposal | None
    used: tuple[str, ...]
    not_used: Mapping[str, str]
    hold: str
    """Why nothing is proposed; empty where something is."""


class Loop:
    """Integral control of the six observables. One thread uses it; the setpoints in force are told from outside."""

    def __init__(self, station: Station) -> None:
        """Begin with no knowledge of the disturbance."""
        self._config = station.loop
        self.response = Response.of(station)
        self._phase_gate = PhaseGate()
        self._disturbance = np.zeros(len(OBSERVABLES))

    def expected(self, in_force: Setpoints) -> Array:
        """Return the six observables these setpoints should give, with the disturbance seen last."""
        return self.response.predict(in_force) + self._disturbance

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
        disturbance = self._compare(estimate, in_force, not_used)
        if "phase_rad" not in not_used and (reason := self._phase_gate.reason()):
            not_used["phase_rad"] = reason
        errors = self._errors(disturbance, commanded, not_used)
        if not errors:
            return Judgement(None, (), not_used, "no observable can be used")
        move = integral_move(errors, commanded, self.response, self._config, facts)
        proposal = Proposal(
            {name: wrap_error(name, value) for name, value in zip(OBSERVABLES, prediction.tolist(), strict=True)},
            disturbance,
            errors,
            {name: move.proposed[name] for name in self.response.actuators},
            {name: move.limited[name] for name in self.response.actuators},
            move.limits,
        )
        return Judgement(proposal, tuple(errors), not_used, "")

    def _compare(self, estimate: StationEstimate, in_force: Setpoints, not_used: Mapping[str, str]) -> dict[str, float]:
        """Return measured minus response for what was measured, and remember it."""
        predicted = self.response.predict(in_force)
        disturbance = {}
        for row, name in enumerate(OBSERVABLES):
            if name not in not_used:
                disturbance[name] = wrap_error(name, estimate.values[name] - float(predicted[row]))
        remembered = self._disturbance.copy()
        for row, name in enumerate(OBSERVABLES):
            remembered[row] = disturbance.get(name, remembered[row])
        self._disturbance = remembered
        if "phase_rad" in disturbance:
            self._phase_gate.add(disturbance["phase_rad"])
        return disturbance

    def _errors(
        self, disturbance: Mapping[str, float], commanded: Setpoints, not_used: Mapping[str, str]
    ) -> dict[str, float]:
        """Return the errors to expect at the setpoints commanded last, of each observable that may be used."""
        ahead = self.response.predict(commanded)
        return {
            name: wrap_error(name, float(ahead[row]) + disturbance[name] - self._config.observables[name].target)
            for row, name in enumerate(OBSERVABLES)
            if name not in not_used
        }
