"""Feeds one decoder, counts what it says, and finds what it should not do."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.benchmarks.fuzz.decoders import Decoder

LONGEST_S = 2.0
FINDINGS_SHOWN = 5


@dataclass
class Fed:
    """What came of it."""

    read: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    longest_s: float = 0.0

    @property
    def count(self) -> int:
        """How many were fed."""
        return self.read + sum(self.rejected.values()) + len(self.findings)


def feed(decoders: Sequence[Decoder], count: int, seed: int, fed: Fed) -> None:
    """Feed so many pieces of rubbish, all of them following from the seed."""
    rng = random.Random(seed)
    for number in range(count):
        decoder = decoders[number % len(decoders)]
        raw = rng.choice(decoder.ways)(rng.choice(decoder.samples), rng)
        began_s = time.perf_counter()
        try:
            decoder.read(raw)
        except decoder.rejects_with as error:
            fed.rejected[getattr(error, "code", None) or type(error).__name__] += 1
        except Exception as error:  # whatever it is: it is what is looked for
            fed.findings.append(
                f"{decoder.name}, seed {seed}, piece {number}: {type(error).__name__}: {error}; of "
                f"{raw[:300]!r}"
            )
        else:
            fed.read += 1
        took_s = time.perf_counter() - began_s
        fed.longest_s = max(fed.longest_s, took_s)
        if took_s > LONGEST_S:
            fed.findings.append(f"{decoder.name}, seed {seed}, piece {number}: took {took_s:.1f} s")
