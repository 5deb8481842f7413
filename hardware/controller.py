"""A controller's client: requests with a deadline, heartbeats, announcements of drops.

Next on the path of a pair: `magis_calib/run/engine.py`.
"""

from __future__ import annotations

import itertools
import logging
import math
import time
from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from hardware.connection import ApplicationIdentity, ControllerConnection
from magis_calib.auth.sockets import SocketSecurity
from magis_calib.config.station import Links
from magis_calib.domain.camera import DropAnnouncement, SequenceType
from magis_calib.domain.control import ParameterFacts, Setpoints, WriteAnswer
from magis_calib.domain.devices import LinkState, Oddity
from magis_calib.domain.errors import ControllerError, Garbled, Refused, Silent, WireError
from magis_calib.domain.limits import broken_limit
from magis_calib.link.control_messages import (
    Answer,
    ControllerRequest,
    Done,
    DropMessage,
    FromController,
    RequestWord,
)

log = logging.getLogger(__name__)

LATE_KEPT = 16
"""Writes without an answer that are remembered, in case it comes late."""
ODD_FOR_S = 60.0
"""What was not as agreed is told for this long."""


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
        self._answers: dict[str, _Waiting] = {}
        self._unanswered: OrderedDict[str, Setpoints] = OrderedDict()
        self._late: deque[tuple[Setpoints, WriteAnswer]] = deque(maxlen=LATE_KEPT)
        self._drops: deque[DropAnnouncement] = deque()
        self._newest_drop = 0
        self._oddity: Oddity | None = None
        self._odd_s = -math.inf
        self._connection = ControllerConnection(
            security, name, endpoint, caller, links, self._take, self._take_unreadable
        )

    def describe(self) -> Mapping[str, ParameterFacts]:
        """Ask for the parameters with their limits."""
        told = self._request("describe").parameters
        if told is None:
            raise Garbled(self.name, "describe", "field `parameters` is missing")
        self._facts = {name: message.facts(name) for name, message in told.items()}
        return self._facts

    def read(self) -> Setpoints:
        """Ask for the read-back of every parameter that is described."""
        told = self._request("read").readback
        if told is None:
            raise Garbled(self.name, "read", "field `readback` is missing")
        self._position = self._known(told)
        return dict(self._position)

    def status(self) -> Mapping[str, str | int | float | bool]:
        """Ask for the state words of the device."""
        told = self._request("status").status
        if told is None:
            raise Garbled(self.name, "status", "field `status` is missing")
        return told

    def check(self, setpoints: Setpoints) -> None:
        """Ask whether a write of these would be accepted; raises `Refused`. Nothing moves."""
        self._request("write", setpoints, commit=False)

    def write(self, setpoints: Setpoints) -> WriteAnswer:
        """Move to these absolute setpoints, all or nothing.

        Raises `Refused`, or `Silent` or `Garbled` where nobody knows whether it was done.
        """
        written = self._written(self._request("write", setpoints, commit=True))
        self._position.update(written.readback)
        return written

    def late_writes(self) -> Sequence[tuple[Setpoints, WriteAnswer]]:
        """Return writes that raised `Silent` and were answered since, each once. Never blocks."""
        found = []
        while self._late:
            found.append(self._late.popleft())
        return found

    def newest_drop(self) -> int:
        """Return the last drop that it announced, 0 for none. Never blocks."""
        return self._newest_drop

    def oddity(self) -> Oddity | None:
        """Return what it said lately that is not as agreed; None for nothing. Never blocks."""
        return self._oddity if time.monotonic() - self._odd_s < ODD_FOR_S else None

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
            protocol=1,
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
        waiting = _Waiting(request)
        self._answers[request.request_id] = waiting
        self._connection.post(request)
        try:
            return waiting.answer.result(self._reply_timeout_s)
        except FutureTimeout:
            self._remember_unanswered(request)
            raise Silent(self.name, request.request, self._reply_timeout_s) from None
        finally:
            self._answers.pop(request.request_id, None)

    def _remember_unanswered(self, request: ControllerRequest) -> None:
        """Keep what a write was for: its answer may come late."""
        if request.request == "write" and request.commit:
            self._unanswered[request.request_id] = dict(request.setpoints or {})
            while len(self._unanswered) > LATE_KEPT:
                self._unanswered.popitem(last=False)

    def _written(self, answer: Answer) -> WriteAnswer:
        return WriteAnswer(self._known(answer.readback or {}), answer.effective_drop)

    def _known(self, readback: Setpoints) -> dict[str, float]:
        """Leave out what it never described; say so."""
        strange = sorted(readback.keys() - self._facts.keys())
        if strange and self._facts:
            self._notice(
                f"it reads back {strange[0]!r}, which it does not describe: left out", True
            )
        return {name: value for name, value in readback.items() if name in self._facts}

    def _notice(self, words: str, harmless: bool = False) -> None:
        """Remember what is not as agreed; log it where it is new."""
        oddity = Oddity(f"{self.name}: {words}", harmless)
        if oddity != self._oddity:
            log.warning("%s", oddity.words)
        self._oddity = oddity
        self._odd_s = time.monotonic()

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
            self._take_answer(message)
        elif isinstance(message, DropMessage):
            self._newest_drop = message.drop_id
            self._drops.append(
                DropAnnouncement(message.drop_id, message.sequence_type, message.planned_time_ns)
            )

    def _take_answer(self, answer: Answer) -> None:
        """Give an answer to who waits for it, however late it comes."""
        waiting = self._answers.get(answer.request_id)
        late = self._unanswered.pop(answer.request_id, None)
        if waiting is not None and not waiting.answer.done():
            waiting.answer.set_result(answer)
        elif late is not None and answer.ok:
            self._late.append((late, self._written(answer)))
        elif not self._is_own(answer.request_id):
            why = f"an answer to {answer.request_id[:60]!r}, which was never asked"
            self._notice(why)
            self._connection.complain("bad_header", f"field `request_id`: {why}")

    def _take_unreadable(self, request_id: str | None, error: WireError) -> None:
        """Take in an answer that cannot be read: whoever waits for it hears why."""
        self._notice(f"sent something unreadable: {error}")
        waiting = self._answers.get(request_id or "")
        if waiting is not None and not waiting.answer.done():
            waiting.answer.set_exception(Garbled(self.name, waiting.request.request, str(error)))

    def _is_own(self, request_id: str) -> bool:
        """Tell whether this was asked in this session: an answer that came late, or twice."""
        return request_id.startswith(f"{self._own_session}-")


class _Waiting:
    """A request and the answer that is waited for."""

    def __init__(self, request: ControllerRequest) -> None:
        self.request = request
        self.answer: Future[Answer] = Future()
