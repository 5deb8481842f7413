"""A window over a replay that can be turned to other drops."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from window_bench import StationBench, WindowBench, delete_now, kept_in, let_qt_work, wait_until

from magis_calib.recording.reader import Session
from magis_calib.replay.player import Replay
from ui.window.main_window import SETTLED_MS


class ReplayBench(WindowBench):
    """Ends the replay as the operator would."""

    @property
    def snapshot(self):
        return self.engine.snapshot

    def close(self) -> None:
        self.window.leave()
        wait_until(lambda: not self.window.isVisible(), "the window to close")
        assert self.engine.wait(10)
        self.window.deleteLater()
        del self.window
        wait_until(self._nothing_is_left, "the end of all widgets")
        delete_now()


@contextmanager
def replayed(recording: Path, folder: Path) -> Iterator[ReplayBench]:
    """Open a recording at its first drop, paused, with settings kept in the folder."""
    with Session(recording) as session:
        replay = Replay(session, math.inf, stays=True)
        replay.set_speed(0.0)
        with ReplayBench(replay, kept_in(folder)) as bench:
            replay.start()
            let_qt_work(
                2 * SETTLED_MS
            )  # it lays out its docks once it has its size: what a test shows stays in sight
            wait_until(lambda: bench.snapshot.latest is not None, "the first drop")
            bench.drawn()
            yield bench


def recorded(folder: Path, drops: int) -> Path:
    """Record so many drops of a simulated station and return the session."""
    with StationBench(folder, kept_in(folder)) as bench:
        wait_until(lambda: len(bench.snapshot.records) >= drops, f"{drops} drops")
        return Path(bench.snapshot.session)
