"""Asks where a plot shall go, waits for nobody, and says what became of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from functools import partial
from pathlib import Path

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu, QWidget

from ui.export.writer import writing
from ui.models.plot import Origin, Plot

FORMATS = {
    ".png": "PNG picture (*.png)",
    ".svg": "SVG drawing (*.svg)",
    ".csv": "CSV table, SI (*.csv)",
}
LOOK_MS = 50


class Exports:
    """Exports the plots of a window from a menu under the pointer, or by name."""

    def __init__(
        self,
        window: QWidget,
        plots: Callable[[], Sequence[Plot]],
        origin: Callable[[], Origin],
        tell: Callable[[str], None],
        executor: Executor,
    ) -> None:
        """`plots`: those in sight now; `origin`: their run; `window` owns the dialogs.

        `tell` says a line to the operator; `executor` writes files.
        """
        self._window = window
        self._plots = plots
        self._origin = origin
        self._tell = tell
        self._executor = executor
        self._written: list[tuple[Path, Future[None]]] = []
        self._timer = QTimer(window, interval=LOOK_MS)
        self._timer.timeout.connect(self._tell_written)

    def menu_at(self, place: QPoint) -> QMenu | None:
        """Return the menu of the plot at this place of the screen; None where there is no plot."""
        plot = self._at(place)
        if plot is None:
            return None
        menu = QMenu(self._window)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addSection(plot.name)
        self._offer_formats(menu, plot)
        return menu

    def _offer_formats(self, menu: QMenu, plot: Plot) -> None:
        for suffix in FORMATS:
            menu.addAction(f"Export {suffix[1:].upper()}…").triggered.connect(
                lambda _checked=False, suffix=suffix: self.ask_where(plot, suffix)
            )

    def fill(self, menu: QMenu) -> None:
        """List every plot that can be seen now."""
        menu.clear()
        for plot in self._plots():
            menu.addAction(f"{plot.name}…").triggered.connect(partial(self._ask_where_named, plot))
        if menu.isEmpty():
            menu.addAction("no plot is drawn yet").setEnabled(False)

    def ask_pointed(self) -> None:
        """Ask where to put the plot under the pointer, else that of the panel with the keyboard."""
        plot = self._at(QCursor.pos()) or self._focused()
        if plot is None:
            self._tell("▲ nothing to export: point at a plot, or choose one in File › Export plot")
        else:
            self.ask_where(plot)

    def ask_where(self, plot: Plot, suffix: str = ".png") -> None:
        """Open a dialog that blocks nothing."""
        origin = self._origin()
        proposal = str(origin.folder / f"{origin.file_name(plot)}{suffix}")
        dialog = QFileDialog(self._window, f"Export {plot.name}", proposal)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(list(FORMATS.values()))
        dialog.selectNameFilter(FORMATS[suffix])
        dialog.selectFile(proposal)
        dialog.setModal(False)
        dialog.fileSelected.connect(
            lambda name: self.export(self._as_now(plot), named(name, dialog.selectedNameFilter()))
        )
        dialog.show()

    def export(self, plot: Plot, path: Path) -> None:
        """Write the plot as it is now, beside the GUI thread, and say so, or why not."""
        try:
            write = writing(plot, path, self._origin())
        except (OSError, ValueError) as error:
            self._tell(f"▲ not exported: {error}")
            return
        self._written.append((path, self._executor.submit(write)))
        self._timer.start()

    def _tell_written(self) -> None:
        for path, future in [one for one in self._written if one[1].done()]:
            self._written.remove((path, future))
            self._tell_one(path, future)
        if not self._written:
            self._timer.stop()

    def _tell_one(self, path: Path, future: Future[None]) -> None:
        try:
            future.result()
        except OSError as error:
            self._tell(f"▲ not exported: {error}")
        else:
            self._tell(f"exported {path}")

    def _ask_where_named(self, plot: Plot, _checked: bool = False) -> None:
        self.ask_where(plot)

    def _as_now(self, chosen: Plot) -> Plot:
        """Return the plot with the drops that it shows now: new ones may have come since."""
        return next(
            (one for one in self._plots() if one.view is chosen.view and one.key == chosen.key),
            chosen,
        )

    def _at(self, place: QPoint) -> Plot | None:
        return next((plot for plot in self._plots() if _is_at(plot, place)), None)

    def _focused(self) -> Plot | None:
        """Return the first plot of the panel that has the keyboard."""
        focused = QApplication.focusWidget()
        while focused is not None and focused is not self._window:
            inside = [plot for plot in self._plots() if focused.isAncestorOf(plot.view)]
            if inside:
                return inside[0]
            focused = focused.parentWidget()
        return None


def _is_at(plot: Plot, place: QPoint) -> bool:
    """Tell whether a plot is what is seen at this place of the screen."""
    view = plot.view
    under = QApplication.widgetAt(place)
    inside = view.rect().contains(view.mapFromGlobal(place))
    return bool(inside and (under is view or view.isAncestorOf(under)))


def named(name: str, wanted: str) -> Path:
    """Return the path with a suffix of a known format: that of the filter where it has none."""
    path = Path(name)
    if path.suffix.lower() in FORMATS:
        return path
    suffix = next(
        suffix for suffix, words in FORMATS.items() if words == wanted or suffix == ".csv"
    )
    return path.with_name(path.name + suffix)
