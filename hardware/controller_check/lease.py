"""One application at a time may write: what a second one is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing

from hardware.controller_check.conversation import Conversation, in_words, was_refused
from hardware.controller_check.moves import NOT_TRIED
from hardware.controller_check.refusals import STRANGER
from hardware.controller_check.subject import Subject
from hardware.finding import Finding, judged, not_seen
from magis_calib.link.camera_messages import Heartbeat
from magis_calib.link.control_messages import ControllerHello

WAIT_S = 2.0
REFUSES = "refuses the committed write of somebody else with `leased`"
OTHER = "refuses a committed write in the name of another session"
MAY = "does the committed write of who has the lease now"


def lease(subject: Subject) -> Iterator[Finding]:
    """Have a second application come along, which gets the lease after a bye."""
    subject.tell("a second application, and who has the lease")
    with closing(Conversation(subject.to)) as second:
        for check, code, hello in (
            ("refuses a version that it does not speak", "unsupported_version", {"protocols": [2]}),
            ("refuses an application of another station", "unknown_station", {"station": "x"}),
            ("tells a second application that it is leased", "leased", {}),
        ):
            if code == "leased":
                yield _asked_for_hello(subject, second)
                yield _reads(second)
            yield _hello_refused(subject, second, check, code, **hello)
        yield _write(subject, second, REFUSES, ("leased", "bad_request"))
        yield _of_another_session(subject)
        yield from _handed_over(subject, second)


def _hello_refused(
    subject: Subject, second: Conversation, check: str, code: str, **told: object
) -> Finding:
    """Say a hello that must be answered with this error."""
    usual = {"protocols": [1], "station": subject.to.station_name, "session": second.session}
    hello = ControllerHello(**(usual | told))  # type: ignore[arg-type]
    return _error(subject, second, code, check, lambda: second.say(hello))


def _asked_for_hello(subject: Subject, second: Conversation) -> Finding:
    check = "answers a heartbeat of who said no hello with error `no_hello`"
    beat = Heartbeat(session=second.session)
    return _error(subject, second, "no_hello", check, lambda: second.say(beat))


def _reads(second: Conversation) -> Finding:
    answer = second.ask("read")
    check = "tells others, too, where it stands"
    return judged(check, answer is not None and answer.ok, "ok", in_words(answer))


def _error(
    subject: Subject, second: Conversation, code: str, check: str, act: Callable[[], None]
) -> Finding:
    """Do what must be answered with this error; the first application stays alive meanwhile."""
    subject.first.listen(0.1)
    heard = second.heard
    since = len(heard.errors)
    act()
    came = second.listen(WAIT_S, lambda: heard.error(code, since) or bool(heard.welcomes))
    said = [f"{one.code}: {one.message}" for one in heard.errors[since:]]
    got = "a welcome" if heard.welcomes else "; ".join(said) or "nothing"
    return judged(check, came and heard.error(code, since), code, got)


def _handed_over(subject: Subject, second: Conversation) -> Iterator[Finding]:
    """Give the lease to the second application, and take it back."""
    first = subject.first
    first.bye()
    second.listen(0.1)  # the two come by ways of their own
    welcome = second.hello(WAIT_S)
    check = "welcomes the next one after `bye`"
    yield judged(check, welcome, "a welcome", _last(second))
    yield _write(subject, second, MAY, ())
    second.listen(0.1)
    errors = len(second.heard.errors)
    taken = first.hello(WAIT_S, take_over=True if welcome else None)
    check = "the lease goes over to who insists (`take_over`)"
    yield judged(check, taken, "a welcome", _last(first))
    told = second.listen(WAIT_S, lambda: second.heard.error("leased", errors))
    check = "tells who lost the lease, with error `leased`"
    yield judged(check, told, "leased", "nothing")


def _write(subject: Subject, second: Conversation, check: str, codes: tuple[str, ...]) -> Finding:
    """Have the second application write where everything stands; refused with one of these."""
    if not subject.move:
        return not_seen(check, NOT_TRIED)
    answer = subject.write(subject.known, commit=True, by=second)
    good = was_refused(answer, *codes) if codes else answer is not None and answer.ok
    return judged(check, good, " or ".join(codes) or "ok", in_words(answer))


def _of_another_session(subject: Subject) -> Finding:
    """Have the holder write where everything stands, under a name that never said hello."""
    if not subject.move:
        return not_seen(OTHER, NOT_TRIED)
    told = {"setpoints": subject.known, "commit": True, "session": STRANGER}
    answer = subject.first.ask("write", **told)
    good = was_refused(answer, "leased", "bad_request")
    return judged(OTHER, good, "leased or bad_request", in_words(answer))


def _last(who: Conversation) -> str:
    said = [f"{one.code}: {one.message}" for one in who.heard.errors[-1:]]
    return "; ".join(said) or "nothing"
