"""Begins and ends procedures, one at a time; knows the last poke and the newest matrix."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import ProcedureError
from magis_calib.feedback.live_settings import station_in_force
from magis_calib.feedback.loop import Loop
from magis_calib.procedures.catalogue import begin
from magis_calib.procedures.protocol import StartingPoint
from magis_calib.products.matrices import measured_matrix
from magis_calib.run.components import Components
from magis_calib.run.procedure_runner import ProcedureRunner
from magis_calib.state.answer import Refusal
from magis_calib.state.matrix import MeasuredMatrix
from magis_calib.state.procedure import NOT_POKED, ProcedureState


class Procedures:
    """The procedures of one run. Used by the worker thread only."""

    def __init__(self, components: Components, loop: Loop) -> None:
        """`loop`: where it stands is where a procedure begins."""
        self._components = components
        self._loop = loop
        self._run: ProcedureRunner | None = None
        self.poke = NOT_POKED
        """What the last poke of this run found, in words."""
        self._poke_failed = False
        self.measured: MeasuredMatrix | None = None
        self.look_for_matrix()

    @property
    def state(self) -> ProcedureState | None:
        """How far a procedure has come, or how the last one ended."""
        return self._run.state if self._run is not None else None

    @property
    def busy(self) -> str:
        """Say which procedure runs; empty where none does."""
        state = self.state
        return (
            f"{state.name} is running, cancel it first"
            if state is not None and state.running
            else ""
        )

    @property
    def has_loop(self) -> bool:
        """Whether the loop is the procedure's now, whatever the operator wants of it."""
        return bool(self.busy) and self._run is not None and self._run.loop != "as_wanted"

    @property
    def wants_corrections(self) -> bool:
        """Whether the procedure has the loop closed now."""
        return self._run is not None and self._run.loop == "closed"

    @property
    def failed_poke(self) -> str:
        """What the last poke found wrong; empty where nothing."""
        return self.poke if self._poke_failed else ""

    def start(self, name: str, options: Mapping[str, Any], fault: str) -> str:
        """Begin one, unless something speaks against it; return the answer."""
        actuators = self._components.actuators
        if self._components.mode == "replay":
            return Refusal("not begun: this is a replay")
        if self.busy:
            return Refusal(f"not begun: {self.busy}")
        if not actuators.prepare() or fault:
            return Refusal(f"not begun: {fault or actuators.held}")
        station = station_in_force(self._components.station, self._loop)
        place = StartingPoint(station, actuators.facts, actuators.commanded())
        try:
            procedure, planned = begin(name, place, options)
        except ProcedureError as error:
            return Refusal(f"not begun: {error}")
        self._run = ProcedureRunner(
            name, procedure, place, planned, actuators, self._components.drop_system
        )
        self._run.begin()
        self._conclude()
        return f"{name} began" if self._run.state.running else self._run.state.words

    def take(self, record: DropRecord, fault: str) -> str:
        """Give a finished drop to the procedure that runs; a fault ends it.

        Return how it ended, if it has.
        """
        if self._run is None or not self._run.state.running:
            return ""
        if fault:
            self._run.cancel(f"fault: {fault}")
        self._run.take(record)
        self._conclude()
        state = self._run.state
        return "" if state.running else state.in_words()

    def cancel(self, why: str) -> str:
        """End the one that runs; the setpoints go back. Return the answer."""
        if self._run is None or not self._run.state.running:
            return Refusal("no procedure runs")
        self._run.cancel(why)
        self._conclude()
        return self._run.state.words

    def look_for_matrix(self) -> None:
        """Take the newest measured matrix, as it stands among the products now."""
        components = self._components
        self.measured = measured_matrix(
            components.name, components.station, components.products, components.configuration
        )

    def _conclude(self) -> None:
        """Write what a procedure left, once it has ended.

        A failed poke stays one until another has passed.
        """
        components, run = self._components, self._run
        if run is None or run.result is None:
            return
        if run.state.name == "poke" and (run.result.good or not self.failed_poke):
            self.poke = run.result.words
            self._poke_failed = not run.result.good
        if components.products is not None:
            session = components.recorder.path if components.recorder is not None else ""
            run.leave_product(components.products, components.name, session)
            self.look_for_matrix()
