"""`magis-calib`: run a station, with its window or headless, on real or simulated hardware."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hardware.metrics import StageTimes, served
from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.app.report import Truth
from magis_calib.app.show import finish, start_and_show
from magis_calib.app.simulated import SimulatedProcess, on_free_ports
from magis_calib.cli.config import judge_models
from magis_calib.cli.options import (
    add_run_and_station,
    check_folder,
    default_products_dir,
    default_session_dir,
    start_logging,
)
from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import Station
from magis_calib.domain.errors import SessionError
from magis_calib.host.command_line import Parser, UsageError
from magis_calib.host.stopping import undisturbed
from magis_calib.procedures.catalogue import KNOWN
from magis_calib.run.engine import Engine
from magis_calib.state.commands import StartProcedure
from simulators.faults.file import load_faults
from simulators.instrument.numbers import load_plant_numbers
from simulators.options import SimulationOptions, given_flags


def add_options(parser: Parser) -> None:
    """Add what every command that starts a run takes."""
    add_run_and_station(parser)


def run(asked: argparse.Namespace) -> int:
    """Run until the last drop, a signal or the window's close; return the exit code."""
    return run_for(asked)


def run_for(
    asked: argparse.Namespace,
    purpose: Callable[[], StartProcedure] | None = None,
    afterwards: Callable[[Engine, Station], None] = lambda engine, station: None,
) -> int:
    """Run a station; return the exit code.

    `purpose` gives the procedure that the run is for, `afterwards` is called when it has ended.
    Raises `ConfigError`, and `UsageError` for what only a simulated station understands.
    """
    options = _simulation(asked)
    start_logging(asked.log_level, asked.log_file)
    config = load_config(asked.config)
    name, station = select_station(config, asked.station)
    judge_models(config, asked.config, [name], spare=False)
    procedure = purpose() if purpose else None
    if procedure is not None and not KNOWN[procedure.name].beside_loop:
        station = _with_the_loop_open(station)
    written = (options.truth, options.commands) if options else ()
    for path in (asked.report, asked.screenshot, *written):
        check_folder(path)
    times = StageTimes()
    request = _request(asked, options, procedure, times)
    with ExitStack() as until_the_end:
        station, keys = _wired(asked, options, station, until_the_end)
        live = LiveRun(config, name, station, replace(request, keys=keys))
        until_the_end.callback(live.close)
        if asked.metrics is not None:
            until_the_end.enter_context(served(live.engine, times, asked.metrics))
        if options is not None:
            drops = request.drops
            simulated = SimulatedProcess(options, station, asked.config, name, drops, keys)
            until_the_end.callback(simulated.stop)
            live.watch(simulated.link)
        else:
            live.claim(headless=asked.auto)
        start_and_show(live.engine, asked.auto, asked)
    afterwards(live.engine, station)
    code = _finished(asked, options, live.engine, station)
    return code if procedure is None else code or _told(live.engine)


def _request(
    asked: argparse.Namespace,
    options: SimulationOptions | None,
    procedure: StartProcedure | None,
    times: StageTimes,
) -> RunRequest:
    return RunRequest(
        (asked.session_dir or default_session_dir()).absolute(),
        # a picture is taken of a run that goes on
        drops=asked.drops if asked.screenshot is None else None,
        about=_about(options),
        procedure=procedure,
        products=(asked.products_dir or default_products_dir()).absolute(),
        go_on=options is None and not asked.new_session,
        config_file=asked.config,
        take_over=asked.take_over,
        observe=times.observe,
    )


def _finished(
    asked: argparse.Namespace, options: SimulationOptions | None, engine: Engine, station: Station
) -> int:
    """Write the report, and return the exit code of the run."""
    truth = Truth(options.truth, options.delay) if options and options.truth else None
    drops = asked.drops if asked.screenshot is None else None
    return finish(engine, asked.report, station, drops, truth)


def _simulation(asked: argparse.Namespace) -> SimulationOptions | None:
    """Return what the simulated station shall be like, None for a real one. Raises `UsageError`."""
    if asked.simulate:
        options = SimulationOptions.of(asked)
        load_faults(options.faults, load_plant_numbers())  # said here rather than by the child
        return options
    if alone := given_flags(asked):
        raise UsageError(f"{', '.join(alone)}: only with --simulate")
    return None


def _with_the_loop_open(station: Station) -> Station:
    return station.model_copy(update={"loop": station.loop.model_copy(update={"start": "open"})})


def _wired(
    asked: argparse.Namespace,
    options: SimulationOptions | None,
    station: Station,
    until_the_end: ExitStack,
) -> tuple[Station, Path | None]:
    """Return the station and its folder of keys: those of a simulated one are its own."""
    keys: Path | None = asked.keys
    if options is None:
        return station, keys
    station, usual = until_the_end.enter_context(on_free_ports(station))
    if not usual:
        words = f"camera {station.links.camera}, telemetry {station.links.telemetry}"
        print(f"the usual ports are taken; {words}", file=sys.stderr)
    if keys is None:
        with undisturbed():
            folder = until_the_end.enter_context(TemporaryDirectory(prefix="magis-calib-"))
        keys = Path(folder) / "keys"
    return station, keys


def _about(options: SimulationOptions | None) -> dict[str, object]:
    """Return what the session keeps about who made its pictures."""
    simulation = " ".join(options.argv()) if options else ""
    return {"simulated": options is not None, "simulation": simulation}


def _told(engine: Engine) -> int:
    """Say how the procedure ended; return 1 where it failed or did not end."""
    state = engine.snapshot.procedure
    words = state.words if state is not None else "not begun"
    where = (
        f"; product {state.product}{_drawn(Path(state.product))}"
        if state is not None and state.product
        else ""
    )
    print(f"{words}{where}", file=sys.stderr)
    return 0 if state is not None and state.good and not state.running else 1


def _drawn(product: Path) -> str:
    """Draw what was found beside the product, and say where."""
    from magis_calib.figures.product import write_picture  # matplotlib takes half a second to load

    try:
        picture = write_picture(product)
    except (SessionError, OSError) as error:
        return f"; its picture is not drawn: {error}"
    return f"; picture {picture.name}" if picture else ""
