"""The run plan: steps with conditions, read from TOML and walked through by `calibrate`."""

from __future__ import annotations

import importlib.resources
import time
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from pydantic import Field, ValidationError

from magis_calib.config.fields import Strict, toml_table
from magis_calib.config.station import Station
from magis_calib.domain.control import Setpoints
from magis_calib.domain.errors import ConfigError, ProcedureError
from magis_calib.procedures import bring, inspection, poke, response, scan
from magis_calib.procedures.protocol import (
    Procedure,
    ProcedureResult,
    ProcedureSpec,
    Request,
    StartingPoint,
)

Use = Literal["atoms", "cameras", "bring", "scan", "response", "poke", "stability", "in_tolerance"]


@dataclass(frozen=True, slots=True)
class StepKind:
    """One kind of step: how it begins, about how many drops it takes, what to do if it fails."""

    begin: Callable[..., Procedure]
    drops: int
    remedy: str


KINDS: Mapping[Use, StepKind] = {
    "atoms": StepKind(
        inspection.atoms, 3, "start the source, open the shutter, look at the picture"
    ),
    "cameras": StepKind(
        inspection.cameras, 5, "mend orientation or object_pixel_m of that camera, or turn it"
    ),
    "bring": StepKind(bring.bring, 18, "look at what limits it; move it by hand, then resume"),
    "scan": StepKind(
        scan.scan, scan.POINTS * scan.DROPS_EACH, "widen the range, or look whether it moves at all"
    ),
    "response": StepKind(
        response.response,
        response.DROPS,
        "look at the actuator or observable that was not measured",
    ),
    "poke": StepKind(
        poke.poke,
        poke.DROPS + poke.HARMLESS_DROPS,
        "mend sign, unit or wiring of the actuator named",
    ),
    "stability": StepKind(
        inspection.stability, inspection.LEAST_STABLE_DROPS, "look at the source of the drops lost"
    ),
    "in_tolerance": StepKind(
        inspection.in_tolerance, 30, "ask `magis-calib why` what keeps the loop from its targets"
    ),
}


class Step(Strict):
    """One step of a plan."""

    name: str
    use: Use
    needs: tuple[str, ...] = ()
    """Names of earlier steps that must have ended well: the entry condition."""
    skip: str = ""
    """Why this step is left out; empty to do it."""
    options: dict[str, Any] = Field(default_factory=dict)


class Plan(Strict):
    """Steps in order."""

    title: str
    step: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class StepRecord:
    """What became of one step."""

    name: str
    use: Use
    outcome: Literal["done", "failed", "skipped"]
    words: str
    product: Mapping[str, Any]
    keep: Setpoints
    began_ns: int
    ended_ns: int


