"""What the Help menu shows. Windows of their own that block nothing."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QScrollArea, QWidget

import magis_calib
from magis_calib.domain.quantities import ACTUATORS, DIAGNOSTICS, OBSERVABLES, Quantity
from ui.widgets.boxes import in_column, scroll

ABOUT = (
    f"<h3>magis-calib {escape(magis_calib.__version__)}</h3><p>Calibration control for the "
    "MAGIS-100 atom interferometer: fits both views of every drop and keeps position, fringes "
    "and phase where they should be.</p><p>Closing the window ends the run: the recorder is "
    "drained and the final state is written first.</p>"
)


WITHOUT_MENU = (
    ("Return", "in a setpoint: ask before it is sent"),
    ("Escape", "in a setpoint: put the present one back"),
    ("Escape", "in a question: no"),
    ("Shift+Tab, then Space", "in a question: yes"),
    ("Space", "on the button of a procedure: ask before it begins"),
    ("Space", "in a replay: play or pause"),
    (".", "in a replay: one more drop"),
    ("Alt+1, Alt+2, Alt+3", "in a replay: speed 1×, 10×, max"),
    ("Left, Right", "on the time line of a replay: one drop back or on"),
    ("double click", "on the name of a chart: statistics of its drops"),
    ("right click", "on a plot: export it"),
    ("wheel, drag", "in an image: zoom, move"),
    ("double click", "in an image: show all of it"),
)
"""Keys and gestures, and what they do."""


def show_help(parent: QWidget, title: str, text: str) -> None:
    """Open a window with this text; it closes by itself with its parent."""
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    area = QScrollArea()
    scroll(area, _selectable(text))
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.close)
    in_column(area, buttons, on=dialog)
    dialog.resize(620, 520)
    dialog.show()


def _selectable(text: str) -> QLabel:
    label = QLabel(text)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    label.setWordWrap(True)
    label.setAlignment(Qt.AlignmentFlag.AlignTop)
    label.setMargin(10)
    return label


def shortcuts_text(actions: Sequence[QAction]) -> str:
    """Write a table of the shortcuts of these actions, and of what has no menu entry."""
    with_keys = (one for one in actions if not one.shortcut().isEmpty())
    rows = [(one.shortcut().toString(), one.text().replace("&", "")) for one in with_keys]
    body = "".join(_line(key, text) for key, text in [*rows, *WITHOUT_MENU])
    return f"<table cellpadding='3'>{body}</table>"


def _line(key: str, text: str) -> str:
    return f"<tr><td><b>{escape(key)}</b>&nbsp;&nbsp;</td><td>{escape(text)}</td></tr>"


def units_text() -> str:
    """Write all quantities with the units people read and the SI units of files and wires."""
    return (
        "<p>x, y, z: to the right in view x, to the right in view y, up. Port a is the upper one. "
        "The number in brackets is the standard error in units of the last digits: 3.2(24) means "
        "3.2 ± 2.4. Hover over a number for its SI value.</p>"
        + _table("Observables (controlled)", OBSERVABLES)
        + _table("Reported", DIAGNOSTICS)
        + _table("Actuators", ACTUATORS)
    )


def _table(title: str, quantities: dict[str, Quantity]) -> str:
    cells = ((one.label, one.shown_unit or "–", one.name, one.unit) for one in quantities.values())
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in cells
    )
    head = (
        "<tr><th align='left'>shown as</th><th align='left'>unit</th><th "
        "align='left'>name</th><th>SI</th></tr>"
    )
    return f"<h4>{title}</h4><table cellpadding='3'>{head}{rows}</table>"
