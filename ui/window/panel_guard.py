"""The one place where a panel's failure is caught: it is shown in the panel and logged once."""

from __future__ import annotations

import logging
from typing import Protocol, runtime_checkable

from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from magis_calib.state.snapshot import Snapshot
from ui.style.colours import ACT

log = logging.getLogger(__name__)


class Panel(Protocol):
    """A widget that shows something of a run."""

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Draw what changed: the newest snapshot and the monotonic clock."""


@runtime_checkable
class Paced(Protocol):
    """A panel that need not be drawn at every turn."""

    def due(self, now_s: float) -> bool:
        """Say whether to draw it now."""


class PanelGuard(QWidget):
    """A panel with a strip above it that says when the panel failed."""

    def __init__(self, name: str, panel: Panel, costly: bool = False) -> None:
        """`name`: of `panel`, for people; `costly`: a new drop takes it 10 ms or more."""
        super().__init__()
        assert isinstance(panel, QWidget)
        self._name = name
        self.panel = panel
        self.costly = costly
        self._failure = ""
        self._failed_on: Snapshot | None = None
        self._behind = False
        self._strip = QLabel()
        self._strip.setWordWrap(True)
        self._strip.setStyleSheet(f"color: {ACT}; font-weight: bold; padding: 3px;")
        self._strip.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._strip)
        column.addWidget(panel, 1)

    @property
    def failure(self) -> str:
        """What went wrong at the last refresh; empty when it worked."""
        return self._failure

    def follow_dock(self, in_sight: bool) -> None:
        """Learn whether the dock can be seen: one behind others counts as visible for Qt.

        Nor does the Tab key lead into it.
        """
        self._behind = not in_sight
        self.setEnabled(in_sight)

    def due(self, now_s: float) -> bool:
        """Say whether the panel is to be drawn when its turn comes."""
        return not isinstance(self.panel, Paced) or self.panel.due(now_s)

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Draw the panel if it can be seen, and show a failure instead of raising it."""
        if self._behind or not self.isVisible() or snapshot is self._failed_on:
            return
        try:
            self.panel.refresh(snapshot, now_s)
        except Exception as error:  # a panel must never take the window, or the run, down with it
            failure = f"{type(error).__name__}: {error}"
            if failure != self._failure:
                log.exception("panel %r failed", self._name)
            self._failed_on = snapshot
            self._show(failure)
        else:
            self._failed_on = None
            self._show("")

    def _show(self, failure: str) -> None:
        if failure == self._failure:
            return
        self._failure = failure
        self._strip.setVisible(bool(failure))
        self._strip.setText(
            f"✖ {self._name} cannot be drawn ({failure}). The run goes on; details are in the log."
        )
