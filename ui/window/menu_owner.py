"""What the menus ask of the window that they belong to."""

from __future__ import annotations

from typing import Protocol

from ui.export.dialog import Exports
from ui.window.actions import Actions
from ui.window.dock import Arrangement, DockWidget
from ui.window.panels import Panels


class MenuOwner(Protocol):
    """The window, as its menus see it."""

    panels: Panels
    exports: Exports
    menu_actions: Actions
    docks: dict[str, DockWidget]

    def bring_up(self, name: str) -> None:
        """Show a dock before all others."""

    def open_recording(self) -> None:
        """Ask which recording to replay beside this run."""

    def arrange(self, which: Arrangement) -> None:
        """Lay the docks out in one of the shipped ways."""

    def reset_layout(self) -> None:
        """Put all docks back as shipped."""

    def remember(self, key: str, value: object) -> None:
        """Keep how the window shall look the next time it is opened."""

    def resize_type(self, by: int) -> None:
        """Remember the next larger (+1) or smaller (-1) size of type."""

    def close(self) -> bool:
        """Ask whether to leave, and leave."""
