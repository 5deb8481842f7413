"""The control loop between an estimate and new setpoints: gates, compare, learn, holds, propose.

Next on the path of a pair: `magis_calib/actuators/live.py`.
"""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from magis_calib.config.loop import LoopConfig
from magis_calib.config.settings import LoopSettings, adjusted
from magis_calib.config.station import Station
from magis_calib.domain.camera import SequenceType
from magis_calib.domain.control import (
    NOTHING_USABLE,
    Gain,
    Hold,
    Limits,
    Proposal,
    RuleVerdict,
    Setpoints,
)
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import Array, StationEstimate
from magis_calib.domain.quantities import OBSERVABLES, wrap_error
from magis_calib.domain.rules import CONTROLLERS, LIMIT, WHEREABOUTS
from magis_calib.feedback import gates
from magis_calib.feedback.control_law import correcting_move, rooms_at
from magis_calib.feedback.evaluation import DropContext, Evaluation
from magis_calib.feedback.holds import WAVES, InnovationTest, SoftStart, in_capture_range
from magis_calib.feedback.innovation import Innovation, compared
from magis_calib.feedback.jumps import JumpGate
from magis_calib.feedback.kalman_bank import DisturbanceFilters
from magis_calib.feedback.response_matrix import Response
from magis_calib.feedback.response_monitor import ResponseMonitor, moved_only
from magis_calib.feedback.stage_order import StageOrder

PHASE = list(OBSERVABLES).index("phase_rad")


@dataclass(slots=True)
class _Answers:
    """Verdicts collected on the way through one drop."""

    verdicts: list[RuleVerdict] = field(default_factory=list)

    def stopped_by(self, *asked: RuleVerdict) -> str:
        self.verdicts += asked
        return next((one.words for one in asked if not one.passed), "")

    @property
    def hold(self) -> Hold | None:
        """Return what stopped it first."""
        failed = (Hold(one.rule, one.words) for one in self.verdicts if not one.passed)
        return next(failed, None)

    def refusal(self, found: Innovation | None = None, latched: bool = False) -> Evaluation:
        """Return that nothing of the drop is used."""
        hold = self.hold
        reasons = dict.fromkeys(OBSERVABLES, hold.words if hold else "")
        verdicts = tuple(self.verdicts)
        return Evaluation(hold, reasons, (), found, verdicts=verdicts, latched=latched)