def read_plan(text: str, source: str) -> Plan:
    """Return the plan in a TOML text.

    Raises `ConfigError` naming file, step, what was wanted and what was found.
    """
    try:
        plan = Plan.model_validate(toml_table(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise ConfigError(f"{source}: {_wrong(error)}") from error
    _check_order(plan, source)
    return plan


def _wrong(error: ValidationError) -> str:
    """Say where in the plan something else was wanted, and what was found."""
    return "; ".join(
        f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}, got {one['input']!r}"
        for one in error.errors()
    )


def _check_order(plan: Plan, source: str) -> None:
    """Raise `ConfigError` for two steps of one name, or a step before one that it needs."""
    seen: set[str] = set()
    for one in plan.step:
        if one.name in seen:
            raise ConfigError(f"{source}: two steps are named {one.name!r}")
        if missing := sorted(set(one.needs) - seen):
            raise ConfigError(
                f"{source}: step {one.name!r} needs {missing}, which are no steps before it"
            )
        seen.add(one.name)


def plan_text() -> str:
    """Return the shipped plan, as it is written."""
    return (
        importlib.resources.files("magis_calib.procedures").joinpath("plan.toml").read_text("utf-8")
    )


def default_plan() -> Plan:
    """Return the shipped plan."""
    return read_plan(plan_text(), "plan.toml")


def planned_drops(plan: Plan, done: Sequence[StepRecord]) -> int:
    """Return about how many drops the steps still take."""
    return sum(KINDS[one.use].drops for one in plan.step[len(done) :] if not one.skip)


def calibrate(
    place: StartingPoint,
    plan: Plan | None = None,
    done: Sequence[StepRecord] = (),
    note: Callable[[StepRecord], None] = lambda record: None,
) -> Procedure:
    """Walk through a plan from after the steps that are done; `note` is told of each as it ends.

    What good steps set is kept. A step that fails ends the plan with what to do; it can be resumed
    there.
    """
    plan = plan or default_plan()
    records = list(done)
    base = {**place.base}
    for one in records:
        base |= one.keep
    for step in plan.step[len(records) :]:
        yield Request(base, f"{step.name}: to where it begins", drops=0)
        at = StartingPoint(place.station, place.facts, base)
        record = yield from _recorded(step, at, records)
        base |= record.keep
        records.append(record)
        note(record)
        if record.outcome == "failed":
            break
    good, words = _ended(plan, records)
    return ProcedureResult(good, words, _told(plan, records, place.station), base)


def _ended(plan: Plan, records: Sequence[StepRecord]) -> tuple[bool, str]:
    """Return whether the plan ended well, and what is said of it."""
    last = records[-1] if records else None
    if last is not None and last.outcome == "failed":
        remedy = KINDS[last.use].remedy
        return False, f"step {last.name!r} failed: {last.words}. What to do: {remedy}; then resume"
    return True, f"{plan.title}: all {len(records)} steps done{_skipped(records)}"


def _skipped(records: Sequence[StepRecord]) -> str:
    names = [one.name for one in records if one.outcome == "skipped"]
    return f", skipped: {', '.join(names)}" if names else ""


def _recorded(step: Step, place: StartingPoint, records: Sequence[StepRecord]) -> Any:
    """Do one step; return its record."""
    began_ns = time.time_ns()
    result, outcome = yield from _one(step, place, records)
    return StepRecord(
        step.name,
        step.use,
        outcome,
        result.words,
        dict(result.product),
        dict(result.keep),
        began_ns,
        time.time_ns(),
    )


def _one(step: Step, place: StartingPoint, records: Sequence[StepRecord]) -> Any:
    """Do one step; return its result and outcome."""
    if step.skip:
        return ProcedureResult(True, f"skipped: {step.skip}"), "skipped"
    bad = [one.name for one in records if one.name in step.needs and one.outcome != "done"]
    if bad:
        return ProcedureResult(False, f"needs {', '.join(bad)}, which did not end well"), "failed"
    result = yield from _done(step, place)
    return result, "done" if result.good else "failed"


def _done(step: Step, place: StartingPoint) -> Procedure:
    """Do the procedure of a step; one that cannot be done is a result, too."""
    try:
        return (yield from KINDS[step.use].begin(place, **step.options))
    except ProcedureError as error:
        return ProcedureResult(False, str(error))
    except TypeError as error:
        return ProcedureResult(False, f"its options cannot be used: {error}")


def _told(plan: Plan, records: Sequence[StepRecord], station: Station) -> dict[str, Any]:
    """Return what the certificate tells: the steps, and what the station was to keep to."""
    loop = station.loop
    return {
        "title": plan.title,
        "station": {
            "title": station.title,
            "matrix": loop.matrix,
            "targets": {name: one.target for name, one in loop.observables.items()},
            "tolerances": {name: one.tolerance for name, one in loop.observables.items()},
        },
        "steps": [asdict(one) for one in records],
    }


SPEC = ProcedureSpec(
    "calibrate",
    "walk through the run plan, to a certificate",
    calibrate,
    lambda options: planned_drops(options.get("plan") or default_plan(), options.get("done", ())),
    moves="every actuator, as the plan says; what good steps find is kept",
)
