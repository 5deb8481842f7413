"""What a controller announces, and what it is told when a drop is over."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from hardware.controller_check.conversation import in_words, was_refused
from hardware.controller_check.subject import Subject
from hardware.finding import Finding, judged, not_seen
from magis_calib.link.control_messages import Done

DROPS = 3
"""So many are looked at."""
CLOCK_S = 3600.0
"""A planned time further than this from now was not taken from a clock that shows UTC."""


def drops(subject: Subject) -> Iterator[Finding]:
    """Look at what is announced, and ask for a sequence."""
    name, station = subject.to.name, subject.to.station
    if station.announcer == name:
        subject.tell(f"waiting for {DROPS} drops, each at most {subject.patience_s:g} s")
        hear_drops(subject)
        yield from _announcements(subject)
    elif subject.first.heard.drops:
        got = f"drop {subject.first.heard.drops[-1][0].drop_id}"
        yield judged("announces no drops", False, f"those of {station.announcer} alone", got)
    yield from _sequence(subject)


def hear_drops(subject: Subject) -> None:
    """Say of each drop that it is done; wait for the next ones."""
    first = subject.first
    heard = first.heard.drops
    for _ in range(DROPS):
        before = len(heard)
        if heard:
            first.say(Done(session=first.session, drop_id=heard[-1][0].drop_id))
        if not first.listen(subject.patience_s, lambda: len(heard) > before):  # noqa: B023
            return


def _announcements(subject: Subject) -> Iterator[Finding]:
    heard = subject.first.heard.drops
    check = "announces drops"
    if not heard:
        why = f"none within {subject.patience_s:g} s: does it wait for cameras, or for an interval?"
        yield not_seen(check, why)
    else:
        yield judged(check, True, "", "")
    yield rises(subject, "drop_id rises")
    off_s = [abs(drop.planned_time_ns - came_ns) / 1e9 for drop, came_ns in heard]
    got = f"{max(off_s, default=0.0):.3g} s away from this machine's clock"
    check = "planned time is UTC"
    if not heard:
        yield not_seen(check)
    else:
        yield judged(check, max(off_s) < CLOCK_S, "nanoseconds since 1970", got)


def rises(subject: Subject, check: str) -> Finding:
    """Judge the numbers of all drops that were heard."""
    numbers = [drop.drop_id for drop, _ in subject.first.heard.drops]
    back = [(one, after) for one, after in itertools.pairwise(numbers) if after <= one]
    if len(numbers) < 2:
        return not_seen(check)
    got = f"{back[0][1]} after {back[0][0]}" if back else ""
    return judged(check, not back, "each number once, the next one larger", got)


def _sequence(subject: Subject) -> Iterator[Finding]:
    """Ask for what is made anyhow; nothing is changed by it."""
    answer = subject.first.ask("sequence", sequence_type="interferometer")
    told = answer is not None and answer.ok and answer.effective_drop is not None
    good = told or was_refused(answer, "bad_request")
    got = in_words(answer)
    got = "ok without `effective_drop`" if got == "accepted" else got
    check = "answers a sequence with its first drop, or with `bad_request`"
    yield judged(check, good, "`effective_drop`, or bad_request", got)
