"""Options that several commands share, and the words they use for the screen."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

from magis_calib.auth.keyring import default_keys_dir
from magis_calib.domain.errors import ConfigError
from magis_calib.host.command_line import Parser, number, whole
from magis_calib.host.files import refuse_unwritable
from magis_calib.host.log_buffer import FORM, JOURNAL, JsonLines, Visible
from magis_calib.host.user import own_folder, said
from simulators.options import add_simulation_options

MOST_PX = 16_384
"""No screen is larger; of more, Qt makes no window."""
LEAST_PT, MOST_PT = 4.0, 72.0


def default_session_dir(option: str = "--session-dir") -> Path:
    """Return the platform's folder for sessions. Raises `OSError` that names the option."""
    return own_folder("data", option) / "sessions"


def default_products_dir() -> Path:
    """Return the platform's folder for what procedures leave."""
    return own_folder("data", "--products-dir") / "products"


def add_station_options(parser: Parser) -> None:
    """Add --config and --station."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration (default: the shipped one)"
    )
    parser.add_argument(
        "--station", metavar="NAME", help="a station of the configuration other than its default"
    )


def add_keys_option(parser: Parser) -> None:
    """Add --keys."""
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="DIR",
        help=f"folder of keys, made on first use (default {said(default_keys_dir)})",
    )


def add_run_options(parser: Parser) -> None:
    """Add what every command that runs drops understands."""
    parser.add_argument("--auto", action="store_true", help="run headless: no window")
    parser.add_argument("--drops", type=whole(1), metavar="N", help="stop after N drops")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write what happened to this file, JSON"
    )
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="warning",
        help="how much is said on stderr (default %(default)s)",
    )


def add_session_argument(parser: Parser) -> None:
    """Add SESSION."""
    parser.add_argument(
        "session", type=Path, metavar="SESSION", help="folder of a recorded session"
    )


def add_session_dir_option(parser: Parser) -> None:
    """Add --session-dir."""
    parser.add_argument(
        "--session-dir",
        type=Path,
        metavar="DIR",
        help=f"folder that sessions are recorded in (default {said(default_session_dir)})",
    )


def add_products_dir_option(parser: Parser) -> None:
    """Add --products-dir."""
    parser.add_argument(
        "--products-dir",
        type=Path,
        metavar="DIR",
        help=f"folder for what procedures find (default {said(default_products_dir)})",
    )


def add_run_and_station(parser: Parser) -> None:
    """Add what every command takes that starts a run."""
    add_station_options(parser)
    add_keys_option(parser)
    add_session_dir_option(parser)
    add_products_dir_option(parser)
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
    add_run_options(parser)
    parser.add_argument(
        "--metrics",
        type=whole(1, 65535),
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


def add_window_options(parser: Parser) -> None:
    """Add how the window shall look this time."""
    window = parser.add_argument_group("window")
    window.add_argument(
        "--theme",
        choices=("dark", "light"),
        help="colours (default: as chosen in the window, else dark)",
    )
    window.add_argument("--font-size", type=_points, metavar="PT", help="size of type (default 9)")
    window.add_argument(
        "--arrangement",
        choices=("run", "commission", "replay"),
        help="lay the docks out as shipped",
    )
    window.add_argument(
        "--window-size", type=_size, metavar="WxH", help="in pixels, for example 1920x1080"
    )
    window.add_argument(
        "--screenshot",
        type=Path,
        metavar="FILE",
        help="save a picture of the window after --drops N (default 1), then end the run",
    )


def check_folder(path: Path | None) -> None:
    """Refuse a file that could not be written at the end. Raises `ConfigError`."""
    if path is None:
        return
    try:
        refuse_unwritable(path)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error}") from error


def start_logging(level: str, file: Path | None = None) -> None:
    """Send the log to stderr from this level on, keep its newest lines, and write JSON lines to a
    file.

    Raises `ConfigError` where that cannot be written.
    """
    logging.basicConfig(format=FORM)
    root = logging.getLogger()
    for handler in root.handlers:
        handler.setLevel(level.upper())
        handler.setFormatter(Visible(FORM))
    root.setLevel(min(logging.INFO, logging.getLevelNamesMapping()[level.upper()]))
    root.addHandler(JOURNAL)
    if file is not None:
        try:
            root.addHandler(JsonLines(file))
        except OSError as error:
            raise ConfigError(f"--log-file {file}: cannot be written: {error}") from error


def _size(text: str) -> tuple[int, int]:
    wide, _, high = text.partition("x")
    digits = all(one.isascii() and one.isdecimal() and len(one) < 6 for one in (wide, high))
    if not digits or not (640 <= int(wide) <= MOST_PX and 400 <= int(high) <= MOST_PX):
        raise argparse.ArgumentTypeError(
            f"wanted WxH from 640x400 to {MOST_PX}x{MOST_PX}, got {text[:40]}"
        )
    return int(wide), int(high)


def _points(text: str) -> float:
    size = number()(text)
    if not LEAST_PT <= size <= MOST_PT:
        raise argparse.ArgumentTypeError(f"wanted {LEAST_PT:g} to {MOST_PT:g} points, got {text}")
    return size
