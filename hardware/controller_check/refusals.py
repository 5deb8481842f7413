"""Checks that move nothing, and what must be refused with which word."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from hardware.controller_check.conversation import Conversation, in_words, was_refused
from hardware.controller_check.subject import Subject
from hardware.finding import Finding, judged, not_seen
from magis_calib.link.camera_messages import Bye, Heartbeat
from magis_calib.link.control_messages import Answer
from magis_calib.link.headers import HEADER_LIMIT_BYTES

ERROR_S = 1.0
"""So long an error is waited for."""
STRANGER = "somebody-else"
"""A session that never said hello."""


def checks(subject: Subject) -> Iterator[Finding]:
    """Ask whether writes would be accepted, without committing one."""
    subject.tell("check (commit false)")
    answer = subject.write(subject.known, commit=False)
    good = answer is not None and answer.ok
    check = "accepts a check of where it stands"
    yield judged(check, good, "ok", in_words(answer))
    before = subject.read()
    answer = subject.write(subject.steps(), commit=False)
    subject.first.listen(subject.settling_s())
    after = subject.read()
    moved = subject.off(after, {name: before[name] for name in subject.steps() if name in before})
    check = "a check moves nothing"
    if answer is None or not before:
        yield not_seen(check, in_words(answer))
    else:
        yield judged(check, not moved, "the same read-back after it", moved)


def refusals(subject: Subject) -> Iterator[Finding]:
    """Ask for what must be refused: none of it is committed."""
    subject.tell("refusals")
    yield _refused(subject, "unknown_name", [{"no_such_parameter": 0.0}])
    yield _refused(subject, "limit", _beyond(subject))
    yield _refused(subject, "step", _too_far(subject))
    yield from _stale(subject)
    yield from _bad_requests(subject)
    yield from _not_readable(subject)
    yield from _strangers(subject)


def _refused(subject: Subject, code: str, writes: list[dict[str, float]]) -> Finding:
    """Ask for each of these; each must be refused with this word."""
    check = f"refuses with `{code}`"
    if not writes:
        return not_seen(check, "no setpoint that would be it")
    for setpoints in writes:
        answer = subject.write(setpoints, commit=False)
        if not was_refused(answer, code):
            ((name, value),) = setpoints.items()
            return judged(check, False, code, f"{in_words(answer)} ({name} = {value:.6g})")
    return judged(check, True, "", "")


def _beyond(subject: Subject) -> list[dict[str, float]]:
    """Return setpoints beyond either end of each range."""
    return [
        {name: end + sign * max(one.maximum - one.minimum, 2.0 * one.resolution)}
        for name, one in subject.parameters.items()
        for end, sign in ((one.maximum, 1.0), (one.minimum, -1.0))
    ]


def _too_far(subject: Subject) -> list[dict[str, float]]:
    """Return setpoints within the ranges that are too far from where it stands."""
    found = []
    for name, value in subject.known.items():
        one = subject.parameters[name]
        step = 1.5 * one.step_limit + one.readback_tolerance
        inside = (at for at in (value + step, value - step) if one.minimum <= at <= one.maximum)
        found += [{name: at} for at in inside]
    return found


def _stale(subject: Subject) -> Iterator[Finding]:
    """Ask too late, and under a number that was used before."""
    check = {"setpoints": subject.known, "commit": False}
    late = subject.first.ask("write", **check, expires_time_ns=1_000_000_000)
    yield _judge("stale", "after `expires_time_ns`", late)
    again = subject.first.ask("write", **check, number=1)
    yield _judge("stale", "a `number` that is not above the last", again)


def _judge(code: str, what: str, answer: Answer | None) -> Finding:
    good = was_refused(answer, code)
    return judged(f"refuses with `{code}`: {what}", good, code, in_words(answer))


def _bad_requests(subject: Subject) -> Iterator[Finding]:
    first = subject.first
    empty = first.ask("write", setpoints={}, commit=False)
    yield _judge("bad_request", "a write without setpoints", empty)
    yield _judge("bad_request", "a sequence without its type", first.ask("sequence"))
    wrong: Mapping[str, Mapping[str, Any]] = {
        "a request without `protocol`": {"protocol": None},
        "a field that is none of the message": {"setpoint": {}},
        "a number that is text": {"number": "7"},
        "a word that is none of the document": {"request": "explode"},
    }
    for what, changes in wrong.items():
        told = {**first.request("read"), **changes}
        answer = first.ask_raw({name: one for name, one in told.items() if one is not None})
        yield _judge("bad_request", what, answer)


def _not_readable(subject: Subject) -> Iterator[Finding]:
    first = subject.first
    long = json.dumps({"type": "heartbeat", "session": "x" * HEADER_LIMIT_BYTES}).encode()
    for code, raw in {
        "bad_json": b"this is no JSON",
        "unknown_type": b'{"type":"nonsense"}',
        "bad_header": b'{"type":"done","session":"s"}',
        "too_large": long,
    }.items():
        yield _error(first, code, f"answers what it cannot read with error `{code}`", raw)


def _strangers(subject: Subject) -> Iterator[Finding]:
    """Say heartbeats and good-bye in the name of a session that never said hello."""
    first = subject.first
    beat = Heartbeat(session=STRANGER).encode()
    check = "answers a heartbeat of another session with error `no_hello`"
    yield _error(first, "no_hello", check, beat)
    first.say(Bye(session=STRANGER))
    first.listen(ERROR_S / 2)
    since = len(first.heard.errors)
    first.say(Heartbeat(session=first.session))
    lost = first.listen(ERROR_S, lambda: first.heard.error("no_hello", since))
    check = "a bye of another session ends nobody's lease"
    yield judged(check, not lost, "heartbeats accepted as before", "no_hello")
    if lost:
        first.hello(ERROR_S)


def _error(first: Conversation, code: str, check: str, raw: bytes) -> Finding:
    """Send a message that must be answered with this error."""
    since = len(first.heard.errors)
    first.say_raw(raw)
    came = first.listen(ERROR_S, lambda: first.heard.error(code, since))
    got = [f"{one.code}: {one.message}" for one in first.heard.errors[since:]]
    return judged(check, came, code, "; ".join(got[:1]) or "nothing")
