"""The loop against the oracle that knows drift and noise, and how fast it follows a real step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from magis_calib.config.loading import load_config, select_station
from magis_calib.domain.quantities import OBSERVABLES, wrap_error
from tests.benchmarks.loop.finding import Finding
from tests.benchmarks.loop.station_runs import Case, Outcome
from tests.feedback.station import BEST_SD

PHASE_AT_1 = "phase_rad          = { target = 1.0, "
STEP_AT = 101
STEP = {**{name: 20 * sd for name, sd in BEST_SD.items()}, "phase_rad": 1.5}
SPARE_DROPS, LOOKED_AT = 6, 5


def cases(drops: int, seeds: int) -> list[Case]:
    """Return the runs: `seeds` as shipped, and one of each variant."""
    shipped = [Case(f"auto, seed {seed}", seed, drops) for seed in range(1, seeds + 1)]
    return [
        *shipped,
        Case("fixed gain 0.3", 1, drops, config={'gain = "auto"': "gain = 0.3"}),
        Case("target phase 3.0", 1, drops, config={PHASE_AT_1: PHASE_AT_1.replace("1.0", "3.0")}),
        Case("delay 1", 1, drops, ("--delay", "1")),
        Case("long", 1, drops, ("--preset", "long")),
    ]


def judge(outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    """Yield the mean ratios of the shipped station over its seeds, and those of each variant."""
    shipped = [one for one in outcomes if one.case.name.startswith("auto")]
    if shipped:
        yield from _ratios(f"auto, {len(shipped)} seeds", shipped, 1.03, 1.12)
    for one in outcomes:
        if one not in shipped:
            compared_only = one.case.name.startswith("fixed")
            yield from _ratios(
                one.case.name, [one], *((None, None) if compared_only else (1.05, 1.25))
            )


def _ratios(
    name: str, outcomes: Sequence[Outcome], most: float | None, most_correctable: float | None
) -> Iterator[Finding]:
    for observable, quantity in OBSERVABLES.items():
        found = [one.report["observables"][observable] for one in outcomes]
        if found[0]["target"] is None:
            used = sum(
                observable in record.decision.used
                for one in outcomes
                for record in one.records.values()
            )
            yield Finding(f"{name}: {quantity.label} reported, corrected in drops", used, 0)
            continue
        for key, limit in (
            ("variance_over_bound", most),
            ("correctable_over_bound", most_correctable),
        ):
            yield Finding(
                f"{name}: {quantity.label} {key}",
                float(np.mean([one[key] for one in found])),
                limit,
            )
    decided = max(one.report["latency_s"]["decide"]["p99"] for one in outcomes)
    yield Finding(f"{name}: decision p99 beside another run, ms", 1e3 * decided, None)


def alone_cases() -> list[Case]:
    """Return one run that has the machine for itself."""
    return [Case("alone", 1, 300)]


def judge_alone(outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    """Yield how long the decisions took, from the estimate to the setpoints."""
    took = outcomes[0].report["latency_s"]["decide"]
    yield Finding("decision p50, ms", 1e3 * took["p50"], None)
    yield Finding("decision p99, ms", 1e3 * took["p99"], 2.0)


def step_cases() -> list[Case]:
    """Return a run for each observable, with a step of its disturbance."""
    return [
        Case(
            f"step of {name}",
            3,
            STEP_AT + 40,
            faults=f'[[fault]]\nkind = "disturbance"\nobservable = "{name}"\n'
            f"size = {_size(name)!r}\nfrom_drop = {STEP_AT}\n",
        )
        for name in OBSERVABLES
    ]


def judge_steps(outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    """Yield how far each observable still is when it should be back, in best possible standard
    deviations.
    """
    loop = select_station(load_config(None), None)[1].loop
    matrix = select_station(load_config(None), None)[1].matrices[loop.matrix]
    for one in outcomes:
        name = one.case.name.removeprefix("step of ")
        actuator = loop.observables[name].actuator
        needed = abs(_size(name)) / abs(loop.actuators[actuator].step_cap * matrix[name][actuator])
        first = STEP_AT + int(np.ceil(needed)) + SPARE_DROPS
        away = [
            wrap_error(name, drop["observables"][name] - loop.observables[name].target)
            for drop in one.truth
        ]
        left = abs(np.mean(away[first - 1 : first - 1 + LOOKED_AT])) / BEST_SD[name]
        yield Finding(
            f"step of {OBSERVABLES[name].label}: left in drops {first} to {first + LOOKED_AT - 1}, "
            f"s.d.",
            float(left),
            2.0,
        )


def _size(name: str) -> float:
    """Return the step.

    That of x goes where the trap, which starts far to one side, has room for it.
    """
    return -STEP[name] if name == "x_m" else STEP[name]
