"""`magis-calib calibrate`: walk through the run plan, from a station just switched on to a
certificate.

Without --plan the shipped one is used (`--print-plan` shows it). Each step is written down as soon
as it has ended; a plan that was interrupted, or that stopped at a failed step, goes on with
--resume.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from magis_calib.cli.options import add_run_and_station, default_products_dir
from magis_calib.cli.run import run_for
from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import Station
from magis_calib.domain.errors import ConfigError, SessionError
from magis_calib.figures.certificate import write_page
from magis_calib.host.command_line import Parser
from magis_calib.host.files import read_text
from magis_calib.procedures.plan import Plan, StepRecord, default_plan, plan_text, read_plan
from magis_calib.products.plan_progress import Progress, read_progress
from magis_calib.run.engine import Engine
from magis_calib.state.commands import StartProcedure


def add_options(parser: Parser) -> None:
    """Add what every run takes, and the plan."""
    add_run_and_station(parser)
    plan = parser.add_argument_group("of calibrate")
    plan.add_argument(
        "--plan", type=Path, metavar="FILE", help="steps to do, TOML (default: the shipped plan)"
    )
    plan.add_argument("--print-plan", action="store_true", help="print the shipped plan and end")
    plan.add_argument(
        "--skip", action="append", default=[], metavar="STEP=WHY", help="leave out a step"
    )
    plan.add_argument(
        "--resume",
        type=Path,
        metavar="FILE",
        help="go on with the plan whose progress is in this file",
    )


def run(asked: argparse.Namespace) -> int:
    """Calibrate; return 0 certificate, 1 a step failed."""
    if asked.print_plan:
        print(plan_text())
        return 0
    return run_for(asked, lambda: _purpose(asked), tell_certificate)


def _purpose(arguments: argparse.Namespace) -> StartProcedure:
    """Return the procedure with its plan and progress. Raises `ConfigError`."""
    folder = (arguments.products_dir or default_products_dir()).absolute() / "plans"
    station, _ = select_station(load_config(arguments.config), arguments.station)
    try:
        plan, done, progress = (
            _resumed(arguments.resume, station) if arguments.resume else _fresh(arguments.plan)
        )
    except (SessionError, OSError) as error:
        raise ConfigError(str(error)) from error
    plan = _without(plan, arguments.skip)
    progress = progress or Progress.begin(folder, station, plan.model_dump(mode="json"))
    print(f"progress: {progress.path}", file=sys.stderr)
    return StartProcedure("calibrate", {"plan": plan, "done": done, "note": progress.note})


def _fresh(path: Path | None) -> tuple[Plan, tuple[StepRecord, ...], Progress | None]:
    return (
        (read_plan(read_text(path), str(path)) if path else default_plan()),
        (),
        None,
    )


def _resumed(path: Path, station: str) -> tuple[Plan, tuple[StepRecord, ...], Progress | None]:
    """Return the plan, the steps before the first that did not end well, and where the rest is
    noted.
    """
    whose, table, steps = read_progress(path)
    if whose != station:
        raise SessionError(f"{path}: of another station: wanted {station!r}, got {whose!r}")
    done: list[StepRecord] = []
    for one in steps:
        record = StepRecord(**one)
        done = [kept for kept in done if kept.name != record.name]
        if record.outcome != "failed":
            done.append(record)
    return Plan.model_validate(table), tuple(done), Progress(path)


def _name_and_reason(plan: Plan, words: str) -> tuple[str, str]:
    names = [one.name for one in plan.step]
    name, _, why = words.partition("=")
    if name not in names or not why:
        raise ConfigError(f"--skip {words!r}: wanted NAME=WHY with a name of {names}")
    return name, why


def _without(plan: Plan, skipped: Sequence[str]) -> Plan:
    """Return the plan with these steps (NAME=WHY) left out.

    Raises `ConfigError` for an unknown name or no reason.
    """
    reasons = dict(_name_and_reason(plan, words) for words in skipped)
    steps = tuple(
        one.model_copy(update={"skip": reasons.get(one.name, one.skip)}) for one in plan.step
    )
    return plan.model_copy(update={"step": steps})


def tell_certificate(engine: Engine, station: Station) -> None:
    """Write the page where the plan has ended well, and say where."""
    state = engine.snapshot.procedure
    if state is not None and state.good and state.product:
        path = Path(state.product)
        print(f"certificate: {write_page(path)} (numbers in {path.name})", file=sys.stderr)
