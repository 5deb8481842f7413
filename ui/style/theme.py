"""Colours, type and style: grey and calm, colour only for what needs an eye."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

from ui.style.colours import (
    _COLOURS,
    _FONT_PT,
    ACT,
    BACKGROUND,
    DIM,
    INFO,
    LINE,
    PANEL,
    RAISED,
    TEXT,
)
from ui.style.scheme import USUAL_PT

STYLE = f"""
QToolTip {{ color: {TEXT}; background: {RAISED}; border: 1px solid {LINE}; padding: 3px; }}
QMainWindow::separator {{ background: {BACKGROUND}; width: 5px; height: 5px; }}
QMainWindow::separator:hover {{ background: {LINE}; }}
QDockWidget {{ color: {DIM}; font-weight: bold; }}
QDockWidget::title {{ background: {RAISED}; padding: 3px 6px; }}
QStatusBar {{ background: {PANEL}; }}
QStatusBar::item {{ border: none; }}
QToolBar {{ background: {PANEL}; border: none; border-bottom: 1px solid {LINE}; padding: 2px;
  spacing: 0px; }}
QToolButton {{ padding: 1px 5px; border: 1px solid transparent; border-radius: 3px; color: {DIM}; }}
QToolButton[framed="true"] {{ border-color: {LINE}; color: {TEXT}; padding: 3px 7px; }}
QToolButton:hover {{ border-color: {LINE}; color: {TEXT}; }}
QToolButton:checked {{ background: {RAISED}; color: {TEXT}; }}
QToolButton:focus {{ border-color: {INFO}; }}
QToolButton::menu-indicator {{ image: none; }}
QTabWidget::pane {{ border: none; }}
QTabBar::tab {{ background: {PANEL}; color: {DIM}; padding: 3px 6px; border: none;
  border-bottom: 2px solid {PANEL}; }}
QTabBar::tab:selected {{ color: {TEXT}; border-bottom: 2px solid {DIM}; }}
QPushButton[hardware="true"] {{ background: {RAISED}; border: 2px solid {_COLOURS.disabled};
  border-radius: 5px;
  padding: 4px 6px; font-weight: bold; }}
QPushButton[hardware="true"]:hover {{ border-color: {TEXT}; }}
QPushButton[hardware="true"]:focus {{ border-color: {INFO}; }}
QPushButton[hardware="true"]:checked {{ background: {_COLOURS.pressed}; border-color: {TEXT}; }}
QPushButton[hardware="true"]:disabled {{ color: {_COLOURS.disabled}; border-color: {LINE};
  background: {PANEL}; }}
QPushButton[armed="true"] {{ background: {_COLOURS.armed}; border-color: {ACT}; }}
QLineEdit {{ background: {BACKGROUND}; border: 1px solid {LINE}; border-radius: 3px;
  padding: 1px 3px; }}
QLineEdit:focus {{ border: 1px solid {INFO}; }}
QLineEdit:read-only {{ background: transparent; border: 1px solid transparent; }}
QLineEdit[moves="true"] {{ border: 1px solid {INFO}; }}
QTableView {{ background: {PANEL}; alternate-background-color: {_COLOURS.alternate}; border: none;
  gridline-color: {PANEL}; selection-background-color: {_COLOURS.selection};
  selection-color: {TEXT}; }}
QHeaderView::section {{ background: {RAISED}; color: {DIM}; border: none;
  border-right: 1px solid {LINE};
  padding: 2px 4px; }}
QScrollArea {{ border: none; }}
QProgressBar {{ background: {BACKGROUND}; border: 1px solid {LINE}; border-radius: 3px;
  text-align: center; }}
QProgressBar::chunk {{ background: {_COLOURS.running}; }}
QFrame[question="true"] {{ background: {_COLOURS.question}; border: 1px solid {INFO};
  border-radius: 4px; }}
"""


def tolerance_colour() -> QColor:
    """Return the quiet colour of the band about a target."""
    quiet = QColor(DIM)
    quiet.setAlpha(34)
    return quiet


def diverging(share: float) -> QColor:
    """Return the colour of a share in [-1, 1]: from the ground to orange, or to blue below 0.

    Straight lines in CIELAB: equal steps look equal, and figures can be read on all of it.
    """
    share = max(-1.0, min(1.0, share))
    end = QColor(_COLOURS.along if share > 0 else _COLOURS.against)
    ground = pg.functions.colorCIELab(QColor(PANEL))
    full = pg.functions.colorCIELab(end)
    return QColor(pg.functions.CIELabColor(*(ground + abs(share) * (full - ground))).name())


def dress(app: QApplication) -> None:
    """Give the application its colours, type and drawing options."""
    pg.setConfigOptions(
        imageAxisOrder="row-major", background=PANEL, foreground=DIM, antialias=False
    )
    app.setStyle("Fusion")
    app.setFont(text_font())
    app.setPalette(_palette())
    app.setStyleSheet(STYLE)


def text_font(change_pt: float = 0.0, bold: bool = False) -> QFont:
    """Return the window's font, so many points larger, with figures of equal width."""
    font = QFont(["Noto Sans", "Segoe UI", "Helvetica Neue", "DejaVu Sans"])
    font.setPointSizeF(_FONT_PT + change_pt)
    font.setBold(bold)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def type_scale() -> float:
    """Return how much larger than usual the type is: what stands beside it grows with it."""
    return _FONT_PT / USUAL_PT


def room_px(usual_px: float) -> int:
    """Return the pixels that take the place of so many at the usual size of type."""
    return round(usual_px * type_scale())


def _palette() -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for which, colour in {
        role.Window: PANEL,
        role.Base: PANEL,
        role.AlternateBase: RAISED,
        role.Button: RAISED,
        role.WindowText: TEXT,
        role.Text: TEXT,
        role.ButtonText: TEXT,
        role.ToolTipText: TEXT,
        role.BrightText: TEXT,
        role.ToolTipBase: RAISED,
        role.PlaceholderText: DIM,
        role.Highlight: _COLOURS.selection,
        role.HighlightedText: TEXT,
        role.Link: INFO,
        role.Mid: LINE,
        role.Dark: BACKGROUND,
        role.Shadow: BACKGROUND,
        role.Light: LINE,
    }.items():
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor(_COLOURS.disabled))
    return palette
