"""`magis-calib fit IMAGE…`: fit images from files, one JSON line each on stdout."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.progress import Progress

from magis_calib.cli.fit_facts import Cameras
from magis_calib.cli.fit_json import json_line
from magis_calib.cli.fit_options import parse_fit
from magis_calib.cli.fitting import FittedFile, FittedPair, fit_file, fit_pair
from magis_calib.cli.options import check_folder
from magis_calib.domain.errors import ConfigError, MagisError

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
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads any more: not worth a traceback
        return 0


class Batch:
    """All images of one command, one by one: a line on stdout for each, what goes wrong on stderr."""

    def __init__(self, options: argparse.Namespace, cameras: Cameras) -> None:
        self._options = options
        self._cameras = cameras
        step = 2 if options.pair else 1
        self._jobs = [tuple(options.images[at : at + step]) for at in range(0, len(options.images), step)]
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
    from magis_calib.cli.fit_plot import Plotter  # matplotlib takes half a second to load

    return Plotter(options.plot, several=len(options.images) > 1).draw
