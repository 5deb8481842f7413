"""`magis-calib replay SESSION`: send a recording through the same pipeline and compare the estimates."""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from magis_calib.cli.options import add_run_options, check_folder, start_logging
from magis_calib.cli.run import finish, start_and_show
from magis_calib.domain.errors import ConfigError, SessionError
from magis_calib.domain.loading import parse_json_config, select_station
from magis_calib.engine import Engine
from magis_calib.parts import Parts
from magis_calib.recording.reader import Session
from magis_calib.replay import Comparison, ListeningHands, ReplaySource


def main(argv: Sequence[str]) -> int:
    """Replay and report whether every estimate is identical: exit 0 if so, 1 if not."""
    arguments = _parser().parse_args(argv)
    start_logging(arguments.log_level)
    try:
        check_folder(arguments.report)
        replay = Replay(Session(arguments.session), arguments.speed, arguments.drops)
    except (SessionError, ConfigError) as error:
        print(f"magis-calib replay: {error}", file=sys.stderr)
        return 2
    start_and_show(replay.engine, arguments.auto)
    print(replay.comparison.in_words())
    code = finish(replay.engine, arguments.report, replay.station, replay.drops, None)
    return code or int(bool(replay.comparison.different))


class Replay:
    """A session put together for replay: its own configuration, its frames, and hands that only listen."""

    def __init__(self, session: Session, speed: float, drops: int | None = None) -> None:
        """Raises `ConfigError` where the recorded configuration cannot be used."""
        config = parse_json_config(session.configuration, str(session.path))
        name, self.station = select_station(config, str(session.attribute("station")))
        self.drops = drops or len(session.records)
        self.comparison = Comparison(session.records)
        source = ReplaySource(session, speed)
        self.engine = Engine(
            Parts(
                name,
                self.station,
                source,
                ListeningHands(session.records, self.station),
                lambda: tuple(source.links()),
                mode="replay",
                session=str(session.path.absolute()),
                drops=self.drops,
                set_speed=source.set_speed,
                observe=self.comparison.add,
            )
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="magis-calib replay", description=__doc__)
    parser.add_argument("session", type=Path, metavar="SESSION", help="folder of a recorded session")
    parser.add_argument("--speed", type=_speed, default=1.0, metavar="FACTOR",
                        help="times real time, or max (default 1)")  # fmt: skip
    add_run_options(parser)
    return parser


def _speed(text: str) -> float:
    value = math.inf if text == "max" else float(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"wanted a factor above 0 or max, got {text}")
    return value
