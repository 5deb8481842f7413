"""One line of a checklist, and the words of a whole one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

MARKS = {True: "ok  ", False: "FAIL", None: "--  "}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of a checklist. `passed` is None where nothing was seen to judge by.

    `wanted` and `got` are filled in where it is not passed; `got` says why nothing was seen.
    """

    check: str
    passed: bool | None
    wanted: str = ""
    got: str = ""

    def __str__(self) -> str:
        """Write it as a line of the table."""
        return f"{MARKS[self.passed]}  {self.check}{self._why()}"

    def _why(self) -> str:
        if self.passed is None:
            return f" ({self.got or 'nothing seen to judge by'})"
        wanted = f"wanted {self.wanted}, got " if self.wanted else ""
        return "" if self.passed else f": {wanted}{self.got}"


Checklists = Mapping[str, Sequence[Finding]]
"""What was found, by the name of who was looked at."""


def judged(check: str, good: bool, wanted: str, got: str) -> Finding:
    """Return the line of a check that could be made."""
    return Finding(check, True) if good else Finding(check, False, wanted, got)


def not_seen(check: str, why: str = "") -> Finding:
    """Return the line of a check that could not be made."""
    return Finding(check, None, got=why)


def problems(found: Checklists) -> int:
    """Return how many checks have failed."""
    return sum(one.passed is False for findings in found.values() for one in findings)


def table(found: Checklists) -> Iterator[str]:
    """Yield the lines of all checklists, and what they come to."""
    for name, findings in found.items():
        yield name
        yield from (f"  {one}" for one in findings)
    yield f"{problems(found)} problems" if problems(found) else "all good"
