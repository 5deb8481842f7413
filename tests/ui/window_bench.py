"""A window over a running station: the real engine,
the real simulators in a process of their own.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QSettings, QTimer
from PySide6.QtWidgets import QApplication, QLabel, QMenu, QPushButton, QWidget

from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.app.simulated import SimulatedProcess, on_free_ports
from magis_calib.config.loading import load_config, select_station
from magis_calib.recording.reader import Session
from magis_calib.replay.player import Replay
from magis_calib.run.engine import Engine
from magis_calib.state.commands import StopRun
from magis_calib.state.snapshot import Snapshot
from simulators.options import SimulationOptions
from ui.run import Run
from ui.style.theme import dress
from ui.widgets.label import ElidedLabel
from ui.window.main_window import MainWindow

PATIENCE_S = 40.0


def wait_until(condition: Callable[[], object], what: str) -> None:
    """Let Qt work until this is so: for fixtures that outlive one test and so cannot use
    `qtbot`.
    """
    until = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < until, f"waited in vain for {what}"
        let_qt_work(20)


def let_qt_work(for_ms: int) -> None:
    """Run an event loop, which leaves the interpreter to the threads of the run, unlike
    `QTest.qWait`.
    """
    loop = QEventLoop()
    QTimer.singleShot(for_ms, loop.quit)
    loop.exec()


def kept_in(folder: Path) -> QSettings:
    """Settings in a file of the test's own."""
    return QSettings(str(folder / "window.ini"), QSettings.Format.IniFormat)


class WindowBench:
    """An engine with its window: a context that ends both and checks that no widget is left."""

    def __init__(self, engine: Engine, settings: QSettings, *, close_confirm: bool = False) -> None:
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        dress(app)
        self.engine, self.settings = engine, settings
        self._before = set(QApplication.topLevelWidgets())
        self.window = show(engine, settings, close_confirm=close_confirm)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def snapshot(self) -> Snapshot:
        return self.engine.snapshot

    def drawn(self) -> Snapshot:
        """Draw everything and return the snapshot that all panels then show."""
        while True:
            snapshot = self.engine.snapshot
            self.window.tick_all()
            if self.engine.snapshot is snapshot:
                assert self.window.failures == []
                return snapshot

    def close(self) -> None:
        self.engine.submit(StopRun())
        wait_until(self.engine.finished.is_set, "the end of the run")
        self.window.close()
        self.window.deleteLater()
        del self.window
        wait_until(self._nothing_is_left, "the end of all widgets")

    def _nothing_is_left(self) -> bool:
        """Tell whether all that the window opened is gone, but for hidden menus: those of plots
        have no owner in Qt.
        """
        delete_now()
        left = set(QApplication.topLevelWidgets()) - self._before
        return all(isinstance(one, QMenu) and not one.isVisible() for one in left)


class StationBench(WindowBench):
    """The same on a simulated station that runs until `close`."""

    def __init__(
        self,
        folder: Path,
        settings: QSettings,
        *,
        silent_after_s: float = 5.0,
        close_confirm: bool = False,
        faults: Path | None = None,
        start: str = "closed",
        config_file: Path | None = None,
        interval_s: float = 0.0,
    ) -> None:
        config = load_config(config_file)
        name, station = select_station(config, None)
        station = station.model_copy(
            update={"loop": station.loop.model_copy(update={"start": start})}
        )
        links = station.links.model_copy(update={"silent_after_s": silent_after_s})
        station = station.model_copy(update={"links": links})
        self._until_closed = ExitStack()
        station, _ = self._until_closed.enter_context(on_free_ports(station, own=False))
        options = SimulationOptions(sensor="small", interval_s=interval_s, seed=7, faults=faults)
        run = LiveRun(
            config,
            name,
            station,
            RunRequest(
                folder,
                about={"simulated": True},
                products=folder / "products",
                go_on=False,
                config_file=config_file,
            ),
        )
        self._until_closed.callback(run.close)
        self._simulated = SimulatedProcess(options, station, None, name, None)
        self._until_closed.callback(self._simulated.stop)
        run.engine.start()
        super().__init__(run.engine, settings, close_confirm=close_confirm)

    def kill_station(self) -> None:
        """End the simulators as a power cut would."""
        self._simulated._process.kill()

    def close(self) -> None:
        with self._until_closed:
            super().close()


def replay_engine(folder: Path, speed: float) -> Engine:
    """Return an engine that replays a session, not yet started."""
    return Replay(Session(folder), speed).engine


def show(run: Run, settings: QSettings, *, close_confirm: bool = False) -> MainWindow:
    """Open a window of the usual size."""
    window = MainWindow(run, settings, close_confirm=close_confirm)
    window.show()
    return window


def delete_now() -> None:
    """Let Qt and Python delete what nobody wants any more."""
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()


def said(widget: QWidget) -> str:
    """Return everything that can be read in a widget."""
    kinds = [
        one for kind in (ElidedLabel, QLabel, QPushButton) for one in widget.findChildren(kind)
    ]
    return " | ".join(one.text() for one in kinds if one.isVisible() and one.text())


def items_of(widget: QWidget, kind: type) -> list:
    """Return the plotted items of this kind that can be seen in a widget."""
    (view,) = [
        one for one in widget.findChildren(pg.GraphicsView) if type(one).__name__ != "AxisItem"
    ]
    return [one for one in view.scene().items() if isinstance(one, kind) and one.isVisible()]


def points(item: pg.PlotCurveItem | pg.ScatterPlotItem) -> np.ndarray:
    """Return the finite points of an item as rows of x and y."""
    found = np.stack([np.asarray(one, dtype=float) for one in item.getData()], axis=1)
    return found[np.isfinite(found).all(axis=1)]
