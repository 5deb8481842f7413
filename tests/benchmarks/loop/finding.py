"""One number that was measured, beside what is wanted of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """`most`: the largest value that is good, None where it is told for comparison only."""

    words: str
    value: float
    most: float | None

    @property
    def good(self) -> bool:
        """Whether the value is as wanted."""
        return self.most is None or self.value <= self.most

    def line(self) -> str:
        """Write it as a line."""
        wanted = "for comparison" if self.most is None else f"wanted at most {self.most:g}"
        return f"{'ok  ' if self.good else 'MISS'} {self.words}: {self.value:.4g} ({wanted})"


def told(name: str, findings: Iterable[Finding]) -> int:
    """Print what was found, and return how many miss what is wanted."""
    print(f"{name}:")
    missed = 0
    for one in findings:
        print(f"  {one.line()}", flush=True)
        missed += not one.good
    return missed
