"""The operator window: panels around two images, one timer that pulls the newest snapshot, one way to leave."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from PySide6.QtCore import QSettings, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QContextMenuEvent
from PySide6.QtWidgets import QMainWindow, QSplitter, QToolBar, QVBoxLayout, QWidget

from magis_calib.domain.camera import VIEWS
from magis_calib.domain.commands import StopRun
from magis_calib.domain.snapshot import Snapshot
from ui import layout
from ui.alarms_panel import AlarmsPanel
from ui.aside import Aside
from ui.export_dialog import Exports
from ui.fringe_panel import FringePanel
from ui.guard import Guarded, Refresh
from ui.history_bar import HistoryBar
from ui.image_panel import ImagePanel
from ui.ledger_panel import LedgerPanel
from ui.level_strip import LevelStrip
from ui.levels import CommonLevels
from ui.look_back import LookBack
from ui.loop_panel import LoopPanel
from ui.matrix_panel import MatrixPanel
from ui.menus import Deeds, Menus
from ui.plot import Origin, Plot
from ui.procedures_panel import ProceduresPanel
from ui.question import Question
from ui.run import Run
from ui.settings_panel import SettingsPanel
from ui.state_line import StateLine
from ui.statistics_panel import StatisticsPanel
from ui.status import StatusLine
from ui.targets_panel import TargetsPanel
from ui.trends import TrendsPanel
from ui.why_panel import WhyPanel

TICK_MS = 20
COSTLY = ("view x", "view y", "fringe", "trends")
"""Panels that take ten milliseconds or more for a new drop: one each tick, then all others; so nothing stutters."""
ROUNDS = 2
"""What is made ready aside may have begun with the drop before, or at another zoom."""
SETTLED_MS = 250
SAVE_LAYOUT_MS = 10_000
LEAVE_QUESTION = "End the run and close the window? The recorder is drained and the final state is written first."


class MainWindow(QMainWindow):
    """Shows a run. Emits `left` once it is closed for good."""

    left = Signal()

    def __init__(self, run: Run, settings: QSettings, *, title: str = "magis-calib", close_confirm: bool = True,
                 quit_when_finished: bool = False, clock: Callable[[], float] = time.monotonic) -> None:  # fmt: skip
        super().__init__()
        self._run, self._settings, self._title, self._clock = run, settings, title, clock
        self._close_confirm, self._quit_when_finished = close_confirm, quit_when_finished
        self._stopping_since_s: float | None = None
        self._arrangement: layout.Arrangement = "run"
        self._guards: dict[str, Guarded] = {}
        self._turn = 0
        self.state_line = StateLine()
        self._aside = ThreadPoolExecutor(1, "draw")
        self._recalls = ThreadPoolExecutor(1, "recall")
        self.look_back = LookBack(self._recalls)
        self.levels = CommonLevels()
        self.images = {view: ImagePanel(view, self._aside, self.look_back, self.levels) for view in VIEWS}
        self.level_strip = LevelStrip(self.levels)
        for panel in self.images.values():
            panel.fixed_levels_wanted.connect(self.level_strip.ask)
        self.history = HistoryBar(self.look_back)
        self.why = WhyPanel(self.look_back, self.history.step, self.history.follow)
        self.loop, self.ledger = LoopPanel(run.submit), LedgerPanel(run.submit)
        self.fringe, self.trends = FringePanel(self._aside, self.look_back), TrendsPanel(settings)
        self.alarms, self.procedures = AlarmsPanel(run.submit), ProceduresPanel(run.submit)
        self.statistics = StatisticsPanel(self._aside, self.trends)
        self.settings = SettingsPanel(run.submit, self._aside)
        self.targets, self.matrix = TargetsPanel(run.submit), MatrixPanel()
        self.exports = Exports(self, self.plots, lambda: Origin.of(run.snapshot), self.announce, self._aside)
        self.ledger.chosen.connect(self.explain)
        self.trends.chosen.connect(self.explain)
        self.leave_question = Question("End and close", "Keep running")
        self.leave_question.accepted.connect(self.leave)
        self._build()
        deeds = Deeds(self.close, run.submit, self.reset_layout, self.levels.find_anew, self.level_strip.ask,
                      self.ask_return,
                      self.alarms.acknowledge_all, self.show_procedures, self.ask_procedure,
                      self.ask_cancel, self.arrange, self.remember, self.trends.step,
                      self.ledger.explain, self.history.step, self.history.follow,
                      self.show_statistics, self.show_settings, self.exports, self.edit_targets)  # fmt: skip
        self.menus = Menus(self, deeds, self.docks.values())
        self._middle.setFocus()  # else the first button of the window looks chosen
        self._status = StatusLine(self.statusBar())
        self.resize(layout.first_size())
        if not layout.restore(self, settings):
            self.reset_layout()
            self.arrange_soon(self._arrangement)
        self._ticks = QTimer(self, interval=TICK_MS)
        self._ticks.timeout.connect(self.tick)
        self._ticks.start()
        self._saves = QTimer(self, interval=SAVE_LAYOUT_MS)
        self._saves.timeout.connect(lambda: layout.save(self, self._settings))
        self._saves.start()

    @property
    def failures(self) -> list[str]:
        """What panels failed to draw at their last refresh."""
        return [guard.failure for guard in self._guards.values() if guard.failure]

    def tick(self) -> None:
        """Pull the newest snapshot once and let the panels whose turn it is draw what changed."""
        snapshot = self._run.snapshot
        self.look_back.see(snapshot)
        for panel in self.images.values():
            panel.prepare(snapshot)
        self.fringe.prepare(snapshot)
        self._turn = (self._turn + 1) % (len(COSTLY) + 1)
        if self._turn < len(COSTLY):
            self._guards[COSTLY[self._turn]].refresh(snapshot, self._clock())
        else:
            self._draw([guard for name, guard in self._guards.items() if name not in COSTLY], snapshot)

    def tick_all(self) -> None:
        """Pull the newest snapshot once and let every panel draw all that changed, however long that takes."""
        snapshot = self._run.snapshot
        self.look_back.see(snapshot)
        asides: list[Aside[Any, Any]] = [*(panel.aside for panel in self.images.values()), self.fringe.aside,
                                         self.statistics.aside, self.settings.aside]  # fmt: skip
        for _ in range(ROUNDS):
            self._draw(list(self._guards.values()), snapshot)
            for aside in asides:
                aside.settle()
        self._draw(list(self._guards.values()), snapshot)

    def leave(self) -> None:
        """End the run and close when it has ended; the window stays alive meanwhile."""
        if self._run.snapshot.finished:
            self.close()
        elif self._stopping_since_s is None:
            self._stopping_since_s = self._clock()
            self.leave_question.hide()
            self._run.submit(StopRun())

    def plots(self) -> list[Plot]:
        """Return every plot that can be seen now."""
        images = [plot for panel in self.images.values() for plot in panel.plots()]
        drawn = [*images, *self.fringe.plots(), *self.trends.plots(), *self.statistics.plots()]
        return [plot for plot in drawn if plot.in_sight]

    def announce(self, text: str) -> None:
        """Say something in the status line until the next command is answered."""
        self._status.announce(text)

    def show_statistics(self, name: str = "") -> None:
        """Bring up the statistics, of this quantity where one is named."""
        if name:
            self.statistics.choose(name)
        self._bring_up("Statistics")

    def show_settings(self) -> None:
        """Bring up the settings of the run and give them the keyboard."""
        self._bring_up("Settings")
        self.settings.take_focus()

    def ask_return(self) -> None:
        """Ask in the ledger whether to go back to the setpoints of its selected drop."""
        self._bring_up("Ledger")
        self.ledger.ask_return()

    def explain(self, drop_id: int) -> None:
        """Show the images of this drop, and tell why that was decided which was."""
        self.look_back.choose(drop_id)
        self._bring_up("Why")

    def show_procedures(self) -> None:
        """Bring up the procedures and give them the keyboard."""
        self._bring_up("Procedures")
        self.procedures.take_focus()

    def ask_procedure(self, name: str) -> None:
        """Ask among the procedures whether this one shall begin."""
        self._bring_up("Procedures")
        self.procedures.ask(name)

    def ask_cancel(self) -> None:
        """Ask among the procedures whether the one that runs shall end."""
        self._bring_up("Procedures")
        self.procedures.ask_cancel()

    def edit_targets(self) -> None:
        """Bring up targets, gains and limits and give the keyboard to the first field."""
        self._bring_up("Targets")
        self.targets.refresh(self._run.snapshot, self._clock())
        self.targets.take_focus()

    def reset_layout(self) -> None:
        """Put all docks back as shipped, in the arrangement that was chosen last."""
        self.arrange(self._arrangement)

    def arrange(self, which: layout.Arrangement) -> None:
        """Lay the docks out in one of the shipped ways."""
        self._arrangement = which
        layout.arrange(self, self.docks, which)

    def arrange_soon(self, which: layout.Arrangement) -> None:
        """Do so once the window is on the screen: a window manager may give it another size."""
        self._arrangement = which
        QTimer.singleShot(SETTLED_MS, self, self.reset_layout)

    def remember(self, key: str, value: object) -> None:
        """Keep how the window shall look the next time it is opened, and say so."""
        self._settings.setValue(f"window/{key}", value)
        self._status.announce(f"{key.replace('_pt', ' size')}: {value}, from the next start on")

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: D102
        if self._run.snapshot.finished:
            self._ticks.stop()
            self._saves.stop()
            self._aside.shutdown()
            self._recalls.shutdown(cancel_futures=True)
            layout.save(self, self._settings)
            event.accept()
            self.left.emit()
            return
        event.ignore()
        if self._stopping_since_s is None and self._close_confirm and not self.leave_question.isVisible():
            self.leave_question.ask(LEAVE_QUESTION)
        else:
            self.leave()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: D102
        menu = self.exports.menu_at(event.globalPos())  # never Qt's own, which hides docks
        if menu is not None:
            menu.popup(event.globalPos())

    def _draw(self, guards: Sequence[Guarded], snapshot: Snapshot) -> None:
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

    def _build(self) -> None:
        pictures = QSplitter(Qt.Orientation.Horizontal)
        pictures.setChildrenCollapsible(False)
        for view, panel in self.images.items():
            pictures.addWidget(self._guard(f"view {view}", panel, panel.refresh))
        middle = self._middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.leave_question)
        column.addWidget(self.level_strip)
        column.addWidget(pictures, 1)
        column.addWidget(self._guard("history", self.history, self.history.refresh))
        self.setCentralWidget(middle)
        self._build_docks()

    def _build_docks(self) -> None:
        bar = QToolBar("State line", self)
        bar.setObjectName("state_line")
        bar.setMovable(False)
        bar.toggleViewAction().setEnabled(False)
        bar.addWidget(self._guard("state line", self.state_line, self.state_line.refresh))
        self.addToolBar(bar)
        self.setDockNestingEnabled(True)
        guarded = {
            "Loop": self._guard("loop", self.loop, self.loop.refresh),
            "Fringe": self._guard("fringe", self.fringe, self.fringe.refresh),
            "Trends": self._guard("trends", self.trends, self.trends.refresh),
            "Ledger": self._guard("ledger", self.ledger, self.ledger.refresh),
            "Why": self._guard("why", self.why, self.why.refresh),
            "Alarms": self._guard("alarms", self.alarms, self.alarms.refresh),
            "Procedures": self._guard("procedures", self.procedures, self.procedures.refresh),
            "Statistics": self._guard("statistics", self.statistics, self.statistics.refresh),
            "Settings": self._guard("settings", self.settings, self.settings.refresh),
            "Targets": self._guard("targets", self.targets, self.targets.refresh),
            "Matrix": self._guard("matrix", self.matrix, self.matrix.refresh),
        }
        self.docks = {name: layout.add_dock(self, name, panel) for name, panel in guarded.items()}
        self.state_line.alarms_wanted.connect(lambda: self._bring_up("Alarms"))
        self.trends.statistics_wanted.connect(self.show_statistics)

    def _guard(self, name: str, panel: QWidget, refresh: Refresh) -> Guarded:
        self._guards[name] = Guarded(name, panel, refresh)
        return self._guards[name]

    def _bring_up(self, dock: str) -> None:
        self.docks[dock].show()
        self.docks[dock].raise_()

    def _going_on(self, snapshot: Snapshot, now_s: float) -> str:
        if self._stopping_since_s is None or snapshot.finished:
            return ""
        return f"stopping: draining the recorder… {now_s - self._stopping_since_s:.0f} s"

    def _say_title(self, snapshot: Snapshot) -> None:
        parts = [self._title, snapshot.title or snapshot.station]
        parts += ["REPLAY"] if snapshot.mode == "replay" else []
        parts += ["run ended"] if snapshot.finished else []
        self.setWindowTitle(" · ".join(part for part in parts if part))
