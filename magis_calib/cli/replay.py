"""`magis-calib replay SESSION`: send a recording through the same pipeline, compare, estimate anew,
ask what if.
"""

from __future__ import annotations

import argparse
import math
from contextlib import closing
from pathlib import Path

from magis_calib.app.display import why_no_window
from magis_calib.app.show import finish, start_and_show
from magis_calib.cli.options import (
    add_run_options,
    add_session_argument,
    add_station_options,
    add_window_options,
    check_folder,
    start_logging,
)
from magis_calib.cli.telling import telling
from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import Station
from magis_calib.domain.errors import ConfigError
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.domain.serial import to_json
from magis_calib.host.command_line import Parser, UsageError
from magis_calib.host.files import replace_text
from magis_calib.host.user import own_folder
from magis_calib.recording.probe import opened
from magis_calib.recording.reader import Session
from magis_calib.replay.moved import Change, Move, Moves
from magis_calib.replay.player import Replay, recorded_station
from magis_calib.replay.results import Remembering, Results
from magis_calib.replay.versions import versions_in_words


def moves_in_words(moves: Moves) -> str:
    """Return the report for people."""
    lines = [
        f"{'':4}{'compared':>9}{f'moved > {moves.limit:g} σ':>16}"
        f"{'became usable':>15}{'became unusable':>17}"
    ]
    lines += [_change_in_words(one) for one in moves.changes()]
    worst = moves.worst()
    lines += ["moved furthest:"] if worst else ["nothing moved"]
    return "\n".join([*lines, *(f"  {_move_in_words(one)}" for one in worst)])


def _change_in_words(one: Change) -> str:
    return (
        f"{OBSERVABLES[one.observable].label:4}{one.compared:>9}{one.moved:>16}"
        f"{len(one.became_usable):>15}{len(one.became_unusable):>17}"
    )


def write_moves(path: Path, moves: Moves) -> None:
    """Write the report as JSON. Raises `ConfigError` where it cannot be written."""
    numbers = {
        "schema": 1,
        "limit": moves.limit,
        "observables": moves.changes(),
        "worst": moves.worst(),
    }
    try:
        replace_text(path, to_json(numbers) + "\n")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error}") from error


def _move_in_words(one: Move) -> str:
    shown = OBSERVABLES[one.observable]
    before = f"{shown.shown(one.recorded)} ± {shown.shown(one.recorded_stderr)}"
    now = f"{shown.shown(one.now)} ± {shown.shown(one.now_stderr)}"
    return (
        f"drop {one.drop_id}, {shown.label}: recorded {before}, now {now} {shown.shown_unit}, "
        f"by {one.moved_by:.1f} σ"
    )


def run(asked: argparse.Namespace) -> int:
    """Replay and report.

    Exit 1 where an estimate differs from the recorded one, unless another one was asked for.
    """
    _refuse_contradictions(asked)
    start_logging(asked.log_level)
    for path in (asked.report, asked.differences, asked.plot, asked.screenshot):
        check_folder(path)
    with opened(asked.session) as session, telling(asked.session, "its drops"):
        if asked.what_if is None:
            return _replayed(session, asked)
        from magis_calib.cli.what_if import answer  # draws: matplotlib takes half a second to load

        return answer(session, asked.what_if, asked.plot, asked.differences)


def _replayed(session: Session, arguments: argparse.Namespace) -> int:
    station = recorded_station(session)[1]
    if arguments.config is not None:
        station = _with_other_cameras(station, session, arguments)
    headless = arguments.auto or arguments.verify or arguments.config is not None
    speed = arguments.speed or (
        math.inf if arguments.verify or arguments.config is not None else 1.0
    )
    with closing(Results(_results_file(arguments, session))) as results:
        estimator = None if arguments.no_results else Remembering(station, results)
        drops = arguments.drops if arguments.screenshot is None else None
        stays = not headless and not why_no_window() and drops is None
        replay = Replay(session, speed, drops, station=station, estimator=estimator, stays=stays)
        moves = Moves(session.records, arguments.moved)
        if arguments.config is not None:
            replay.also(moves.add)
        start_and_show(replay, headless, arguments)
    _tell(replay, session, arguments, moves)
    if estimator is not None:
        print(estimator.in_words())
    code = finish(replay.engine, arguments.report, replay.station, replay.drops, None)
    differs = bool(replay.comparison.different) and arguments.config is None
    return code or int(differs)


