"""Feed every decoder with rubbish made of good samples; each piece must be read, or rejected with
its typed error:

    python -m tests.benchmarks.fuzz [--messages 1000000] [--configurations 100000] [--products
    100000]
                                    [--sessions 3000 --session FOLDER] [--seed 1]

Prints counts by error, pieces a second and the memory at each tenth; exit 1 where anything crashed,
hung, raised another error, or memory grew.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from tests.benchmarks.fuzz.decoders import Decoder, configurations, products, scratch, wire
from tests.benchmarks.fuzz.feeding import FINDINGS_SHOWN, Fed, feed
from tests.benchmarks.fuzz.sessions import feed_sessions
from tests.benchmarks.large_session import resident_bytes

TENTHS = 10
GROWTH_BYTES = 30_000_000
"""From the third tenth on; a garbage collector is not asked to be tidy to the byte."""


def main() -> int:
    """Feed and print; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, usual in (
        ("messages", 1_000_000),
        ("configurations", 100_000),
        ("products", 100_000),
        ("sessions", 3000),
    ):
        parser.add_argument(f"--{name}", type=int, default=usual)
    parser.add_argument(
        "--session", type=Path, help="a recorded session that the damaged ones are made of"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with scratch() as folder:
        good = [
            _feed("messages", wire(), options.messages, options.seed),
            _feed(
                "configurations", configurations(Path(folder)), options.configurations, options.seed
            ),
            _feed("products", products(Path(folder)), options.products, options.seed),
        ]
        if options.session is not None:
            good.append(
                feed_sessions(options.session, Path(folder), options.sessions, options.seed)
            )
    return int(not all(good))


def _feed(what: str, decoders: Sequence[Decoder], count: int, seed: int) -> bool:
    fed, memory, began_s = Fed(), [], time.monotonic()
    for tenth in range(TENTHS):
        feed(decoders, count // TENTHS, seed * 1000 + tenth, fed)
        memory.append(resident_bytes(os.getpid()))
    pace = fed.count / (time.monotonic() - began_s)
    grown = memory[-1] - memory[2]
    print(
        f"{fed.count} {what}: {fed.read} read, rejected {dict(fed.rejected.most_common())}, "
        f"{len(fed.findings)} findings, longest {fed.longest_s:.3f} s, {pace:.0f} a second, "
        f"MB {' '.join(f'{one / 1e6:.0f}' for one in memory)}",
        flush=True,
    )
    for finding in fed.findings[:FINDINGS_SHOWN]:
        print(f"  {finding}")
    return not fed.findings and grown < GROWTH_BYTES


if __name__ == "__main__":
    sys.exit(main())
