"""Walks one procedure through a run: moves, gives it the drops, brings the setpoints back."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from magis_calib.domain.camera import SequenceType
from magis_calib.domain.control import Setpoints
from magis_calib.domain.devices import DropSystem
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import ControllerError, ProcedureError
from magis_calib.domain.quantities import wrap_error
from magis_calib.procedures.protocol import Procedure, ProcedureResult, Request, StartingPoint
from magis_calib.products.store import Product, write_product
from magis_calib.run.components import OperatedActuators
from magis_calib.state.procedure import CurvePoint, LiveCurve, ProcedureState

log = logging.getLogger(__name__)

PATIENCE_DROPS = 20
"""Drops in a row that are not of what was asked for, or cannot be measured, before a procedure
gives up.
"""


class ProcedureRunner:
    """One procedure under way. Used by the worker thread only."""

    def __init__(
        self,
        name: str,
        procedure: Procedure,
        place: StartingPoint,
        planned: int,
        actuators: OperatedActuators,
        drops: DropSystem | None,
    ) -> None:
        """`planned`: drops in all, as far as is known. Nothing moves before `begin`."""
        self._procedure = procedure
        self._place = place
        self._actuators = actuators
        self._drops = drops
        self._request: Request | None = None
        self._taken: list[DropRecord] = []
        self._missed = 0
        self._trouble = ""
        self._begins = False
        """A step of a plan has ended: what comes is drawn anew."""
        self._touched: set[str] = set()
        self._type: SequenceType = "interferometer"
        self.result: ProcedureResult | None = None
        self.records: list[DropRecord] = []
        """Every drop that was given to it."""
        self.state = ProcedureState(name, "begins", 0, planned, time.monotonic(), None, True)

    @property
    def loop(self) -> Literal["off", "closed", "as_wanted"]:
        """Whether the loop may correct now."""
        return (
            "as_wanted"
            if self.result is not None
            else self._request.loop
            if self._request is not None
            else "off"
        )

    def begin(self) -> None:
        """Move to the first setpoints asked for."""
        self._next(lambda: next(self._procedure))

    def take(self, record: DropRecord) -> None:
        """Give it one finished drop, if it is of what was asked for."""
        if self._request is None or self.result is not None:
            return
        if not self._fits(record, self._request):
            self._miss(record)
            return
        self._missed = 0
        self._taken.append(record)
        self.records.append(record)
        self._draw(record, self._request)
        self._tell(self._request.words)
        if len(self._taken) == self._request.drops:
            taken = tuple(self._taken)
            self._taken = []
            self._next(lambda: self._procedure.send(taken))

    def cancel(self, why: str) -> None:
        """End it; the setpoints go back."""
        if self.result is None:
            self._procedure.close()
            self.state = replace(self.state, cancelled=True)
            self._end(ProcedureResult(False, f"cancelled: {why}"))

    def leave_product(self, folder: Path, station: str, session: str) -> None:
        """Write what it found, once it has ended; tell where, or why it could not be written."""
        if self.result is None or self.state.product:
            return
        product = self._product(self.result, station, Path(session).name)
        try:
            self.state = replace(self.state, product=str(write_product(folder, product)))
        except OSError as error:
            self.state = replace(
                self.state,
                good=False,
                words=f"{self.state.words}; its product is NOT written: {error}",
            )

    def _product(self, result: ProcedureResult, station: str, session: str) -> Product:
        drops = (self.records[0].drop_id, self.records[-1].drop_id) if self.records else (0, 0)
        return Product(
            self.state.name,
            station,
            time.time_ns(),
            result.good,
            result.words,
            dict(self._place.base),
            session,
            drops,
            result.product,
        )

    def _next(self, go_on: Callable[[], Request]) -> None:
        """Go on to what is asked for next.

        What cannot be had is told to the procedure, which may know better.
        """
        try:
            request = go_on()
            while not self._had(request):
                request = (
                    self._procedure.throw(ProcedureError(self._trouble))
                    if self._trouble
                    else self._procedure.send(())
                )
            self._request = request
            self._missed = 0
            self._tell(request.words)
        except StopIteration as done:
            self._end(done.value)
        except ProcedureError as error:
            self._end(ProcedureResult(False, str(error)))
        except Exception as error:  # whatever a procedure stumbles over: the setpoints must go back
            log.exception("fault in procedure %s", self.state.name)
            self._end(ProcedureResult(False, f"broke off: {error!r}"))

    def _had(self, request: Request) -> bool:
        """Move to what is asked for; return whether there are drops to wait for."""
        self._trouble = ""
        self._touched |= request.setpoints.keys()
        if request.loop == "closed":
            self._touched |= self._place.station.loop.actuators.keys()
        try:
            self._turn(request.sequence_type)
            self._go(request.setpoints, request.words)
        except (ProcedureError, ControllerError) as error:
            self._trouble = str(error)
            return False
        self._begins |= not request.drops
        return request.drops > 0

    def _fits(self, record: DropRecord, request: Request) -> bool:
        facts = self._place.facts
        return (
            record.complete
            and record.sequence_type == request.sequence_type
            and (record.estimate.usable or request.sequence_type == "no_atoms")
            and all(
                abs(record.in_force.get(name, float("inf")) - value)
                <= facts[name].readback_tolerance
                for name, value in request.setpoints.items()
            )
        )

    def _miss(self, record: DropRecord) -> None:
        self._missed += 1
        if self._missed >= PATIENCE_DROPS:
            reason = (
                "; ".join(record.estimate.reasons)
                or "the setpoints in force are not those asked for"
            )
            given_up = ProcedureError(f"gave up: {self._missed} drops in a row of no use: {reason}")
            self._taken = []
            self._next(lambda: self._procedure.throw(given_up))

    def _turn(self, sequence_type: SequenceType) -> None:
        if sequence_type == self._type:
            return
        if self._drops is None:
            raise ProcedureError(f"no drop system to ask for {sequence_type} drops")
        self._drops.sequence(sequence_type)
        self._type = sequence_type

    def _go(self, goal: Setpoints, words: str) -> None:
        result = self._actuators.go_to(goal, words) if goal else None
        if result is not None and not result.there:
            raise ProcedureError(result.words)

    def _end(self, result: ProcedureResult) -> None:
        """Bring back what it moved (but for what is to be kept) and the usual drops."""
        words = result.words
        try:
            self._turn("interferometer")
            back = {
                name: value for name, value in self._place.base.items() if name in self._touched
            }
            self._go(back | dict(result.keep), "where the procedure began")
        except (ProcedureError, ControllerError) as error:
            result = replace(result, good=False)
            words = f"{words}; setpoints NOT restored: {error}"
        self.result = replace(result, words=words)
        self.state = replace(
            self.state, words=words, left_s=None, running=False, good=self.result.good
        )

    def _draw(self, record: DropRecord, request: Request) -> None:
        """Go on with the curves there are; begin others with the first drop that is for them."""
        if not request.curves:
            return
        curves = self.state.curves
        if self._begins or tuple(curve.axes for curve in curves) != request.curves:
            curves = tuple(LiveCurve(axes) for axes in request.curves)
        self._begins = False
        self.state = replace(
            self.state, curves=tuple(_with_drop(curve, record, request.part) for curve in curves)
        )

    def _tell(self, words: str) -> None:
        done = len(self.records)
        spent = time.monotonic() - self.state.began_s
        left = spent / done * max(0, self.state.planned - done) if done else None
        self.state = replace(self.state, words=words, done=done, left_s=left)


def _with_drop(curve: LiveCurve, record: DropRecord, part: str) -> LiveCurve:
    """Add what a drop showed; the curve as it is where that was not measured."""
    axes, estimate = curve.axes, record.estimate
    at = record.in_force.get(axes.across, math.nan) if axes.across else float(record.drop_id)
    seen = estimate.values.get(axes.up, math.nan)
    if not math.isfinite(at + seen):
        return curve
    away = seen - (curve.points[0].seen if curve.points else axes.target or 0.0)
    seen += wrap_error(axes.up, away) - away  # a phase is drawn within π of where it began
    return curve.with_point(
        CurvePoint(record.drop_id, at, seen, estimate.stderr.get(axes.up, math.nan), part)
    )
