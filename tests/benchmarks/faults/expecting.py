"""How to say what is expected of the application, and how to see that in what is left of a run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.benchmarks.faults.running import FIRST, LAST, Seen

Judge = Callable[[Seen], str]
"""Says what was otherwise; empty where all was as expected."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault."""

    name: str
    expected: str
    faults: str
    judge: Judge
    last: int = LAST
    operator: bool = False
    """The way out of it is that the operator closes the loop again."""
    for_good: bool = False
    """There is no way out but to stop the run and begin another one."""
    disk: str = ""
    """What the disk that is recorded on is like in those drops (bad_disk.c)."""


def fault(kind: str, *, first: int = FIRST, last: int | None = LAST, **fields: object) -> str:
    """Return the table of one fault."""
    until = {} if last is None else {"until_drop": last}
    told = {
        name: f'"{value}"' if isinstance(value, str) else value for name, value in fields.items()
    }
    lines = [f"{name} = {value}" for name, value in {"from_drop": first, **until, **told}.items()]
    return "\n".join(["[[fault]]", f'kind = "{kind}"', *lines, ""])


def all_as(outcome: str, *words: str) -> Judge:
    """Every drop with the fault ends so, with these words among its reasons."""
    return some_as(outcome, *words, least=None)


def some_as(outcome: str, *words: str, least: int | None = 1) -> Judge:
    """At least so many (None: all) drops with the fault end so, with these words among their
    reasons.
    """

    def judge(seen: Seen) -> str:
        ended = [
            (one.decision.outcome, f"{one.decision.reason}; {'; '.join(one.estimate.reasons)}")
            for one in seen.during()
        ]
        right = [
            one for one in ended if one[0] == outcome and all(word in one[1] for word in words)
        ]
        wanted = len(ended) if least is None else least
        return (
            ""
            if len(right) >= wanted
            else f"wanted {wanted} {outcome} with {words}, got {len(right)} of {ended[:3]}"
        )

    return judge


def alarm(*words: str) -> Judge:
    """An alarm says so."""

    def judge(seen: Seen) -> str:
        missing = [word for word in words if word not in seen.alarms]
        return f"no alarm with {missing}: {seen.alarms[:300]}" if missing else ""

    return judge


def never_applied_while(seen: Seen) -> str:
    """Nothing is applied once the loop is held."""
    held = [one.drop_id for one in seen.during() if one.decision.outcome == "held"]
    after = [
        one.drop_id
        for one in seen.during()
        if held and one.drop_id > held[0] and one.decision.outcome == "applied"
    ]
    return f"applied in {after} after it was held" if after else "" if held else "never held"


def both(*judges: Judge) -> Judge:
    """All of these."""
    return lambda seen: "; ".join(filter(None, (one(seen) for one in judges)))
