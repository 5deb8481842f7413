"""The operator window: a timer pulls the newest snapshot, panels draw what changed.

Here the path of a pair ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QChildEvent, QEvent, QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QContextMenuEvent
from PySide6.QtWidgets import (
    QMainWindow,
    QSplitter,
    QTabBar,
    QToolBar,
    QWidget,
)

from magis_calib.state.commands import StopRun
from magis_calib.state.snapshot import Snapshot
from ui.export.dialog import Exports
from ui.models.plot import Origin
from ui.run import Run
from ui.style.scheme import FONT_SIZES_PT, chosen
from ui.widgets.boxes import in_column
from ui.widgets.confirm import ConfirmBar
from ui.widgets.quiet import CalmWheel
from ui.window import layout
from ui.window.actions import Actions
from ui.window.dock import Arrangement, DockWidget
from ui.window.docks import DOCKS
from ui.window.menus import Menus
from ui.window.open_recording import ask_for_recording, replay_apart
from ui.window.panel_guard import PanelGuard
from ui.window.panels import Panels, PanelType
from ui.window.status_bar import StatusLine

TICK_MS = 20
ROUNDS = 2
"""What is made ready aside may have begun with the drop before, or at another zoom."""
SETTLED_MS = 250
SAVE_LAYOUT_MS = 10_000
LEAVE_QUESTION = (
    "End the run and close the window? The recorder is drained and the final state is written "
    "first."
)


class MainWindow(QMainWindow):
    """Shows a run. Emits `left` once it is closed for good."""

    left = Signal()

    def __init__(
        self,
        run: Run,
        settings: QSettings,
        *,
        title: str = "magis-calib",
        close_confirm: bool = True,
        quit_when_finished: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Show `run`; `settings` keep the layout; `clock` (s, monotonic) is that of snapshots.

        `close_confirm`: closing asks first; `quit_when_finished`: the end of the run closes it;
        `title`: what its title begins with.
        """
        super().__init__()
        self._run = run
        self._settings = settings
        self._title = title
        self._clock = clock
        self._close_confirm = close_confirm
        self._quit_when_finished = quit_when_finished
        self._stopping_since_s: float | None = None
        replayed = run.snapshot.mode == "replay"
        self._arrangement: Arrangement = "replay" if replayed else "run"
        self._place: layout.LayoutFor = "replay" if replayed else "window"
        self._turn = 0
        self._calm = CalmWheel(self)
        self.panels = Panels(run, settings, DOCKS)
        self._build_middle()
        self.docks = self._build_docks()
        self.menu_actions = Actions(self.panels, self.bring_up_panel)
        self._status = StatusLine(self.statusBar())
        self.exports = self._make_exports()
        self.menus = Menus(self.menuBar(), self, run.submit)
        self._restore_layout()
        self._ticks = self._timer(TICK_MS, self.tick)
        self._saves = self._timer(SAVE_LAYOUT_MS, self._save_layout)

    @property
    def failures(self) -> list[str]:
        """What panels failed to draw at their last refresh."""
        return [guard.failure for guard in self.panels.guards.values() if guard.failure]

    def tick(self) -> None:
        """Pull the newest snapshot once and let the panels whose turn it is draw what changed.

        A costly one has a tick of its own, so that nothing stutters.
        """
        snapshot = self._run.snapshot
        self.panels.prepare(snapshot)
        guards = self.panels.guards.values()
        costly = [guard for guard in guards if guard.costly]
        self._turn = (self._turn + 1) % (ROUNDS * len(costly) + 1)
        if self._turn == ROUNDS * len(costly):
            self._draw([guard for guard in guards if not guard.costly], snapshot)
        elif (guard := costly[self._turn % len(costly)]).due(self._clock()):
            guard.refresh(snapshot, self._clock())

    def tick_all(self) -> None:
        """Let every panel draw all that changed in the newest snapshot, however long that takes."""
        snapshot = self._run.snapshot
        guards = list(self.panels.guards.values())
        self.panels.image_history.see(snapshot)
        for _ in range(ROUNDS):
            self._draw(guards, snapshot)
            self.panels.settle()
        self._draw(guards, snapshot)

    def leave(self) -> None:
        """End the run and close when it has ended; the window stays alive meanwhile."""
        if self._run.snapshot.finished:
            self.close()
        elif self._stopping_since_s is None:
            self._stopping_since_s = self._clock()
            self.leave_question.hide()
            self._run.submit(StopRun())

    def bring_up(self, name: str) -> None:
        """Show a dock before all others, with what is newest in it."""
        dock = self.docks[name]
        dock.show()
        dock.raise_()
        dock.inside.refresh(self._run.snapshot, self._clock())

    def bring_up_panel(self, kind: type[PanelType]) -> PanelType:
        """Do so with the dock of the panel of this class, and return that panel."""
        panel = self.panels.of(kind)
        self.bring_up(next(name for name, one in self.docks.items() if one.inside.panel is panel))
        return panel

    def reset_layout(self) -> None:
        """Put all docks back as shipped, in the arrangement that was chosen last."""
        self.arrange(self._arrangement)

    def arrange(self, which: Arrangement) -> None:
        """Lay the docks out in one of the shipped ways."""
        self._arrangement = which
        layout.arrange(self, list(self.docks.values()), which)

    def open_recording(self) -> None:
        """Ask which recording to replay beside this run; nothing stops meanwhile."""
        begin_in = str(Path(self._run.snapshot.session or ".").absolute().parent)
        ask_for_recording(
            self, begin_in, lambda folder: self._status.announce(replay_apart(folder))
        )

    def arrange_soon(self, which: Arrangement | None = None) -> None:
        """Do so once the window is on the screen: a window manager may give it another size."""
        self._arrangement = which or self._arrangement
        QTimer.singleShot(SETTLED_MS, self, self.reset_layout)

    def remember(self, key: str, value: object) -> None:
        """Keep how the window shall look the next time it is opened, and say so."""
        self._settings.setValue(f"window/{key}", value)
        self._status.announce(f"{key.replace('_pt', ' size')}: {value}, from the next start on")

    def resize_type(self, by: int) -> None:
        """Remember the next larger (+1) or smaller (-1) size of type."""
        now_pt = float(str(self._settings.value("window/font_pt") or chosen()[1]))
        at = _nearest_size(now_pt)
        self.remember("font_pt", FONT_SIZES_PT[min(max(0, at + by), len(FONT_SIZES_PT) - 1)])

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: D102
        if self._run.snapshot.finished:
            self._ticks.stop()
            self._saves.stop()
            self.panels.shut_down()
            self._save_layout()
            event.accept()
            self.left.emit()
            return
        event.ignore()
        if (
            self._stopping_since_s is None
            and self._close_confirm
            and not self.leave_question.isVisible()
        ):
            self.leave_question.show_question(LEAVE_QUESTION)
        else:
            self.leave()

    def childEvent(self, event: QChildEvent) -> None:  # noqa: D102
        if event.type() == QEvent.Type.ChildPolished and isinstance(event.child(), QTabBar):
            event.child().installEventFilter(self._calm)
        super().childEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: D102
        menu = self.exports.menu_at(event.globalPos())  # never Qt's own, which hides docks
        if menu is not None:
            menu.popup(event.globalPos())

    def _draw(self, guards: Sequence[PanelGuard], snapshot: Snapshot) -> None:
        now_s = self._clock()
        for guard in guards:
            guard.refresh(snapshot, now_s)
        self.menus.refresh(snapshot)
        self._status.refresh(snapshot, now_s, self._going_on(snapshot, now_s))
        self._say_title(snapshot)
        if snapshot.finished:
            self.leave_question.hide()
        if snapshot.finished and (self._stopping_since_s is not None or self._quit_when_finished):
            self.close()

    def _make_exports(self) -> Exports:
        run, panels = self._run, self.panels
        announce = self._status.announce
        return Exports(
            self, panels.plots, lambda: Origin.of(run.snapshot), announce, panels.drawing
        )

    def _timer(self, interval_ms: int, action: Callable[[], None]) -> QTimer:
        timer = QTimer(self, interval=interval_ms)
        timer.timeout.connect(action)
        timer.start()
        return timer

    def _restore_layout(self) -> None:
        """Put the window as it was left, else as shipped."""
        self.resize(layout.first_size())
        if not layout.restore(self, list(self.docks.values()), self._settings, self._place):
            self.reset_layout()
            self.arrange_soon()

    def _save_layout(self) -> None:
        layout.save(self, self._settings, self._place)

    def _build_middle(self) -> None:
        self.leave_question = ConfirmBar("End and close", "Keep running")
        self.leave_question.accepted.connect(self.leave)
        guards = self.panels.guards
        pictures = QSplitter(Qt.Orientation.Horizontal)
        pictures.setChildrenCollapsible(False)
        for view in self.panels.images:
            pictures.addWidget(guards[f"view {view}"])
        middle = QWidget()
        strips = (self.leave_question, self.panels.level_strip)
        parts = (*strips, (pictures, 1), guards["history"])
        in_column(*parts, on=middle, margins_px=(0, 0, 0, 0), spacing_px=0)
        self.setCentralWidget(middle)
        middle.setFocus()  # else the first button of the window looks chosen

    def _build_docks(self) -> dict[str, DockWidget]:
        bar = QToolBar("State line", self)
        bar.setObjectName("state_line")
        bar.setMovable(False)
        bar.toggleViewAction().setEnabled(False)
        bar.addWidget(self.panels.guards["state line"])
        self.addToolBar(bar)
        self.setDockNestingEnabled(True)
        docked = self.panels.docked
        return {line.name: DockWidget(line, docked[line.name], self) for line in DOCKS}

    def _going_on(self, snapshot: Snapshot, now_s: float) -> str:
        if self._stopping_since_s is None or snapshot.finished:
            return ""
        return f"stopping: draining the recorder… {now_s - self._stopping_since_s:.0f} s"

    def _say_title(self, snapshot: Snapshot) -> None:
        parts = [self._title, snapshot.title or snapshot.station]
        parts += ["REPLAY"] if snapshot.mode == "replay" else []
        parts += ["run ended"] if snapshot.finished else []
        self.setWindowTitle(" · ".join(part for part in parts if part))


def _nearest_size(size_pt: float) -> int:
    """Return the place of the size of type that is nearest to this."""
    return min(range(len(FONT_SIZES_PT)), key=lambda place: abs(FONT_SIZES_PT[place] - size_pt))
