"""Options that several commands share, and the words they use for the screen."""

from __future__ import annotations

import argparse
import importlib.util
import logging
import os
from pathlib import Path

import platformdirs

from magis_calib.domain.errors import ConfigError


def default_session_dir() -> Path:
    """Return the platform's folder for sessions."""
    return platformdirs.user_data_path("magis-calib", appauthor=False) / "sessions"


def default_products_dir() -> Path:
    """Return the platform's folder for what procedures leave."""
    return platformdirs.user_data_path("magis-calib", appauthor=False) / "products"


def add_station_options(parser: argparse.ArgumentParser) -> None:
    """Add --config and --station."""
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration (default: the shipped one)")
    parser.add_argument("--station", metavar="NAME", help="a station of the configuration other than its default")


def add_run_options(parser: argparse.ArgumentParser) -> None:
    """Add what every command that runs drops understands."""
    parser.add_argument("--auto", action="store_true", help="run headless: no window")
    parser.add_argument("--drops", type=_count, metavar="N", help="stop after N drops")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write what happened to this file, JSON")
    parser.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="warning",
                        help="how much is said on stderr (default %(default)s)")  # fmt: skip


def check_folder(path: Path | None) -> None:
    """Refuse a file that could not be written at the end. Raises `ConfigError`."""
    if path is not None and not path.absolute().parent.is_dir():
        raise ConfigError(f"{path}: cannot be written: wanted an existing folder, got {path.absolute().parent}")


def start_logging(level: str) -> None:
    """Send the log to stderr."""
    form = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    logging.basicConfig(level=level.upper(), format=form)


def why_no_window() -> str:
    """Return why no window can be shown here, or an empty text."""
    if not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")):
        return "no display (DISPLAY, WAYLAND_DISPLAY and QT_QPA_PLATFORM are not set)"
    if importlib.util.find_spec("PySide6") is None or importlib.util.find_spec("pyqtgraph") is None:
        return "the window needs PySide6 and pyqtgraph: pip install 'magis-calib[gui]'"
    return ""


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"wanted a number of at least 1, got {text}")
    return value
