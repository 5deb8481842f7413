"""What a controller does after somebody has started it again."""

from __future__ import annotations

from collections.abc import Iterator

from hardware.controller_check.conversation import in_words
from hardware.controller_check.drops import hear_drops, rises
from hardware.controller_check.subject import Subject
from hardware.finding import Finding, judged, not_seen


def restart(subject: Subject, longest_s: float | None) -> Iterator[Finding]:
    """Wait until somebody starts the controller again, where that was asked for."""
    check = "welcomes again after it was started again, under a new session"
    if longest_s is None:
        yield not_seen(check, "not tried: --wait-restart S waits for you to start it again")
        return
    first = subject.first
    before = first.welcome.session if first.welcome is not None else ""
    errors = len(first.heard.errors)
    subject.tell(f"waiting {longest_s:g} s for a restart: start it again now")
    if not first.listen(longest_s, lambda: _gone(subject, before, errors)):
        yield not_seen(check, f"no restart within {longest_s:g} s")
        return
    first.forget()
    first.hello(longest_s)
    welcome = first.welcome
    got = "no welcome" if welcome is None else f"session {welcome.session!r} as before"
    good = welcome is not None and welcome.session != before
    yield judged(check, good, "a welcome with another session", got)
    yield from _same_again(subject)


def _gone(subject: Subject, session: str, errors: int) -> bool:
    """Say whether it forgot us, speaks under another name, or is silent for too long."""
    heard = subject.first.heard
    other = bool(heard.beats) and heard.beats[-1][1] != session
    silent = subject.first.silent_s > subject.to.station.links.silent_after_s
    return other or silent or heard.error("no_hello", errors)


def _same_again(subject: Subject) -> Iterator[Finding]:
    """Compare what it describes after the restart with before, and the numbers of drops."""
    answer = subject.first.ask("describe")
    told = None if answer is None else answer.parameters
    check = "describes the same parameters after a restart"
    yield judged(check, told == subject.parameters, "the same", in_words(answer))
    if subject.to.station.announcer == subject.to.name:
        hear_drops(subject)
        yield rises(subject, "drop_id rises through a restart")
