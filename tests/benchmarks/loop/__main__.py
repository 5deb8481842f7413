"""How good and how guarded the loop is, measured through the whole program on the simulated
station.

    python -m tests.benchmarks.loop --folder NEW [near-optimal alone steps actuators holds faults
    healthy decisions]

Each part that is named (all, where none is) prints what it found beside what is wanted; exit 1
where one misses it. Two runs go beside each other. With smaller `--drops`, `--seeds` and
`--decisions` it is a quick look.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tests.benchmarks.loop import guarded, near_optimal
from tests.benchmarks.loop.decisions import measure_decisions, measure_healthy
from tests.benchmarks.loop.finding import Finding, told
from tests.benchmarks.loop.station_runs import Case, Outcome, run_all

Judge = Callable[[Sequence[Outcome]], Iterable[Finding]]


def main() -> int:
    """Measure and print; return the exit code."""
    options = _options()
    parts: dict[str, tuple[list[Case], Judge]] = {
        "near-optimal": (near_optimal.cases(options.drops, options.seeds), near_optimal.judge),
        "alone": (near_optimal.alone_cases(), near_optimal.judge_alone),
        "steps": (near_optimal.step_cases(), near_optimal.judge_steps),
        "actuators": (guarded.actuator_cases(), guarded.judge_actuators),
        "holds": (guarded.hold_cases(), guarded.judge_holds),
        "faults": (guarded.fault_cases(options.fault_drops), guarded.judge_faults),
    }
    wanted = options.parts or [*parts, "healthy", "decisions"]
    missed = 0
    for name in wanted:
        if name in parts:
            cases, judge = parts[name]
            cases = [case for case in cases if options.only in case.name]
            missed += told(name, judge(run_all(cases, options.folder / name)))
        elif name == "healthy":
            missed += told(name, measure_healthy(options.healthy_seeds))
        else:
            missed += told(name, measure_decisions(options.decisions))
    return 1 if missed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts", nargs="*", metavar="PART", help="what to measure; all, where none is named"
    )
    parser.add_argument(
        "--folder", type=Path, required=True, help="new folder for sessions and truth"
    )
    parser.add_argument(
        "--only", default="", metavar="TEXT", help="only runs whose name holds this text"
    )
    parser.add_argument(
        "--drops", type=int, default=1000, help="of each near-optimal run (default %(default)s)"
    )
    parser.add_argument(
        "--seeds", type=int, default=5, help="near-optimal runs as shipped (default %(default)s)"
    )
    parser.add_argument(
        "--fault-drops", type=int, default=5000, help="with random faults (default %(default)s)"
    )
    parser.add_argument(
        "--healthy-seeds", type=int, default=20, help="of 1000 drops (default %(default)s)"
    )
    parser.add_argument(
        "--decisions", type=int, default=1_000_000, help="random ones (default %(default)s)"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
