"""What a simulated controller does with requests: refuses, moves, answers."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from magis_calib.domain.camera import SequenceType
from magis_calib.domain.control import Setpoints
from magis_calib.link.control_messages import Answer, ControllerRequest, Refusal
from simulators.controllers.lease import Lease
from simulators.controllers.parameters import ParameterBank
from simulators.faults.active import NO_FAULTS
from simulators.faults.controller import Misbehaviour

Say = Callable[[str], None]


class RequestHandler:
    """The parameters of one controller, and who may change them. Used by one thread."""

    def __init__(
        self, name: str, session: str, bank: ParameterBank, lease: Lease, say: Say
    ) -> None:
        self._name = name
        self._session = session
        self._lease = lease
        self._say = say
        self.bank = bank
        self.next_effective_drop: Callable[[], int] = lambda: 0
        """0 where it does not hear of drops: a write counts from the next one on."""
        self.on_sequence: Callable[[SequenceType], int] | None = None
        """Takes the type of all drops to come and returns the first of them; None: this controller
        makes no drops.
        """
        self.misbehaviour = Misbehaviour(NO_FAULTS, name, lambda: 0)
        self.status: Callable[[], dict[str, str | int | float | bool]] = dict
        self._numbers: dict[str, int] = {}

    def restart(self, session: str, otherwise: Setpoints) -> None:
        """Come back after a power cycle, with some setpoints that are others."""
        self._session = session
        self.bank.power_cycle(otherwise)
        self._numbers.clear()

    def hears(self, request: ControllerRequest) -> bool:
        """Tell whether there is an answer at all."""
        committed = request.request == "write" and request.commit
        return not self.misbehaviour.silent and not (
            committed and self.misbehaviour.dies_after_check
        )

    def answer(self, identity: bytes, request: ControllerRequest) -> Answer:
        """Do what one peer asks for, or refuse it."""
        refused = (
            self._write_refusal(request.setpoints or {}) if request.request == "write" else None
        )
        refusal = (
            self._stale(request)
            or refused
            or self._sequence_refusal(request)
            or self._not_yours(identity, request)
        )
        if refusal:
            self._say(f"{self._name}: refused {request.request}: {refusal.message}")
            return Answer(
                request_id=request.request_id, session=self._session, ok=False, error=refusal
            )
        return self._do(request)

    def _write_refusal(self, setpoints: Setpoints) -> Refusal | None:
        """Say why a write is not accepted; limits first, for every attempt at one counts."""
        if not setpoints:
            return Refusal(code="bad_request", message="a write without setpoints")
        return self.bank.refusal(setpoints) or self.misbehaviour.refusal()

    def _sequence_refusal(self, request: ControllerRequest) -> Refusal | None:
        """Say why a sequence type is not accepted."""
        if request.request != "sequence":
            return None
        if self.on_sequence is None:
            return Refusal(code="bad_request", message=f"{self._name} makes no drops")
        if request.sequence_type is None:
            return Refusal(code="bad_request", message="a sequence without sequence_type")
        return None

    def _not_yours(self, identity: bytes, request: ControllerRequest) -> Refusal | None:
        """Say why nothing is changed for somebody who has not the lease."""
        if (
            self._lease.held_by(identity, request.session)
            or request.request not in ("write", "sequence")
            or not request.commit
        ):
            return None
        if self._lease.holder is None:
            return Refusal(code="bad_request", message=f"{self._name} waits for a hello")
        return Refusal(code="leased", message=f"{self._name} is {self._lease.in_words()}")

    def _do(self, request: ControllerRequest) -> Answer:
        done = {
            "describe": self._describe,
            "read": self._read,
            "status": self._tell_status,
            "write": self._write,
            "sequence": self._sequence,
        }[request.request](request)
        return Answer(request_id=request.request_id, session=self._session, ok=True, **done)

    def _describe(self, request: ControllerRequest) -> dict[str, Any]:
        return {"parameters": self.misbehaviour.described(self.bank.describe())}

    def _read(self, request: ControllerRequest) -> dict[str, Any]:
        return {"readback": self._readback()}

    def _tell_status(self, request: ControllerRequest) -> dict[str, Any]:
        own = {"state": "ready", "limit_violations": self.bank.limit_violations}
        return {"status": {**own, **self.status()}}

    def _write(self, request: ControllerRequest) -> dict[str, Any]:
        first = self.next_effective_drop()
        before = self._readback()
        if request.commit and request.setpoints:
            clamped = self.misbehaviour.clamped(request.setpoints)
            self.bank.write(clamped, first + self.misbehaviour.late_drops)
        told = self.misbehaviour.told_after_write(before, self._readback())
        return {
            "readback": told,
            "effective_drop": first if self.misbehaviour.knows_drops else None,
        }

    def _sequence(self, request: ControllerRequest) -> dict[str, Any]:
        assert self.on_sequence is not None  # judged
        assert request.sequence_type is not None
        return {"effective_drop": self.on_sequence(request.sequence_type)}

    def _readback(self) -> dict[str, float]:
        return self.misbehaviour.misread(self.bank.readback())

    def _stale(self, request: ControllerRequest) -> Refusal | None:
        late_ns = time.time_ns() + self.misbehaviour.clock_ns() - request.expires_time_ns
        if late_ns > 0:
            return Refusal(
                code="stale",
                message=f"request {request.request_id} expired {late_ns / 1e9:.3g} s ago",
            )
        last = self._numbers.get(request.session)
        if last is not None and request.number <= last:
            why = (
                f"request number {request.number} is not above {last}, the last of session "
                f"{request.session}"
            )
            return Refusal(code="stale", message=why)
        self._numbers[request.session] = request.number
        return None
