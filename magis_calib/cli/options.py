"""Options that several commands share, and the words they use for the screen."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path

import platformdirs

from magis_calib.auth.keyring import default_keys_dir
from magis_calib.domain.errors import ConfigError
from magis_calib.host.log_buffer import FORM, JOURNAL, JsonLines


def default_session_dir() -> Path:
    """Return the platform's folder for sessions."""
    return platformdirs.user_data_path("magis-calib", appauthor=False) / "sessions"


def default_products_dir() -> Path:
    """Return the platform's folder for what procedures leave."""
    return platformdirs.user_data_path("magis-calib", appauthor=False) / "products"


def add_station_options(parser: argparse.ArgumentParser) -> None:
    """Add --config and --station."""
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="configuration (default: the shipped one)"
    )
    parser.add_argument(
        "--station", metavar="NAME", help="a station of the configuration other than its default"
    )


def add_keys_option(parser: argparse.ArgumentParser) -> None:
    """Add --keys."""
    parser.add_argument(
        "--keys",
        type=Path,
        metavar="DIR",
        help=f"folder of keys, made on first use (default {default_keys_dir()})",
    )


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command that runs drops understands."""
    parser.add_argument("--auto", action="store_true", help="run headless: no window")
    parser.add_argument("--drops", type=_count, metavar="N", help="stop after N drops")
    parser.add_argument(
        "--report", type=Path, metavar="FILE", help="write what happened to this file, JSON"
    )
    parser.add_argument(
        "--log-level",
        choices=("debug", "info", "warning", "error"),
        default="warning",
        help="how much is said on stderr (default %(default)s)",
    )


def add_window_options(parser: argparse.ArgumentParser) -> None:
    """Add how the window shall look this time."""
    window = parser.add_argument_group("window")
    window.add_argument(
        "--theme",
        choices=("dark", "light"),
        help="colours (default: as chosen in the window, else dark)",
    )
    window.add_argument("--font-size", type=float, metavar="PT", help="size of type (default 9)")
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
    if path is not None and not path.absolute().parent.is_dir():
        raise ConfigError(
            f"{path}: cannot be written: wanted an existing folder, got {path.absolute().parent}"
        )


def start_logging(level: str, file: Path | None = None) -> None:
    """Send the log to stderr from this level on, keep its newest lines, and write JSON lines to a
    file.

    Raises `ConfigError` where that cannot be written.
    """
    logging.basicConfig(format=FORM)
    root = logging.getLogger()
    for handler in root.handlers:
        handler.setLevel(level.upper())
    root.setLevel(min(logging.INFO, logging.getLevelNamesMapping()[level.upper()]))
    root.addHandler(JOURNAL)
    if file is not None:
        try:
            root.addHandler(JsonLines(file))
        except OSError as error:
            raise ConfigError(f"--log-file {file}: cannot be written: {error}") from error


def _size(text: str) -> tuple[int, int]:
    wide, _, high = text.partition("x")
    if not (wide.isdecimal() and high.isdecimal() and int(wide) >= 640 and int(high) >= 400):
        raise argparse.ArgumentTypeError(f"wanted WxH of at least 640x400, got {text}")
    return int(wide), int(high)


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"wanted a number of at least 1, got {text}")
    return value
