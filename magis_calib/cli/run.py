"""`magis-calib`: run a station, with its window or headless, on real or simulated hardware."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from hardware.metrics import StageTimes, served
from magis_calib.app.display import why_no_window
from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.app.report import Truth
from magis_calib.app.show import finish, start_and_show
from magis_calib.app.simulated import SimulatedProcess, on_free_ports
from magis_calib.cli.config import judge_models
from magis_calib.cli.options import (
    add_keys_option,
    add_run_options,
    add_station_options,
    add_window_options,
    check_folder,
    default_products_dir,
    default_session_dir,
    start_logging,
)
from magis_calib.cli.replay import main as replay
from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import Config, Station
from magis_calib.domain.errors import ConfigError, SessionError
from magis_calib.procedures.catalogue import KNOWN
from magis_calib.run.engine import Engine
from magis_calib.state.commands import StartProcedure
from simulators.faults.file import load_faults
from simulators.instrument.numbers import load_plant_numbers
from simulators.options import SimulationOptions, add_simulation_options


def main(argv: Sequence[str]) -> int:
    """Run until the last drop, a signal or the window's close; return the exit code."""
    words = [] if argv or why_no_window() else _what_to_run()
    if words is None:
        return 0
    if words[:1] == ["replay"]:
        return replay(words[1:])
    return run_as_asked(run_parser(), [*argv, *words])


def _what_to_run() -> list[str] | None:
    """Ask somebody at a screen who said nothing.

    Return the words for the command line, None where they leave.
    """
    from ui.window.welcome import ask_what_to_run

    endpoints = select_station(load_config(None), None)[1].endpoints
    addresses = " · ".join(
        f"{name.replace('_', ' ')} {one}" for name, one in endpoints.items() if name != "telemetry"
    )
    return ask_what_to_run(addresses, str(default_session_dir()))


def run_as_asked(
    parser: argparse.ArgumentParser,
    argv: Sequence[str],
    purpose: Callable[[argparse.Namespace], StartProcedure] | None = None,
    afterwards: Callable[[Engine, Station], None] = lambda engine, station: None,
) -> int:
    """Parse, run, and return the exit code.

    `purpose` makes of the arguments the procedure that the run is for; `afterwards` is called when
    it has ended.
    """
    arguments = parser.parse_args(argv)
    given = [word.partition("=")[0] for word in argv if word.startswith("--")]
    simulation_only = [one for one in given if one in _simulation_flags()]
    if simulation_only and not arguments.simulate:
        parser.error(f"{', '.join(simulation_only)}: only with --simulate")
    try:
        start_logging(arguments.log_level, arguments.log_file)
        config = load_config(arguments.config)
        name, station = select_station(config, arguments.station)
        judge_models(config, arguments.config, [name], spare=False)
        return _run(
            arguments, config, name, station, purpose(arguments) if purpose else None, afterwards
        )
    except ConfigError as error:
        print(f"magis-calib: {error}", file=sys.stderr)
        return 2


def _run(
    arguments: argparse.Namespace,
    config: Config,
    name: str,
    station: Station,
    procedure: StartProcedure | None,
    afterwards: Callable[[Engine, Station], None],
) -> int:
    if procedure is not None and not KNOWN[procedure.name].beside_loop:
        station = station.model_copy(
            update={"loop": station.loop.model_copy(update={"start": "open"})}
        )
    options = SimulationOptions.of(arguments) if arguments.simulate else None
    if options is not None:
        load_faults(options.faults, load_plant_numbers())  # said here rather than by the child
    for path in (arguments.report, arguments.screenshot, arguments.truth if options else None):
        check_folder(path)
    about = {
        "simulated": options is not None,
        "simulation": " ".join(options.argv()) if options else "",
    }
    session_dir = (arguments.session_dir or default_session_dir()).absolute()
    products = (arguments.products_dir or default_products_dir()).absolute()
    keys: Path | None = arguments.keys
    with ExitStack() as until_the_end:
        if options is not None:
            station, usual = until_the_end.enter_context(on_free_ports(station))
            keys = (
                keys
                or Path(until_the_end.enter_context(TemporaryDirectory(prefix="magis-calib-")))
                / "keys"
            )
            if not usual:
                links = station.links
                print(
                    f"the usual ports are taken; camera {links.camera}, telemetry "
                    f"{links.telemetry}",
                    file=sys.stderr,
                )
        drops = (
            arguments.drops if arguments.screenshot is None else None
        )  # a picture is taken of a run that goes on
        times = StageTimes()
        run = LiveRun(
            config,
            name,
            station,
            RunRequest(
                session_dir,
                drops=drops,
                about=about,
                procedure=procedure,
                products=products,
                go_on=options is None and not arguments.new_session,
                config_file=arguments.config,
                keys=keys,
                take_over=arguments.take_over,
                observe=times.observe,
            ),
        )
        until_the_end.callback(run.close)
        if arguments.metrics is not None:
            until_the_end.enter_context(served(run.engine, times, arguments.metrics))
        if options is not None:
            simulated = SimulatedProcess(options, station, arguments.config, name, drops, keys)
            until_the_end.callback(simulated.stop)
            run.watch(simulated.link)
        else:
            run.claim()
        start_and_show(run.engine, arguments.auto, arguments)
    truth = Truth(arguments.truth, arguments.delay) if options and arguments.truth else None
    afterwards(run.engine, station)
    code = finish(run.engine, arguments.report, station, drops, truth)
    return code if procedure is None else code or _told(run.engine)


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


def run_parser(prog: str = "magis-calib", about: str | None = __doc__) -> argparse.ArgumentParser:
    """Return the parser of a command that starts a run."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description=about,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Other commands: replay, fit, session, settings, why, ledger, response, poke, "
        "scan,\n"
        "optimise, calibrate, products, config, keys, check, check-driver, benchmark; each "
        "explains itself with\n"
        "--help.",
    )
    add_station_options(parser)
    add_keys_option(parser)
    parser.add_argument(
        "--session-dir",
        type=Path,
        metavar="DIR",
        help=f"folder that sessions are recorded in (default {default_session_dir()})",
    )
    parser.add_argument(
        "--new-session",
        action="store_true",
        help="begin a new session, also where a killed run left one unfinished",
    )
    parser.add_argument(
        "--take-over",
        action="store_true",
        help="take the controllers from another application that has their lease",
    )
    parser.add_argument(
        "--products-dir",
        type=Path,
        metavar="DIR",
        help=f"folder for what procedures find (default {default_products_dir()})",
    )
    add_run_options(parser)
    parser.add_argument(
        "--metrics",
        type=_port,
        metavar="PORT",
        help="answer Prometheus at this port of this machine (docs/observability.md)",
    )
    parser.add_argument(
        "--log-file", type=Path, metavar="FILE", help="append the log to this file, JSON lines"
    )
    add_window_options(parser)
    parser.add_argument(
        "--simulate", action="store_true", help="start the simulated station as well"
    )
    add_simulation_options(parser.add_argument_group("with --simulate"))
    return parser


def _port(text: str) -> int:
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"wanted a port from 1 to 65535, got {text!r}")
    return int(text)


def _simulation_flags() -> set[str]:
    probe = argparse.ArgumentParser(add_help=False)
    add_simulation_options(probe)
    return {flag for action in probe._actions for flag in action.option_strings}