def _tell(replay: Replay, session: Session, arguments: argparse.Namespace, moves: Moves) -> None:
    """Say how the estimates compare with the recorded ones."""
    if words := versions_in_words(session):
        print(words)
    if arguments.config is None:
        _tell_comparison(replay, each=arguments.verify)
        return
    print(moves_in_words(moves))
    if arguments.differences is not None:
        write_moves(arguments.differences, moves)


def _tell_comparison(replay: Replay, *, each: bool) -> None:
    print(replay.comparison.in_words())
    if each:
        for difference in replay.comparison.first:
            print(f"  {difference.in_words()}")


def _with_other_cameras(
    station: Station, session: Session, arguments: argparse.Namespace
) -> Station:
    """Return the recorded station with the cameras of another configuration."""
    name = arguments.station or str(session.attribute("station"))
    other = select_station(load_config(arguments.config), name, f"{arguments.config}, station")[1]
    return station.model_copy(update={"cameras": other.cameras})


def _results_file(arguments: argparse.Namespace, session: Session) -> Path:
    folder = arguments.results or own_folder("cache", "--results") / "results"
    return Path(folder) / f"{session.path.absolute().name}.sqlite"


def _refuse_contradictions(asked: argparse.Namespace) -> None:
    """Raise `UsageError` for options that do not go together."""
    ways = {"--verify": asked.verify, "--config": asked.config, "--what-if": asked.what_if}
    given = [flag for flag, value in ways.items() if value]
    if len(given) > 1:
        raise UsageError(f"wanted one of {', '.join(ways)}, got {' and '.join(given)}")
    if asked.station and not asked.config:
        raise UsageError("--station: only with --config")
    if asked.plot and not asked.what_if:
        raise UsageError("--plot: only with --what-if")
    if asked.differences and not (asked.config or asked.what_if):
        raise UsageError("--differences: only with --config or --what-if")


def add_options(parser: Parser) -> None:
    """Add the options of this command."""
    add_session_argument(parser)
    parser.add_argument(
        "--speed",
        type=_speed,
        metavar="FACTOR",
        help="times real time, or max (default 1; max with --verify and --config)",
    )
    parser.add_argument(
        "--verify",
        action="store_true",
        help="headless: compare every estimate bit for bit and name the first differences",
    )
    add_station_options(parser)
    parser.add_argument(
        "--moved",
        type=float,
        default=1.0,
        metavar="K",
        help="with --config: count what moved by more than K standard errors (default 1)",
    )
    _add_what_if_options(parser)
    _add_results_options(parser)
    add_run_options(parser)
    add_window_options(parser)


def _add_what_if_options(parser: Parser) -> None:
    parser.add_argument(
        "--what-if",
        type=Path,
        metavar="FILE",
        help="predict what the gains, targets or matrix in this file would have given",
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="with --what-if: draw it (PNG)")
    parser.add_argument(
        "--differences",
        type=Path,
        metavar="FILE",
        help="with --config or --what-if: write the numbers to this file, JSON",
    )


def _add_results_options(parser: Parser) -> None:
    parser.add_argument(
        "--results",
        type=Path,
        metavar="DIR",
        help="folder of estimates made before (default: cache)",
    )
    parser.add_argument(
        "--no-results", action="store_true", help="fit every pair, whatever is known already"
    )


def _speed(text: str) -> float:
    value = math.inf if text == "max" else float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"wanted a factor above 0 or max, got {text}")
    return value
