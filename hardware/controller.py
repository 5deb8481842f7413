"""A controller's client: requests with a deadline, heartbeats, announcements of drops.

Next on the path of a pair: `magis_calib/run/engine.py`.
"""

from __future__ import annotations

import itertools
import math
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from hardware.connection import ApplicationIdentity, ControllerConnection
from magis_calib.auth.sockets import SocketSecurity
from magis_calib.config.station import Links
from magis_calib.domain.camera import DropAnnouncement, SequenceType
from magis_calib.domain.control import ParameterFacts, Setpoints, WriteAnswer
from magis_calib.domain.devices import LinkState
from magis_calib.domain.errors import ControllerError, Refused, Silent
from magis_calib.domain.limits import broken_limit
from magis_calib.link.control_messages import (
    Answer,
    ControllerRequest,
    Done,
    DropMessage,
    FromController,
    RequestWord,
)


class ControllerClient:
    """Speaks to one controller. Every call may come from any thread."""

    def __init__(
        self,
        security: SocketSecurity,
        name: str,
        endpoint: str,
        caller: ApplicationIdentity,
        links: Links,
    ) -> None:
        """Connect in the background and say hello until it answers. Raises `ConfigError`."""
        self.name = name
        self._own_session = caller.session
        self._reply_timeout_s = links.reply_timeout_s
        self._numbers = itertools.count(1)
        self._facts: dict[str, ParameterFacts] = {}
        self._position: dict[str, float] = {}
        self._answers: dict[str, Future[Answer]] = {}
        self._drops: deque[DropAnnouncement] = deque()
        self._connection = ControllerConnection(security, name, endpoint, caller, links, self._take)

    def describe(self) -> Mapping[str, ParameterFacts]:
        """Ask for the parameters with their limits."""
        answer = self._request("describe")
        self._facts = {
            name: message.facts(name) for name, message in (answer.parameters or {}).items()
        }
        return self._facts

    def read(self) -> Setpoints:
        """Ask for the read-back of every parameter."""
        self._position.update(self._request("read").readback or {})
        return dict(self._position)

    def status(self) -> Mapping[str, str | int | float | bool]:
        """Ask for the state words of the device."""
        return self._request("status").status or {}

    def check(self, setpoints: Setpoints) -> None:
        """Ask whether a write of these would be accepted; raises `Refused`. Nothing moves."""
        self._request("write", setpoints, commit=False)

    def write(self, setpoints: Setpoints) -> WriteAnswer:
        """Move to these absolute setpoints, all or nothing; raises `Refused` or `Silent`."""
        answer = self._request("write", setpoints, commit=True)
        if answer.readback is None or answer.effective_drop is None:
            raise ControllerError(f"{self.name}: answer to write lacks readback or effective_drop")
        self._position.update(answer.readback)
        return WriteAnswer(answer.readback, answer.effective_drop)

    def announcements(self) -> Sequence[DropAnnouncement]:
        """Return the drops announced since the last call. Never blocks."""
        found = []
        while self._drops:
            found.append(self._drops.popleft())
        return found

    def done(self, drop_id: int) -> None:
        """Say that the outcome of this drop is known. Never blocks."""
        self._connection.post(Done(session=self._own_session, drop_id=drop_id))

    def sequence(self, sequence_type: SequenceType) -> int:
        """Have all drops that are not announced yet made for this; return the first.

        Raises `Refused` or `Silent`.
        """
        answer = self._request("sequence", sequence_type=sequence_type)
        if answer.effective_drop is None:
            raise ControllerError(f"{self.name}: answer to sequence lacks effective_drop")
        return answer.effective_drop

    def session(self) -> str | None:
        """The controller's own session id, None before its first word."""
        welcome = self._connection.welcome
        return welcome.session if welcome else None

    def link(self) -> LinkState:
        """Say whether it is there."""
        return self._connection.link()

    @property
    def leased(self) -> str:
        """Who else has the lease, in words; empty while it is ours, or nobody answered yet."""
        return self._connection.leased

    def close(self) -> None:
        """Say good-bye and release the connection."""
        self._connection.close()

    def _request(
        self,
        word: RequestWord,
        setpoints: Setpoints | None = None,
        commit: bool = True,
        sequence_type: SequenceType | None = None,
    ) -> Answer:
        """Ask, and return the answer. Raises `Refused` or `Silent`."""
        if setpoints is not None:
            self._check_limits(setpoints)
        number = next(self._numbers)
        request = ControllerRequest(
            request=word,
            request_id=f"{self._own_session}-{number}",
            number=number,
            session=self._own_session,
            expires_time_ns=time.time_ns() + int(self._reply_timeout_s * 1e9),
            setpoints=dict(setpoints) if setpoints is not None else None,
            commit=commit,
            sequence_type=sequence_type,
        )
        answer = self._answer_to(request)
        if answer.ok:
            return answer
        code, why = "", "no reason given"
        if answer.error is not None:
            code, why = answer.error.code, answer.error.message
        raise Refused(self.name, code, why)

    def _answer_to(self, request: ControllerRequest) -> Answer:
        future: Future[Answer] = Future()
        self._answers[request.request_id] = future
        self._connection.post(request)
        try:
            return future.result(self._reply_timeout_s)
        except FutureTimeout:
            raise Silent(self.name, request.request, self._reply_timeout_s) from None
        finally:
            self._answers.pop(request.request_id, None)

    def _check_limits(self, setpoints: Setpoints) -> None:
        """Refuse what the controller would refuse, in the last function before the socket."""
        for name, value in setpoints.items():
            slack = self._facts[name].resolution if name in self._facts else 0.0
            broken = broken_limit(
                name, value, self._facts, self._position.get(name, math.nan), slack
            )
            if broken is not None:
                raise Refused(self.name, broken.code, str(broken))

    def _take(self, message: FromController) -> None:
        if isinstance(message, Answer):
            waiting = self._answers.get(message.request_id)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)
        elif isinstance(message, DropMessage):
            self._drops.append(
                DropAnnouncement(message.drop_id, message.sequence_type, message.planned_time_ns)
            )
