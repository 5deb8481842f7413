"""A run from its start to its last words: shown in the window or headless, ended, reported."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Protocol

from magis_calib.app.display import draw_off_screen, why_no_window
from magis_calib.app.headless import Watched, watch
from magis_calib.app.report import Truth, build_report, write_report
from magis_calib.app.stopping import Stopping
from magis_calib.config.station import Station
from magis_calib.host.outlet import held_by_nobody
from magis_calib.host.stopping import on_stop
from magis_calib.host.terminal import remark
from magis_calib.run.engine import Engine
from magis_calib.state.commands import StopRun


class Startable(Watched, Protocol):
    """A run that has yet to begin."""

    def start(self) -> None:
        """Begin."""


def start_and_show(engine: Startable, headless: bool, arguments: argparse.Namespace) -> None:
    """Run until the end, shown in the window or headless.

    Whatever happens, the run is stopped and written.
    """
    stopping = Stopping(engine)
    with held_by_nobody(), on_stop(stopping.heard):
        engine.start()
        try:
            _show(engine, headless, arguments)
        except BrokenPipeError:
            os.dup2(
                os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno()
            )  # nobody reads any more: not worth a traceback
        finally:
            engine.submit(StopRun())
            engine.wait()
            stopping.ended()


def _show(engine: Watched, headless: bool, arguments: argparse.Namespace) -> None:
    if arguments.screenshot is not None:
        draw_off_screen()
    reason = "" if headless else why_no_window()
    if reason:
        remark(f"running headless: {reason}")
    if headless or reason:
        watch(engine)
        return
    from ui.app import Look, run_window

    run_window(
        engine,
        look=Look(
            arguments.theme,
            arguments.font_size,
            arguments.arrangement,
            arguments.window_size,
            arguments.screenshot,
            arguments.drops or 1,
        ),
    )


def finish(
    engine: Engine, report: Path | None, station: Station, drops: int | None, truth: Truth | None
) -> int:
    """Write the report and return the exit code."""
    if report is not None:
        try:
            write_report(report, build_report(engine, station, drops, truth))
        except (OSError, ValueError) as error:
            remark(f"magis-calib: {report}: cannot write the report: {error}")
            return 2
    remark(farewell(engine))
    if engine.bad_end:
        word = "fault" if engine.fault else "at the end"
        remark(f"magis-calib: {word}: {engine.bad_end}")
        return 1
    return 0


def farewell(engine: Engine) -> str:
    """Return one line that confirms how the run ended and what is safe."""
    snapshot = engine.snapshot
    counts = engine.snapshot.counters
    drops = f"{counts.complete + counts.incomplete} drops, {counts.usable} usable"
    if snapshot.mode == "replay":
        return f"replayed: {drops}; nothing was sent or recorded"
    left = f"; {engine.left}" if engine.left else ""
    if not snapshot.session:
        return f"stopped: {drops}{left}; nothing was recorded"
    unstored = f", {counts.not_stored} NOT stored" if counts.not_stored else ""
    return (
        f"stopped: {drops}; {counts.stored} frames stored{unstored}, {counts.lost} lost{left}; "
        f"session {snapshot.session}"
    )
