"""What one line of the table of docks says, and the dock that it becomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtWidgets import QDockWidget, QMainWindow

from ui.window.panel_guard import Panel, PanelGuard
from ui.window.panels import Panels

Arrangement = Literal["run", "commission", "replay"]
Place = Literal["side", "left", "right", "below"]
"""Right of all; below the images to the left and to the right; along the bottom of a high window.

Docks of the same place lie on each other, in the order of the table.
"""


@dataclass(frozen=True, slots=True)
class Dock:
    """One panel of the window."""

    name: str
    make: Callable[[Panels], Panel]
    """From what all panels share, and the panels of earlier lines."""
    keys: str = ""
    """Show or hide it, as Qt reads a shortcut; none where the keys have run out."""
    place: Place = "below"
    costly: bool = False
    """It takes ten milliseconds or more for a new drop."""
    absent: tuple[Arrangement, ...] = ()
    """Arrangements that hide it."""
    front: tuple[Arrangement, ...] = ()
    """Arrangements that bring it up; elsewhere the first of its place is in front."""


class DockWidget(QDockWidget):
    """A dock with a lasting name; what is inside is drawn only while it can be seen."""

    def __init__(self, line: Dock, inside: PanelGuard, window: QMainWindow) -> None:
        """Hold `inside` as `line` of the table says; `window` owns it and will place it."""
        super().__init__(line.name, window)
        self.line = line
        self.inside = inside
        self.setObjectName(f"dock_{line.name.lower().replace(' ', '_')}")
        self.setWidget(inside)
        self.visibilityChanged.connect(inside.follow_dock)
        self.topLevelChanged.connect(  # Qt says nothing else of it
            lambda _floating: inside.follow_dock(in_sight=True)
        )
        self.setFeatures(
            QDockWidget.DockWidgetFeature.DockWidgetMovable
            | QDockWidget.DockWidgetFeature.DockWidgetClosable
            | QDockWidget.DockWidgetFeature.DockWidgetFloatable
        )
