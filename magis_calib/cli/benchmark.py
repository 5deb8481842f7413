"""`magis-calib benchmark`: the estimator against pictures whose answer is known, and against the
clock.

Sections: `timing` (pixels to station estimate), `plain` (beside a plain lmfit fit), `grid` (errors
against the Cramér-Rao bound, and pulls), `long` (coverage for a fringe hardly narrower than the
cloud), `hostile` (nothing usable may be wrong), `good` (how many good pictures are refused),
`recording` (what packing images costs).
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from magis_calib.benchmark.clocked import SETUPS
from magis_calib.benchmark.deviation import deviations
from magis_calib.benchmark.good import good_task, try_good
from magis_calib.benchmark.grid import fitted, good_picture, missing_from, try_grid
from magis_calib.benchmark.hostile import try_hostile, undergo
from magis_calib.benchmark.hostile_picture import hostile_picture
from magis_calib.benchmark.long_period import try_long_period
from magis_calib.benchmark.packing import try_packing
from magis_calib.benchmark.picture import PARAMETERS, Truth
from magis_calib.benchmark.plain import try_plain
from magis_calib.benchmark.scenes import GRID, LONG
from magis_calib.benchmark.statistic import BenchmarkVerdict
from magis_calib.benchmark.timing import repeats_of, try_timing
from magis_calib.benchmark.workers import Tick
from magis_calib.cli.benchmark_tables import tables_of
from magis_calib.config.recording import COMPRESSIONS
from magis_calib.domain.camera import CameraFacts, Counts
from magis_calib.domain.estimate import ViewEstimate
from magis_calib.domain.serial import plain
from magis_calib.estimation.view import estimate_image
from magis_calib.host.command_line import Parser, UsageError, whole
from magis_calib.imaging.electrons import from_counts


def show_hostile(seed: int, index: int, save: Path | None) -> int:
    """Print one hostile picture; return 1 where something usable is wrong."""
    picture = hostile_picture(seed, index)
    ordeal = undergo((seed, index))
    estimate = estimate_image(from_counts(picture.counts, picture.facts), picture.camera)
    print(f"hostile picture {index}: {', '.join(ordeal.ingredients) or 'nothing special'}")
    print(f"camera {picture.camera}")
    _show(
        estimate, picture.truth, picture.facts, [offence.in_words() for offence in ordeal.offences]
    )
    print(f"easy to find: {', '.join(ordeal.easy) or 'nothing'}")
    _save(picture.counts, save)
    return int(bool(ordeal.offences))


def show_good(seed: int, index: int, save: Path | None) -> int:
    """Print one good picture; return 1 where it is refused."""
    task = good_task(seed, index)
    counts, truth, facts = good_picture(task)
    estimate = fitted(counts, truth, facts)
    missing = missing_from(estimate)
    print(f"good picture {index}: {task.cell.in_words()}")
    _show(estimate, truth, facts, [f"{name} is missing" for name in missing])
    _save(counts, save)
    return int(bool(missing))


def _show(estimate: ViewEstimate, truth: Truth, facts: CameraFacts, wrong: Sequence[str]) -> None:
    print(f"{facts}\nports at {truth.displacement_a_m} and {truth.displacement_b_m} m")
    _show_parameters(estimate, truth)
    print(
        f"model {estimate.model}, chi-square {estimate.chi2_per_dof:.3f}, {estimate.evaluations} "
        f"evaluations"
    )
    print(f"usable: {', '.join(estimate.usable_quantities) or 'nothing'}")
    for reason in estimate.reasons:
        print(f"because {reason}")
    for one_wrong in wrong:
        print(f"WRONG {one_wrong}")


def _save(counts: Counts, save: Path | None) -> None:
    if save is not None:
        np.save(save, counts)


NUMBERS = {
    "repeats": ("times that each pair is clocked", 30, 100),
    "views": ("views in each cell of grid and long", 4, 400),
    "hostile": ("hostile pictures", 150, 5000),
    "good": ("good pictures", 48, 5000),
}
"""What each number counts, its default, and its default with --full."""


SHOWN = {"hostile": show_hostile, "good": show_good}


class SectionResult(Protocol):
    """What each section gives back."""

    def verdicts(self) -> list[BenchmarkVerdict]: ...  # noqa: D102
    def document(self) -> dict[str, object]: ...  # noqa: D102


Section = tuple[int, Callable[[Tick], SectionResult]]
"""Number of items, and what works on them."""


def run(asked: argparse.Namespace) -> int:
    """Run the sections and print them; return 1 where a verdict fails."""
    if asked.only is not None:
        return SHOWN[asked.show](asked.seed, asked.only, asked.save)
    sections = _sections(asked)
    wanted = [*asked.sections, *asked.more]
    if unknown := sorted(set(wanted) - set(sections)):
        raise UsageError(
            f"wanted --sections out of {', '.join(sections)}, got {', '.join(unknown)}"
        )
    results = _run({name: sections[name] for name in wanted or sections})
    verdicts = [one for result in results.values() for one in result.verdicts()]
    failed = sum(not one.passed for one in verdicts)
    if asked.json:
        done = {name: _document(result) for name, result in results.items()}
        document = {"schema": 1, "seed": asked.seed, "passed": not failed, "sections": done}
        print(json.dumps(plain(document)))
    else:
        _print_tables(results)
        Console().print(f"{failed} verdicts failed" if failed else "every verdict passed")
    return int(bool(failed))


def _show_parameters(estimate: ViewEstimate, truth: Truth) -> None:
    found = deviations(estimate, truth)
    print(f"{'parameter':32}{'truth':>14}{'error':>14}{'stderr':>14}{'pull':>9}")
    for name in PARAMETERS:
        one = found.get(name)
        said = f"{one.error:14.6g}{one.stderr:14.6g}{one.pull:+9.2f}" if one else ""
        print(f"{name:32}{truth.value(name):14.6g}{said}")


def _print_tables(results: Mapping[str, SectionResult]) -> None:
    console = Console()
    for name, result in results.items():
        for part in tables_of(name, result):
            console.print(part, markup=False, highlight=False, soft_wrap=True)


def add_options(parser: Parser) -> None:
    """Add what to run, how large, and the look at a single picture."""
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help="run these only (default: all)"
    )
    parser.add_argument(
        "--sections",
        type=lambda text: text.split(","),
        default=[],
        metavar="NAME[,NAME]",
        dest="more",
        help="the same, as one word",
    )
    parser.add_argument(
        "--full", action="store_true", help="with as many pictures as the published figures"
    )
    parser.add_argument(
        "--seed",
        type=whole(0),
        default=1,
        metavar="N",
        help="key of every picture (default %(default)s)",
    )
    parser.add_argument(
        "--processes",
        type=whole(1),
        default=os.cpu_count() or 1,
        metavar="N",
        help="fit in N processes (default: all processors); timing and plain run alone",
    )
    _add_numbers(parser)
    _add_single_picture(parser)
    parser.add_argument(
        "--json", action="store_true", help="print one JSON document instead of tables"
    )


def _add_numbers(parser: Parser) -> None:
    for name, (what, small, full) in NUMBERS.items():
        parser.add_argument(
            f"--{name}",
            type=whole(1),
            metavar="N",
            help=f"{what} (default {small}, with --full {full})",
        )


def _add_single_picture(parser: Parser) -> None:
    parser.add_argument(
        "--only",
        type=whole(0),
        metavar="INDEX",
        help="show one picture of this --seed in detail",
    )
    parser.add_argument(
        "--show",
        choices=SHOWN,
        default="hostile",
        help="with --only: of which section (default hostile)",
    )
    parser.add_argument(
        "--save", type=Path, metavar="FILE", help="with --only: write its counts as .npy"
    )


def _sections(arguments: argparse.Namespace) -> dict[str, Section]:
    chosen = {
        name: getattr(arguments, name) or (full if arguments.full else small)
        for name, (_, small, full) in NUMBERS.items()
    }
    seed = arguments.seed
    processes = arguments.processes
    views = chosen["views"]
    passes = sum(repeats_of(setup, chosen["repeats"]) for setup in SETUPS)
    return {
        "timing": (passes, lambda tick: try_timing(seed, chosen["repeats"], tick)),
        "recording": (10 * len(COMPRESSIONS), lambda tick: try_packing(seed, 10, tick)),
        "plain": (1, lambda tick: try_plain(seed, tick)),
        "grid": (views * len(GRID), lambda tick: try_grid(seed, views, processes, tick)),
        "long": (views * len(LONG), lambda tick: try_long_period(seed, views, processes, tick)),
        "hostile": (
            chosen["hostile"],
            lambda tick: try_hostile(seed, chosen["hostile"], processes, tick),
        ),
        "good": (chosen["good"], lambda tick: try_good(seed, chosen["good"], processes, tick)),
    }


def _run(sections: Mapping[str, Section]) -> dict[str, SectionResult]:
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    results = {}
    with bars:
        for name, (items, work) in sections.items():
            bar = bars.add_task(name, total=items)
            results[name] = work(partial(bars.advance, bar))
    return results


def _document(result: SectionResult) -> dict[str, object]:
    return {**result.document(), "verdicts": [verdict.document() for verdict in result.verdicts()]}
