"""How true procedures are, measured through the whole program on the simulated station.

    python -m tests.benchmarks.procedures --folder NEW [response poke healthy contrast beside]

Each part that is named (all, where none is) prints what it found beside what is wanted; exit 1
where one misses it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from magis_calib.config.loading import load_config, select_station
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES
from tests.benchmarks.loop.finding import Finding, told
from tests.benchmarks.loop.station_runs import Case, Outcome, run_all

DROPS = 400
"""More than any procedure here takes: it ends the run."""
BESIDE_DROPS = 1000
LOOP = select_station(load_config(None), None)[1].loop
FACTORS = {"wrong sign": -1.0, "dead": 0.0, "unit wrong by 1000": 1000.0}
ROW = (
    "{0}_m                = {{ target = 0.0,    reference = 0.0,    tolerance = 50e-6, gain = "
    '"auto", noise = 16.6e-6, '
)
SWAPPED = {
    f'{ROW.format("x")}actuator = "trap_x_m"': f'{ROW.format("x")}actuator = "trap_y_m"',
    f'{ROW.format("y")}actuator = "trap_y_m"': f'{ROW.format("y")}actuator = "trap_x_m"',
    "x_m                = { trap_x_m = 1.0 }": "x_m = { trap_y_m = 1.0 }",
    "y_m                = { trap_y_m = 1.0 }": "y_m = { trap_x_m = 1.0 }",
}
"""The configuration believes that each of the two traps moves what the other one does."""


def responses(seeds: int) -> list[Case]:
    """Return a run for each seed."""
    return [
        Case(f"response, seed {seed}", seed, DROPS, command=("response",))
        for seed in range(1, seeds + 1)
    ]


def judge_responses(outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    """Yield pulls against the true response, and how well the main gains are known."""
    pulls, shares = [], []
    for one in outcomes:
        names, numbers = one.plant["actuators"], one.products[0].numbers
        true = np.array(one.plant["response"])
        found, error = (
            np.array([[numbers[key][row][name] for name in names] for row in OBSERVABLES])
            for key in ("matrix", "stderr")
        )
        pulls.append((found - true) / error)
        shares.append(np.diag(error) / np.abs(np.diag(true)))
    away = np.abs(np.array(pulls))
    words = f"response, {len(outcomes)} seeds"
    yield Finding(f"{words}: most drops", max(len(one.truth) for one in outcomes), 120)
    yield Finding(
        f"{words}: share of elements beyond 3 standard errors", float(np.mean(away > 3)), 0.01
    )
    yield Finding(f"{words}: largest pull", float(away.max()), 5)
    yield Finding(f"{words}: pull s.d. minus 1, either way", abs(float(np.std(pulls)) - 1.0), 0.15)
    for shown, share in zip(OBSERVABLES.values(), np.max(shares, axis=0), strict=True):
        yield Finding(f"{words}: main gain of {shown.label} known to", float(share), 0.08)


def pokes(seeds: int) -> list[Case]:
    """Return a run for each seed and thing that is wrong, actuator by actuator in turn."""
    found = []
    for seed in range(1, seeds + 1):
        name = list(LOOP.actuators)[seed % len(LOOP.actuators)]
        for kind, factor in FACTORS.items():
            fault = f'[[fault]]\nkind = "actuator"\nname = "{name}"\nfactor = {factor}\n'
            found.append(
                Case(f"{kind}, seed {seed}, {name}", seed, DROPS, command=("poke",), faults=fault)
            )
        found.append(
            Case(f"swapped, seed {seed}, trap_x_m", seed, DROPS, command=("poke",), config=SWAPPED)
        )
    return found


def judge_pokes(outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    """Yield how many faults were missed or not named."""
    for kind in (*FACTORS, "swapped"):
        own = [one for one in outcomes if one.case.name.startswith(kind)]
        if not own:
            continue
        missed = [
            one.case.name
            for one in own
            if one.exit_code != 1
            or ACTUATORS[one.case.name.split(", ")[2]].label not in one.products[0].words
        ]
        yield Finding(
            f"poke, {kind}, {len(own)} runs: not found by name {missed[:3]}", len(missed), 0
        )
        yield Finding(f"poke, {kind}: most drops", _last_drop(own), 30)


def _last_drop(outcomes: Sequence[Outcome]) -> int:
    """Return the latest drop, counted from the start of its run, that a procedure needed."""
    return max(one.products[0].drops[1] for one in outcomes)


def healthy(seeds: int) -> list[Case]:
    """Return a poke of a healthy station for each seed."""
    return [
        Case(f"healthy, seed {seed}", seed, DROPS, command=("poke",))
        for seed in range(101, 101 + seeds)
    ]


def judge_healthy(outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    """Yield how many healthy stations did not pass."""
    failed = [one.products[0].words for one in outcomes if one.exit_code != 0]
    yield Finding(
        f"healthy station, {len(outcomes)} pokes: failed {failed[:2]}",
        len(failed),
        len(outcomes) / 200,
    )
    yield Finding("healthy station: most drops", _last_drop(outcomes), 30)


def contrasts(seeds: int) -> list[Case]:
    """Return scans and optimisations that begin 15 % away in pulse area."""
    off = [("--off", f"pulse_area={sign * 0.15}") for sign in (1, -1)]
    scans = [Case(f"scan, {one[1]}", 7, DROPS, one, ("scan", "pulse_area")) for one in off]
    return scans + [
        Case(f"optimise, {one[1]}", 7, DROPS, one, ("optimise", "--for-drops", "80")) for one in off
    ]


def judge_contrasts(outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    """Yield how much contrast is missing at the place that was found: (π²/2) times its error
    squared.
    """
    for one in outcomes:
        best = 1.0 + float(one.case.name.partition("=")[2])
        error = one.products[0].numbers["optimum"] - best
        yield Finding(
            f"{one.case.name}: share of the contrast missing", float(np.pi**2 / 2 * error**2), 0.01
        )


def beside(seeds: int) -> list[Case]:
    """Return long closed runs, with and without an optimisation beside the loop."""
    plain = [Case(f"plain, seed {seed}", seed, BESIDE_DROPS) for seed in range(1, seeds + 1)]
    words = ("optimise", "--for-drops", str(BESIDE_DROPS))
    return plain + [
        Case(f"optimise, seed {one.seed}", one.seed, BESIDE_DROPS + 10, command=words)
        for one in plain
    ]


def judge_beside(outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    """Yield by how much the optimisation raises each variance over the best possible one, in the
    same disturbance.
    """
    seeds = sorted({one.case.seed for one in outcomes})
    for name, shown in OBSERVABLES.items():
        over = {
            (one.case.name.split(",")[0], one.case.seed): one.report["observables"][name][
                "variance_over_bound"
            ]
            for one in outcomes
        }
        ratio = float(np.mean([over["optimise", seed] / over["plain", seed] for seed in seeds]))
        yield Finding(
            f"optimise beside the loop, {len(seeds)} seeds: {shown.label} variance_over_bound is x",
            ratio,
            1.03,
        )


PARTS: dict[
    str, tuple[Callable[[int], list[Case]], Callable[[Sequence[Outcome]], Iterator[Finding]], int]
] = {
    "response": (responses, judge_responses, 20),
    "poke": (pokes, judge_pokes, 20),
    "healthy": (healthy, judge_healthy, 200),
    "contrast": (contrasts, judge_contrasts, 1),
    "beside": (beside, judge_beside, 2),
}


def main() -> int:
    """Measure and print; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "parts", nargs="*", choices=[*PARTS, []], metavar="PART", help="what to measure; all"
    )
    parser.add_argument(
        "--folder", type=Path, required=True, help="new folder for sessions and truth"
    )
    parser.add_argument("--seeds", type=int, help="of each part, for a quick look")
    options = parser.parse_args()
    missed = 0
    for name in options.parts or PARTS:
        cases, judge, seeds = PARTS[name]
        missed += told(name, judge(run_all(cases(options.seeds or seeds), options.folder / name)))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
