"""`magis-calib fit IMAGE…`: fit images from files, one JSON line each on stdout."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from magis_calib.batch.camera_facts import Cameras
from magis_calib.batch.fit_files import FittedFile, FittedPair, fit_file, fit_pair
from magis_calib.batch.json_lines import json_line
from magis_calib.cli.options import add_station_options, check_folder
from magis_calib.domain.camera import VIEWS
from magis_calib.domain.errors import MagisError
from magis_calib.estimation.models import known_models
from magis_calib.host.command_line import Parser, UsageError, number, whole

PLOT_ENDINGS = (".png", ".pdf", ".svg")


HELP = """Fit images from files: one JSON line each on stdout, in the order given.

Exit code 0: every image was fitted, usable or not; 2: an image could not be read, or bad usage.
"""


def add_options(parser: Parser) -> None:
    """Add the images and what is to be known of them."""
    parser.intermixed = True
    parser.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help=".npy, .npz, .tif, .png, .pgm, .fits[UNIT], FILE.h5:/dataset[INDEX]",
    )
    parser.add_argument(
        "--pair", action="store_true", help="take the images two by two: view x, view y of one drop"
    )
    parser.add_argument(
        "--model",
        choices=known_models(),
        help="(default: the configuration's: two_port_fringe for view x, two_port for y)",
    )
    parser.add_argument("--view", choices=VIEWS, help="which view the images show (default x)")
    add_station_options(parser)
    _add_facts(
        parser.add_argument_group("facts of the camera", "over those written in the configuration")
    )
    parser.add_argument(
        "--plot",
        type=_plot,
        metavar="FILE",
        help="draw data, fit and residual; several images: FILE_<image>",
    )
    parser.add_argument(
        "--report", action="store_true", help="print lmfit's report of every fit on stderr"
    )


FACTS: tuple[tuple[str, Callable[[str], float], str, str], ...] = (
    ("--object-pixel-m", number(above=0), "M", "size of a pixel in the object (default 16e-6)"),
    ("--gain", number(above=0), "G", "electrons per count (default 1)"),
    ("--offset", number(), "COUNTS", "counts without light (default 0)"),
    ("--read-noise", number(least=0), "E", "electrons, standard deviation (default 0)"),
    ("--bits", whole(1, 16), "N", "of the ADC (default 16)"),
    (
        "--saturation",
        whole(1, 65535),
        "COUNTS",
        "a pixel there is saturated (default: full scale of the ADC or of the file)",
    ),
    (
        "--excess",
        number(least=0),
        "E",
        "photoelectrons per atom, for the noise and the number of atoms (default 0)",
    ),
    (
        "--lsb-counts",
        whole(1, 65535),
        "COUNTS",
        "counts per step of the ADC, 16 for left-aligned 12 bit (default 1)",
    ),
    ("--port-a-displacement-m", number(), "M", "nominal height of port a (default 7.5e-3)"),
    ("--port-b-displacement-m", number(), "M", "nominal height of port b (default -7.5e-3)"),
)


def _add_facts(group: argparse._ArgumentGroup) -> None:
    for flag, read, metavar, meaning in FACTS:
        group.add_argument(flag, type=read, metavar=metavar, help=meaning)


def _plot(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in PLOT_ENDINGS:
        raise argparse.ArgumentTypeError(
            f"wanted a file that ends in {', '.join(PLOT_ENDINGS)}, got {text}"
        )
    return path


QUIET_FILES = 3
"""A bar shows the progress of more files than this."""


def _check_pairs(asked: argparse.Namespace) -> None:
    """Refuse images that are no pairs, or pairs of one view. Raises `UsageError`."""
    if len(asked.images) % 2:
        wanted = "--pair: wanted an even number of images (x, y, x, y …)"
        raise UsageError(f"{wanted}, got {len(asked.images)}")
    if asked.view:
        raise UsageError(
            "--view: not with --pair, which takes the images as view x, view y in turn"
        )


def run(asked: argparse.Namespace) -> int:
    """Fit every image that can be read; 2 where one could not."""
    if asked.pair:
        _check_pairs(asked)
    asked.view = asked.view or "x"
    check_folder(asked.plot)
    return Batch(asked, Cameras(asked)).run()


class Batch:
    """All images of one command, one by one: a line on stdout for each,
    what goes wrong on stderr.
    """

    def __init__(self, options: argparse.Namespace, cameras: Cameras) -> None:
        self._options = options
        self._cameras = cameras
        step = 2 if options.pair else 1
        self._jobs = [
            tuple(options.images[at : at + step]) for at in range(0, len(options.images), step)
        ]
        self._console = Console(stderr=True)
        self._draw = _drawer(options) if options.plot else None

    def run(self) -> int:
        """Fit all; return the exit code."""
        watched = self._console.is_terminal and not sys.stdout.isatty()
        hidden = not watched or len(self._options.images) <= QUIET_FILES
        bar = Progress(console=self._console, transient=True, disable=hidden, redirect_stdout=False)
        code = 0
        with bar:
            for job in bar.track(self._jobs, description="fit"):
                try:
                    self._fit(job)
                except MagisError as error:
                    self._say(f"magis-calib fit: {error}")
                    code = 2
        return code

    def _fit(self, job: tuple[str, ...]) -> None:
        fitted: FittedFile | FittedPair
        if self._options.pair:
            fitted = fit_pair(job, self._cameras)
            files = list(fitted.views.values())
        else:
            fitted = fit_file(job[0], self._options.view, self._cameras)
            files = [fitted]
        print(json_line(fitted), flush=True)
        for file in files:
            if file.remark:
                self._say(f"magis-calib fit: {file.name}: {file.remark}")
            if self._options.report:
                self._say(f"{file.name}, view {file.camera.view}\n{file.report}")
            if self._draw is not None:
                self._draw(file)

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def _drawer(options: argparse.Namespace) -> Callable[[FittedFile], None]:
    from magis_calib.figures.fit import Plotter  # matplotlib takes half a second to load

    return Plotter(options.plot, several=len(options.images) > 1).draw
