"""`magis-calib fit IMAGE…`: fit images from files, one JSON line each on stdout."""

from __future__ import annotations

import argparse
import itertools
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from magis_calib.batch.camera_facts import Cameras
from magis_calib.batch.fit_files import FittedFile, FittedPair, fit_file, fit_pair
from magis_calib.batch.json_lines import json_line
from magis_calib.cli.options import add_station_options, check_folder
from magis_calib.domain.camera import VIEWS
from magis_calib.domain.errors import ConfigError, MagisError
from magis_calib.estimation.models import known_models

PLOT_ENDINGS = (".png", ".pdf", ".svg")


def parse_fit(argv: Sequence[str]) -> argparse.Namespace:
    """Return the options; exits with code 2 and a message where they cannot be used."""
    parser = _parser()
    arguments = parser.parse_intermixed_args(_join_negative(argv))
    if arguments.pair and len(arguments.images) % 2:
        parser.error(
            f"--pair: wanted an even number of images (x, y, x, y …), got {len(arguments.images)}"
        )
    if arguments.pair and arguments.view:
        parser.error("--view: not with --pair, which takes the images as view x, view y in turn")
    arguments.view = arguments.view or "x"
    return arguments


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="magis-calib fit",
        description="Fit images from files: one JSON line each on stdout, in the order given.",
        epilog="Exit code 0: every image was fitted, usable or not; 2: an image could not be read, "
        "or bad usage.",
    )
    parser.add_argument(
        "images",
        nargs="+",
        metavar="IMAGE",
        help=".npy, .tif, .png, .pgm, .fits[UNIT], FILE.h5:/dataset[INDEX]",
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
    return parser


def _add_facts(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--object-pixel-m",
        type=_number(above=0),
        metavar="M",
        help="size of a pixel in the object (default 16e-6)",
    )
    group.add_argument(
        "--gain", type=_number(above=0), metavar="G", help="electrons per count (default 1)"
    )
    group.add_argument(
        "--offset", type=_number(), metavar="COUNTS", help="counts without light (default 0)"
    )
    group.add_argument(
        "--read-noise",
        type=_number(least=0),
        metavar="E",
        help="electrons, standard deviation (default 0)",
    )
    group.add_argument("--bits", type=_whole(1, 16), metavar="N", help="of the ADC (default 16)")
    group.add_argument(
        "--saturation",
        type=_whole(1, 65535),
        metavar="COUNTS",
        help="a pixel there is saturated (default: full scale of the ADC or of the file)",
    )
    group.add_argument(
        "--excess",
        type=_number(least=0),
        metavar="E",
        help="photoelectrons per atom, for the noise and the number of atoms (default 0)",
    )
    group.add_argument(
        "--lsb-counts",
        type=_whole(1, 65535),
        metavar="COUNTS",
        help="counts per step of the ADC, 16 for left-aligned 12 bit (default 1)",
    )
    for port, place in (("a", "7.5e-3"), ("b", "-7.5e-3")):
        group.add_argument(
            f"--port-{port}-displacement-m",
            type=_number(),
            metavar="M",
            help=f"nominal height of port {port} (default {place})",
        )


def _number(above: float = -math.inf, least: float = -math.inf) -> Callable[[str], float]:
    def parse(text: str) -> float:
        value = float(text)
        if not (math.isfinite(value) and value > above and value >= least):
            limit = (
                f" above {above:g}"
                if above > -math.inf
                else f" of at least {least:g}"
                if least > -math.inf
                else ""
            )
            raise argparse.ArgumentTypeError(f"wanted a number{limit}, got {text}")
        return value

    parse.__name__ = "number"
    return parse


def _whole(least: int, most: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(
                f"wanted a whole number from {least} to {most}, got {text}"
            )
        return value

    parse.__name__ = "whole number"
    return parse


def _plot(text: str) -> Path:
    path = Path(text)
    if path.suffix.lower() not in PLOT_ENDINGS:
        raise argparse.ArgumentTypeError(
            f"wanted a file that ends in {', '.join(PLOT_ENDINGS)}, got {text}"
        )
    return path


def _join_negative(argv: Sequence[str]) -> list[str]:
    """Write `--option -1e-3` as `--option=-1e-3`: argparse takes only plain digits for a negative
    number.
    """
    words = list(argv)
    for at, (option, value) in reversed(list(enumerate(itertools.pairwise(argv)))):
        if (
            option.startswith("--")
            and "=" not in option
            and value.startswith("-")
            and _is_number(value)
        ):
            words[at : at + 2] = [f"{option}={value}"]
    return words


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


QUIET_FILES = 3
"""A bar shows the progress of more files than this."""


def main(argv: Sequence[str]) -> int:
    """Fit every image that can be read; exit 2 where one could not, or for bad usage."""
    options = parse_fit(argv)
    try:
        check_folder(options.plot)
        batch = Batch(options, Cameras(options))
    except ConfigError as error:
        print(f"magis-calib fit: {error}", file=sys.stderr)
        return 2
    try:
        return batch.run()
    except BrokenPipeError:
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
        )  # nobody reads any more: not worth a traceback
        return 0


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
            if self._options.report:
                self._say(f"{file.name}, view {file.camera.view}\n{file.report}")
            if self._draw is not None:
                self._draw(file)

    def _say(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def _drawer(options: argparse.Namespace) -> Callable[[FittedFile], None]:
    from magis_calib.figures.fit import Plotter  # matplotlib takes half a second to load

    return Plotter(options.plot, several=len(options.images) > 1).draw
