"""READ FIRST: what happens to one image pair, in order.

    setpoints in force -> expected wavevector -> counts to electrons -> fit of each view -> station
    estimate -> compare, gate, propose -> send and read back -> one record of the drop

A drop that was not made for the interferometer is fitted as what it is, or not at all, and moves
nothing. Live, replay and batch call this same code; they differ in where pairs come from and in the
`Actuators` they bring. A replay may also bring an `Estimator` that knows results from before.

Next on the path of a pair: `hardware/camera.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from magis_calib.config.station import Station
from magis_calib.domain.camera import Frame, ImagePair, IncompleteDrop
from magis_calib.domain.control import NOT_JUDGED, Decision, Hold, Setpoints
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import StationEstimate, doubted, unusable_station
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.estimation.model import Wavevector
from magis_calib.estimation.pair import Done, Fitting
from magis_calib.estimation.sequence import NOT_FITTED
from magis_calib.feedback.evaluation import DropContext, Evaluation, Surroundings
from magis_calib.feedback.loop import Loop

EARLIER = "taken before this run began: recorded and fitted, not acted upon"


class Actuators(Surroundings, Protocol):
    """Who knows the setpoints and moves them: the live controllers, or a recording that listens."""

    def in_force(self, drop_id: int) -> Setpoints:
        """Return the setpoints that the atoms of this drop saw; empty while unknown."""

    def act(self, drop_id: int, evaluation: Evaluation, received_s: float) -> Decision:
        """Do what was proposed, or hold."""


class Estimator(Protocol):
    """Who makes an estimate of a pair.

    The fit, or a replay that looks first whether it knows the answer.
    """

    def estimate(self, pair: ImagePair, expected: Wavevector | None, done: Done) -> StationEstimate:
        """Return the estimate.

        `expected` is the wavevector that the setpoints in force should give.
        """


class Pipeline:
    """The path of a pair through one station. Used by the worker thread only."""

    def __init__(
        self,
        station: Station,
        actuators: Actuators,
        estimator: Estimator | None = None,
        loop: Loop | None = None,
    ) -> None:
        """Without an estimator fit every pair; without a loop begin with one that knows nothing.

        Raises `ConfigError` where a defect mask, or the model of a view, cannot be used.
        """
        self._actuators = actuators
        self._estimator = estimator or Fitting(station)
        self.loop = loop or Loop(station)

    def process(self, pair: ImagePair, unwanted: Callable[[], Hold | None]) -> DropRecord:
        """Take one complete drop through every step.

        `unwanted` says why nobody wants anything sent; it is asked after the fit, which takes time.
        """
        if pair.sequence_type in NOT_FITTED:
            return self.unusable(
                pair.drop_id, NOT_FITTED[pair.sequence_type], pair.frames["x"], complete=True
            )
        clock = _Clock(pair.received_s)
        in_force = {} if pair.earlier else self._actuators.in_force(pair.drop_id)
        expected = self.loop.expected_wavevector(in_force) if in_force else None
        clock.done("queue")
        estimate = doubted(
            self._estimator.estimate(pair, expected, clock.done), in_words(pair.doubts)
        )
        evaluation = self._judge(pair, estimate, in_force, unwanted())
        clock.done("decide")
        decision = self._actuators.act(pair.drop_id, evaluation, pair.received_s)
        clock.done("apply")
        header = pair.frames["x"].header
        return DropRecord(
            pair.drop_id,
            header.trigger_time_ns,
            pair.sequence_type,
            True,
            estimate,
            decision,
            in_force,
            clock.stages,
            doubts=pair.doubts,
        )

    def incomplete(self, drop: IncompleteDrop) -> DropRecord:
        """Give a drop without a whole pair its outcome: nothing is used, nothing moves."""
        return self.unusable(drop.drop_id, drop.reason, next(iter(drop.frames.values()), None))

    def unusable(
        self, drop_id: int, reason: str, frame: Frame | None, complete: bool = False
    ) -> DropRecord:
        """Give a drop that cannot be estimated its outcome, with the reason."""
        decision = self._actuators.act(drop_id, _nothing(reason), time.monotonic())
        in_force = self._actuators.in_force(drop_id)
        trigger = frame.header.trigger_time_ns if frame else time.time_ns()
        sequence_type = frame.header.sequence_type if frame else "interferometer"
        estimate = unusable_station(drop_id, reason)
        return DropRecord(
            drop_id, trigger, sequence_type, complete, estimate, decision, in_force, {}
        )

    def _judge(
        self,
        pair: ImagePair,
        estimate: StationEstimate,
        in_force: Setpoints,
        unwanted: Hold | None,
    ) -> Evaluation:
        actuators = self._actuators
        if pair.earlier:
            return _nothing(EARLIER)
        if pair.doubts:
            return _nothing("; ".join(filter(None, (in_words(pair.doubts), actuators.held))))
        if not in_force:
            return _nothing(f"the setpoints in force are not known: {actuators.held}")
        waited_s = time.monotonic() - pair.received_s
        context = DropContext.of(actuators, in_force, unwanted, waited_s)
        return self.loop.judge(estimate, pair.sequence_type, context)


def in_words(doubts: Mapping[str, str]) -> str:
    """Say why a pair is perhaps not of its drop."""
    return "; ".join(f"{what}: {why}" for what, why in doubts.items())


def _nothing(reason: str) -> Evaluation:
    """Use nothing of a drop, for this reason."""
    return Evaluation(Hold(NOT_JUDGED, reason), dict.fromkeys(OBSERVABLES, reason))


class _Clock:
    """Durations of the stages of one pair, each from the end of the one before."""

    def __init__(self, start_s: float) -> None:
        self.stages: dict[str, float] = {}
        self._last_s = start_s

    def done(self, stage: str) -> None:
        now_s = time.monotonic()
        self.stages[stage] = now_s - self._last_s
        self._last_s = now_s
