"""Committed writes: the smallest that can be told, and back, whatever happens."""

from __future__ import annotations

from collections.abc import Iterator

from hardware.controller_check.conversation import in_words, was_refused
from hardware.controller_check.subject import Subject
from hardware.finding import Finding, judged, not_seen
from magis_calib.link.control_messages import Answer

NOT_TRIED = (
    "not tried: --move lets it write each read-back + its tolerance + one resolution, and back"
)
AHEAD = 1000
"""An `effective_drop` further ahead than this is not believed (docs/protocol.md)."""
LAST_TRIES = 3
ACCEPTS, REACHES = "does a committed write", "reads back what it was sent, once it has settled"
WAITS, TELLS = "shows it in the answer itself", "effective_drop is above the newest drop"
WHOLE, EXPIRES = "a write is all or nothing", "nothing is done after `expires_time_ns`"
RETURNS = "stands where it stood before"


def moves(subject: Subject) -> Iterator[Finding]:
    """Move each parameter a little and back, where that is allowed."""
    if not subject.move:
        for check in (ACCEPTS, REACHES, TELLS, WHOLE, EXPIRES):
            yield not_seen(check, NOT_TRIED)
        return
    start = dict(subject.known)
    found: list[Finding] = []
    try:
        found += _each(subject)
        found += [_whole(subject), _expired(subject)]
    finally:
        found.append(_back(subject, start))
    yield from found


def _each(subject: Subject) -> list[Finding]:
    """Move one after the other; judge all together."""
    wrong: dict[str, list[str]] = {ACCEPTS: [], REACHES: [], WAITS: [], TELLS: []}
    answers: list[Answer] = []
    for name, target in subject.steps().items():
        subject.tell(f"write {name} = {subject.with_unit(name, target)}, and back")
        for value in (target, subject.known[name]):
            newest = _newest_drop(subject)
            answer = subject.write({name: value}, commit=True)
            if answer is None or not answer.ok:
                wrong[ACCEPTS].append(f"{name}: {in_words(answer)}")
                continue
            answers.append(answer)
            wrong[TELLS] += _odd_drop(answer, newest)
            _reached(subject, name, value, answer, wrong)
    return [*_of_writes(subject, wrong), _of_drops(answers, wrong[TELLS])]


def _reached(
    subject: Subject, name: str, value: float, answer: Answer, wrong: dict[str, list[str]]
) -> None:
    """Take note where it does not read what was sent: at once, and after it has settled."""
    wanted = {name: value}
    if words := subject.off(answer.readback or {}, wanted):
        wrong[WAITS].append(words)
        subject.first.listen(subject.settling_s(name))
    if words := subject.off(subject.read(), wanted):
        wrong[REACHES].append(words)


def _of_writes(subject: Subject, wrong: dict[str, list[str]]) -> Iterator[Finding]:
    if not subject.steps():
        yield not_seen(ACCEPTS, "no parameter can be moved by its tolerance + one resolution")
        return
    yield judged(ACCEPTS, not wrong[ACCEPTS], "ok", "; ".join(wrong[ACCEPTS]))
    yield judged(REACHES, not wrong[REACHES], "within tolerance", "; ".join(wrong[REACHES]))
    if wrong[WAITS] and not wrong[REACHES]:
        yield not_seen(WAITS, f"it answers before it has moved: {wrong[WAITS][0]}")


def _newest_drop(subject: Subject) -> int:
    return max((drop.drop_id for drop, _ in subject.first.heard.drops), default=0)


def _odd_drop(answer: Answer, newest: int) -> list[str]:
    """Say what is wrong with the drop that a write takes effect from; it may be left out."""
    told = answer.effective_drop or 0
    good = told == 0 or newest < told <= newest + AHEAD or newest == 0
    return [] if good else [f"{told}, the newest was {newest}"]


def _of_drops(answers: list[Answer], wrong: list[str]) -> Finding:
    if wrong:
        return judged(TELLS, False, "a drop that is still to come", "; ".join(wrong[:3]))
    if not any(answer.effective_drop for answer in answers):
        why = "left out: a write counts from the first drop announced after the answer"
        return not_seen(TELLS, why)
    return judged(TELLS, True, "", "")


def _whole(subject: Subject) -> Finding:
    """Write one setpoint that is allowed together with one that is not."""
    steps = subject.steps()
    if len(subject.parameters) < 2 or not steps:
        return not_seen(WHOLE, "fewer than two parameters")
    good = next(iter(steps))
    bad = next(name for name in subject.parameters if name != good)
    beyond = subject.parameters[bad].maximum + subject.parameters[bad].step_limit
    answer = subject.write({good: steps[good], bad: beyond}, commit=True)
    return _unmoved(subject, WHOLE, answer, "limit", "step")


def _expired(subject: Subject) -> Finding:
    """Commit a write whose time is over."""
    steps = subject.steps()
    if not steps:
        return not_seen(EXPIRES)
    told = {"setpoints": steps, "commit": True, "expires_time_ns": 1_000_000_000}
    return _unmoved(subject, EXPIRES, subject.first.ask("write", **told), "stale")


def _unmoved(subject: Subject, check: str, answer: Answer | None, *codes: str) -> Finding:
    """Judge a committed write that must not have been done."""
    subject.first.listen(subject.settling_s())
    moved = subject.off(subject.read(), subject.known)
    got = f"{in_words(answer)}{'; then ' if moved else ''}{moved}"
    return judged(check, was_refused(answer, *codes) and not moved, f"{codes[0]}, unmoved", got)


def _back(subject: Subject, start: dict[str, float]) -> Finding:
    """Bring everything back to where it was; try again."""
    words = subject.off(subject.read(), start)
    for _ in range(LAST_TRIES if words else 0):
        subject.tell(f"back to where it was: {words}")
        for name, value in start.items():
            if subject.off(subject.read(), {name: value}):
                subject.write({name: value}, commit=True)
        subject.first.listen(subject.settling_s())
        words = subject.off(subject.read(), start)
        if not words:
            break
    if words:
        subject.tell(f"NOT back to where it was: {words}")
    return judged(RETURNS, not words, "the read-back of the start", words)
