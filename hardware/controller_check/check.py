"""The whole check of one controller, stage by stage."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace

from hardware.controller_check.conversation import Address, Conversation
from hardware.controller_check.description import description
from hardware.controller_check.drops import drops
from hardware.controller_check.lease import lease
from hardware.controller_check.moves import moves
from hardware.controller_check.opening import heartbeats, opening
from hardware.controller_check.refusals import checks, refusals
from hardware.controller_check.restart import restart
from hardware.controller_check.subject import Subject
from hardware.finding import Finding, judged

STAGES = (checks, refusals, drops, moves, lease)
"""Of a controller that has described itself, in their order."""


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """How long is waited, and what may be done."""

    patience_s: float = 60.0
    """Longest wait for the welcome, and for each drop."""
    move: bool = False
    """Whether parameters may be moved, a little and back."""
    restart_s: float | None = None
    """How long a restart is waited for; None: not at all."""


def check_controller(to: Address, plan: CheckPlan, tell: Callable[[str], None]) -> list[Finding]:
    """Return the checklist of a controller; `tell` takes lines about how it goes.

    Raises `ConfigError` without a key, or where somebody else has the lease.
    """
    with ExitStack() as stack:
        first = stack.enter_context(closing(Conversation(to)))
        subject = Subject(to, first, plan.patience_s, plan.move, tell)
        found = list(opening(subject))
        if first.welcome is None:
            return found
        first.company = [stack.enter_context(closing(one)) for one in _company(to)]
        found += heartbeats(subject)
        found += description(subject)
        for stage in STAGES if subject.parameters and subject.readback else ():
            found += stage(subject)
        found += restart(subject, plan.restart_s)
        return [*found, *_of_messages(first)]


def _company(to: Address) -> Iterator[Conversation]:
    """Connect to the other controllers: drops may wait until an application has them all."""
    for name in to.station.controllers.keys() - {to.name}:
        yield Conversation(replace(to, name=name))


def _of_messages(first: Conversation) -> Iterator[Finding]:
    """Judge all that was said by its form."""
    bad = first.heard.unreadable
    more = f" ({len(bad)} times)" if len(bad) > 1 else ""
    yield judged("messages are well-formed", not bad, "", f"{bad[0]}{more}" if bad else "")
    missing = [first.asked[one] for one in first.unanswered]
    late = [one for one in first.unanswered if one in first.heard.answers]
    twice = [one for one, answers in first.heard.answers.items() if len(answers) > 1]
    strange = sorted(first.heard.answers.keys() - first.asked.keys())
    words = [
        *([f"none to {missing[0]}, of {len(missing)} requests"] if missing else []),
        *([f"{len(late)} that came too late"] if late else []),
        *([f"{len(twice)} that came twice"] if twice else []),
        *([f"one to {strange[0]!r}, which was never asked"] if strange else []),
    ]
    deadline_s = first.to.station.links.reply_timeout_s
    check = "answers each request once, in time"
    yield judged(check, not words, f"one answer within {deadline_s:g} s", "; ".join(words))
