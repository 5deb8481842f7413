"""What one camera driver did while it was checked, and the verdicts that follow from it."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from hardware.finding import Finding
from magis_calib.domain.camera import Counts
from magis_calib.domain.errors import WireError
from magis_calib.link.camera_messages import FrameMessage, Hello

CODES = {
    "hello is the first word": ("no_hello",),
    "headers are well-formed": ("bad_json", "bad_header", "unknown_type", "too_large"),
    "protocol version": ("unsupported_version",),
    "station, camera and view": (
        "unknown_station",
        "unknown_camera",
        "wrong_view",
        "wrong_identity",
    ),
    "facts agree with the configuration": ("facts_disagree",),
    "frames have the announced shape": ("wrong_shape",),
    "frames have the announced depth": ("wrong_depth",),
    "payload has the right length": ("truncated",),
    "checksum is right": ("checksum",),
    "one drop, one picture": ("conflict",),
}
"""Each check that is failed by error codes, in the order of the list."""
OF_FRAMES = frozenset(list(CODES)[5:])
CLOCK_S = 3600.0
"""A trigger further than this from now was not taken from a clock that shows UTC."""


@dataclass(slots=True)
class Evidence:
    """Everything seen of one driver. Times are of the monotonic clock."""

    name: str
    hello: Hello | None = None
    frames: dict[int, FrameMessage] = field(default_factory=dict)
    """The first whole frame of each drop."""
    order: list[int] = field(default_factory=list)
    """Sequence numbers as they came first."""
    errors: dict[str, list[str]] = field(default_factory=dict)
    """What was wrong, by error code."""
    beats_s: list[float] = field(default_factory=list)
    welcomed_s: float | None = None
    restarted_s: float | None = None
    refused: int | None = None
    """Drop whose frame was called damaged, to see it again."""
    refused_again: bool = False
    stored: set[int] = field(default_factory=set)
    withheld: set[int] = field(default_factory=set)
    """Drops that were received but never called stored before the restart."""
    came_back: set[int] = field(default_factory=set)
    """Withheld drops that were sent again after the restart, unchanged."""
    not_forgotten: set[int] = field(default_factory=set)
    said_hello_again: bool = False
    odd_counts: str = ""
    clock_off_s: float = 0.0
    """Largest distance of a trigger from the moment its frame came."""

    def wrong(self, error: WireError) -> None:
        """Take note of a message that cannot be used."""
        self.errors.setdefault(error.code, []).append(str(error))

    def take(self, frame: FrameMessage, counts: Counts) -> None:
        """Take note of the first whole frame of a drop."""
        self.order.append(frame.sequence)
        self.clock_off_s = max(self.clock_off_s, abs(frame.trigger_time_ns - time.time_ns()) / 1e9)
        self._look_at(counts)

    def _look_at(self, counts: Counts) -> None:
        if self.hello is None or self.odd_counts:
            return
        facts = self.hello.facts
        top = int(counts.max(initial=0))
        if np.any(counts % facts.lsb_counts):
            self.odd_counts = f"counts that are no multiples of {facts.lsb_counts}"
        elif facts.bits + facts.lsb_counts.bit_length() - 1 < top.bit_length():
            self.odd_counts = f"a count of {top}"

    def findings(self, frames_wanted: int, silent_after_s: float) -> list[Finding]:
        """Return the checklist."""
        all_found = [
            *self._of_messages(),
            self._of_count(frames_wanted),
            self._of_counts(),
            self._of_sequence(),
            self._of_clock(),
            self._of_heartbeats(silent_after_s),
            *self._of_delivery(),
        ]
        return [one if one.passed is False else Finding(one.check, one.passed) for one in all_found]

    def _of_messages(self) -> Iterator[Finding]:
        yield Finding("says hello", self.hello is not None, "a hello that can be accepted", "none")
        for check, codes in CODES.items():
            found = [text for code in codes for text in self.errors.get(code, [])]
            seen = bool(self.frames) if check in OF_FRAMES else self.hello is not None
            if found:
                times = f" ({len(found)} times)" if len(found) > 1 else ""
                yield Finding(check, False, got=found[0] + times)
            else:
                yield Finding(check, True if seen else None)

    def _of_count(self, wanted: int) -> Finding:
        return Finding(
            "frames arrive",
            len(self.frames) >= wanted,
            f"{wanted} whole frames",
            str(len(self.frames)),
        )

    def _of_counts(self) -> Finding:
        wanted = "multiples of lsb_counts within bits"
        return Finding(
            "counts fit the facts",
            not self.odd_counts if self.frames else None,
            wanted,
            self.odd_counts,
        )

    def _of_sequence(self) -> Finding:
        pairs = [(a, b) for a, b in itertools.pairwise(self.order) if b != a + 1]
        got = f"{pairs[0][1]} after {pairs[0][0]}" if pairs else ""
        return Finding(
            "sequence rises by 1",
            not pairs if len(self.order) > 1 else None,
            "each number once",
            got,
        )

    def _of_clock(self) -> Finding:
        got = f"{self.clock_off_s:.3g} s away from this machine's clock"
        good = self.clock_off_s < CLOCK_S if self.frames else None
        return Finding("trigger time is UTC", good, "nanoseconds since 1970", got)

    def _of_heartbeats(self, silent_after_s: float) -> Finding:
        check = "heartbeats"
        wanted = f"one at least every {silent_after_s:g} s, also while frames flow"
        if self.welcomed_s is None or self.restarted_s is None:
            return Finding(check, None)
        times = [
            self.welcomed_s,
            *(t for t in self.beats_s if t < self.restarted_s),
            self.restarted_s,
        ]
        longest = max(b - a for a, b in itertools.pairwise(times))
        good = len(times) > 2 and longest <= silent_after_s
        return Finding(check, good, wanted, f"{len(times) - 2} in {times[-1] - times[0]:.1f} s")

    def _of_delivery(self) -> Iterator[Finding]:
        check = "sends a damaged frame again"
        wanted = f"drop {self.refused} again after an error with retry"
        yield Finding(
            check, None if self.refused is None else self.refused_again, wanted, "nothing"
        )
        judged = self.restarted_s is not None and self.welcomed_s is not None
        yield Finding(
            "says hello again after the application was started again",
            self.said_hello_again if judged else None,
            "a hello",
            "none",
        )
        missing = sorted(self.withheld - self.came_back)
        yield Finding(
            "keeps what is not stored and sends it again",
            not missing if self.withheld else None,
            "the same header and pixels after the next welcome",
            f"not again: drops {missing}",
        )
        yield Finding(
            "forgets what is stored",
            not self.not_forgotten if self.stored else None,
            "not sent again",
            f"again: drops {sorted(self.not_forgotten)}",
        )