class Loop:
    """Control of the six observables. One thread uses it.

    The setpoints in force are told from outside.
    """

    def __init__(self, station: Station) -> None:
        """Begin with no knowledge of the disturbance."""
        self._config = station.loop
        self.saved = LoopSettings.of(station.loop)
        """What the configuration says."""
        self._configured = station.loop
        self._gains = dict[str, Gain]()
        self._limits = dict[str, Limits]()
        self.targets = {name: one.target for name, one in station.loop.observables.items()}
        self.response = Response.of(station)
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget every drop; targets, gains and limits stay."""
        circular = [name == "phase_rad" for name in OBSERVABLES]
        self._filters = DisturbanceFilters(self.response.noise, _gains(self._config), circular)
        self._atoms = gates.AtomsGate()
        self._jumps = JumpGate()
        self._phase = gates.PhaseGate()
        self._stage_order = StageOrder(self._config)
        self._innovation_test = InnovationTest()
        self._soft_start = SoftStart()
        self._response_monitor = ResponseMonitor(
            [self._config.observables[name].actuator for name in OBSERVABLES]
        )
        self._approved: Setpoints = {}
        self._controlled: tuple[str, ...] = ()
        self._latest_drop = 0
        self._lost = False

    @property
    def gains(self) -> Mapping[str, Gain]:
        """Gains that are not as configured, by observable."""
        return self._gains

    @property
    def limits(self) -> Mapping[str, Limits]:
        """Limits that are not as configured, by actuator."""
        return self._limits

    @property
    def config(self) -> LoopConfig:
        """The configuration with the gains and limits in force; targets are `targets`."""
        return self._config

    def adjust(self, gains: Mapping[str, Gain], limits: Mapping[str, Limits]) -> None:
        """Have these gains and limits in force, all others as configured.

        What was learned is kept.
        """
        saved = self.saved
        gains = {name: gain for name, gain in gains.items() if gain != saved.gains[name]}
        limits = {name: one for name, one in limits.items() if one != saved.limits[name]}
        if (gains, limits) == (self._gains, self._limits):
            return
        self._gains = gains
        self._limits = limits
        self._config = adjusted(self._configured, gains, limits)
        self._filters.follow(_gains(self._config))

    def follow(self, record: DropRecord) -> None:
        """Have targets, gains and limits in force as they were at a recorded drop."""
        self.targets.update(record.targets)
        self.adjust(record.gains, record.limits)

    def stamped(self, record: DropRecord) -> DropRecord:
        """Return the record with targets in force, and gains and limits not as configured."""
        return replace(record, targets=dict(self.targets), gains=self._gains, limits=self._limits)

    def expected(self, in_force: Setpoints) -> Array:
        """Return the six observables to expect of these setpoints now, disturbance included."""
        return (
            self.response.predict(in_force)
            + self.response.from_channels @ self._filters.predicted()[0]
        )

    def expected_wavevector(self, in_force: Setpoints) -> tuple[float, float]:
        """Return the fringe's (horizontal, vertical) wavevector these setpoints should give, rad/m.

        Asked before a drop is fitted: what else can be known before is worked out here, too.
        """
        self._jumps.look_back()
        self._response_monitor.look_back()
        right, up = self.expected(in_force)[WAVES]
        return float(right), float(up)

    def resume(self, commanded: Setpoints) -> None:
        """Take this point as approved by the operator, who closes the loop here."""
        self._approved = dict(commanded)
        self._response_monitor.forget()
        self._innovation_test.forget()
        if self._lost:
            self._filters.forget([*WAVES, PHASE])
            self._lost = False

    def judge(
        self, estimate: StationEstimate, sequence_type: SequenceType, at: DropContext
    ) -> Evaluation:
        """Compare a drop with its prediction, and propose where to go from here."""
        answers = _Answers()
        refused = answers.stopped_by(
            gates.in_sequence(sequence_type),
            gates.fresh(estimate.drop_id, self._latest_drop, at.waited_s),
        ) or answers.stopped_by(gates.usable(estimate), gates.certain(estimate))
        refused = refused or answers.stopped_by(self._atoms.verdict(estimate.values["atoms"]))
        refused = refused or self._unknown(at, answers)
        if refused:
            return answers.refusal()
        self._approved = self._approved or dict(at.commanded)
        not_used = gates.unusable_observables(estimate)
        found = compared(estimate, at.in_force, self.response, self._filters, not_used)
        if self._cannot_learn(found, gates.estimators_agree(estimate), answers):
            return answers.refusal(found, self._lost or self._response_monitor.found)
        self._learn(found, estimate.drop_id)
        not_used |= self._not_told_apart(not_used)
        return self._decided(not_used, at, found, answers)

    def _unknown(self, at: DropContext, answers: _Answers) -> str:
        """Say why nobody knows what the atoms saw; empty where that is known."""
        words = "every actuator reads as commanded"
        astray = answers.stopped_by(WHEREABOUTS.judged(not at.astray, at.astray or words))
        if astray:
            self._soft_start.note(held=True)
        return astray

    def _cannot_learn(self, found: Innovation, agree: bool, answers: _Answers) -> bool:
        """Whether a drop, compared with its prediction, must not be learned from."""
        repeats = self._phase.reason() is None
        fresh = self._filters.fresh_motion(found.moved)
        capture = in_capture_range(found)
        self._lost = not capture.passed
        jump = None if self._lost else self._jumps.verdict(self._filters, found, repeats, agree)
        refused = jump is None or not jump.passed
        white = self._filters.white_innovation(found.disturbance)
        doubted = white if not refused or self._lost else moved_only(white, found.sigma, fresh)
        self._response_monitor.lags(found.disturbance, found.moved)
        self._response_monitor.add(doubted, fresh, repeats)
        answers.stopped_by(self._response_monitor.verdict(), capture, *([jump] if jump else []))
        if self._lost:
            self._soft_start.note(held=True)
        return refused

    def _not_told_apart(self, not_used: Container[str]) -> dict[str, str]:
        """Return measured observables whose channel needs one that was never measured."""
        seen = self._filters.seen
        names = list(OBSERVABLES)
        found = {}
        for row, name in enumerate(names):
            needed = np.flatnonzero(self.response.needed[row])
            missing = [OBSERVABLES[names[one]].label for one in needed if names[one] in not_used]
            if name not in not_used and not seen[row] and missing:
                found[name] = f"its correction needs {', '.join(missing)}, never measured yet"
        return found

    def _learn(self, found: Innovation, drop_id: int) -> None:
        if self._jumps.followed:
            self._innovation_test.forget()
        else:
            self._innovation_test.add(found, self._controlled)
        drops = max(1, drop_id - self._latest_drop) if self._latest_drop else 1
        self._filters.update(found.disturbance, found.fit_variance, found.moved, drops)
        self._latest_drop = drop_id
        if np.isfinite(found.innovation[PHASE]):
            self._phase.add(float(found.innovation[PHASE]))

    def _decided(
        self, not_used: dict[str, str], at: DropContext, found: Innovation, answers: _Answers
    ) -> Evaluation:
        """Propose a move of what may be used, and say what speaks against sending it."""
        phase = self._phase.reason() if "phase_rad" not in not_used else None
        if phase is not None:
            not_used["phase_rad"] = phase.words
        errors = self._errors(at.commanded, not_used)
        not_used |= self._stage_order.not_yet(errors)
        errors = {name: error for name, error in errors.items() if name not in not_used}
        hold: Hold | None = Hold(NOTHING_USABLE, "no observable can be used")
        proposal = None
        if errors:
            proposal = self._proposed(errors, at, answers)
            hold = at.unwanted or answers.hold
            self._soft_start.note(hold is not None)
            self._controlled = () if hold else tuple(errors)
        return Evaluation(
            hold,
            not_used,
            tuple(errors),
            found,
            proposal,
            tuple(answers.verdicts),
            bool(errors) and self._response_monitor.found,
            phase is not None and phase.code == gates.PHASE_RANDOM,
        )

    def _proposed(
        self, errors: Mapping[str, float], at: DropContext, answers: _Answers
    ) -> Proposal:
        """Return where to go, and ask the holds whether anything may be sent."""
        headroom = rooms_at(at.commanded, self._approved, self._config, at.facts)
        share = self._soft_start.share()
        proposal, stuck = correcting_move(errors, at.commanded, self.response, headroom, share)
        words = f"at a limit: {'; '.join(stuck)}" if stuck else "every actuator can move"
        limit = LIMIT.judged(not stuck, words)
        ready = CONTROLLERS.judged(not at.trouble, at.trouble or "there and ready")
        answers.stopped_by(ready, self._innovation_test.verdict(), limit)
        return proposal

    def _errors(self, commanded: Setpoints, not_used: Mapping[str, str]) -> dict[str, float]:
        """Return the errors to expect at these setpoints, of observables in use."""
        ahead = self.expected(commanded)
        return {
            name: wrap_error(name, float(ahead[row]) - self.targets[name])
            for row, name in enumerate(OBSERVABLES)
            if name not in not_used
        }


def _gains(config: LoopConfig) -> list[float | None]:
    """Return the gain of each channel, None where it is learned."""
    gains = (config.observables[name].gain for name in OBSERVABLES)
    return [None if isinstance(gain, str) else gain for gain in gains]
