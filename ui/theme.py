"""Colours, type and style: grey and calm, colour only for what needs an eye."""

from __future__ import annotations

import pyqtgraph as pg
from PySide6.QtGui import QColor, QFont, QPalette
from PySide6.QtWidgets import QApplication

BACKGROUND = "#1f2226"
PANEL = "#272b30"
RAISED = "#363c43"
LINE = "#464d55"
TEXT = "#dde1e5"
DIM = "#9ba4ad"
IMAGE = "#0c0d0f"

LOOK = "#E69F00"
"""Amber: look at it."""
ACT = "#FF7A66"
"""Red: act."""
INFO = "#56B4E9"
"""Blue: information, or a mode that the operator chose."""
SHADOW = "#B7A6E8"
"""Violet: the loop decides and sends nothing."""
PROCEDURE = "#E6A6C8"
"""Pink: a procedure moves the setpoints."""

SERIES = "#56B4E9"
PORTS = {"a": "#56B4E9", "b": "#2FC79A"}
"""Okabe-Ito sky blue and bluish green, the latter lightened for a dark ground; both stand out on the image map."""
IMAGE_MAP = "inferno"

STYLE = f"""
QToolTip {{ color: {TEXT}; background: {RAISED}; border: 1px solid {LINE}; padding: 3px; }}
QMainWindow::separator {{ background: {BACKGROUND}; width: 5px; height: 5px; }}
QMainWindow::separator:hover {{ background: {LINE}; }}
QDockWidget {{ color: {DIM}; font-weight: bold; }}
QDockWidget::title {{ background: {RAISED}; padding: 3px 6px; }}
QStatusBar {{ background: {PANEL}; }}
QStatusBar::item {{ border: none; }}
QToolBar {{ background: {PANEL}; border: none; border-bottom: 1px solid {LINE}; padding: 2px; spacing: 0px; }}
QToolButton {{ padding: 1px 5px; border: 1px solid transparent; border-radius: 3px; color: {DIM}; }}
QToolButton[framed="true"] {{ border-color: {LINE}; color: {TEXT}; padding: 3px 7px; }}
QToolButton:hover {{ border-color: {LINE}; color: {TEXT}; }}
QToolButton:checked {{ background: {RAISED}; color: {TEXT}; }}
QToolButton:focus {{ border-color: {INFO}; }}
QToolButton::menu-indicator {{ image: none; }}
QTabWidget::pane {{ border: none; }}
QTabBar::tab {{ background: {PANEL}; color: {DIM}; padding: 3px 10px; border: none; border-bottom: 2px solid {PANEL}; }}
QTabBar::tab:selected {{ color: {TEXT}; border-bottom: 2px solid {DIM}; }}
QPushButton[hardware="true"] {{ background: {RAISED}; border: 2px solid #6b747d; border-radius: 5px;
  padding: 4px 6px; font-weight: bold; }}
QPushButton[hardware="true"]:hover {{ border-color: {TEXT}; }}
QPushButton[hardware="true"]:focus {{ border-color: {INFO}; }}
QPushButton[hardware="true"]:checked {{ background: #59626c; border-color: {TEXT}; }}
QPushButton[hardware="true"]:disabled {{ color: #6b747d; border-color: {LINE}; background: {PANEL}; }}
QPushButton[armed="true"] {{ background: #7a2b20; border-color: {ACT}; }}
QLineEdit {{ background: {BACKGROUND}; border: 1px solid {LINE}; border-radius: 3px; padding: 1px 3px; }}
QLineEdit:focus {{ border: 1px solid {INFO}; }}
QLineEdit:read-only {{ background: transparent; border: 1px solid transparent; }}
QLineEdit[moves="true"] {{ border: 1px solid {INFO}; }}
QTableView {{ background: {PANEL}; alternate-background-color: #2b3036; border: none; gridline-color: {PANEL};
  selection-background-color: #46525e; selection-color: {TEXT}; }}
QHeaderView::section {{ background: {RAISED}; color: {DIM}; border: none; border-right: 1px solid {LINE};
  padding: 2px 4px; }}
QScrollArea {{ border: none; }}
QProgressBar {{ background: {BACKGROUND}; border: 1px solid {LINE}; border-radius: 3px; text-align: center; }}
QProgressBar::chunk {{ background: #6b4a5e; }}
QFrame[question="true"] {{ background: #2c3a45; border: 1px solid {INFO}; border-radius: 4px; }}
"""


def dress(app: QApplication) -> None:
    """Give the application its colours, type and drawing options."""
    pg.setConfigOptions(imageAxisOrder="row-major", background=PANEL, foreground=DIM, antialias=False)
    app.setStyle("Fusion")
    app.setFont(text_font())
    app.setPalette(_palette())
    app.setStyleSheet(STYLE)


def text_font(change: float = 0.0, bold: bool = False) -> QFont:
    """Return the window's font, so many points larger, with figures of equal width."""
    font = QFont(["Noto Sans", "Segoe UI", "Helvetica Neue", "DejaVu Sans"])
    font.setPointSizeF(9.0 + change)
    font.setBold(bold)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _palette() -> QPalette:
    palette = QPalette()
    role = QPalette.ColorRole
    for which, colour in {
        role.Window: PANEL, role.Base: PANEL, role.AlternateBase: RAISED, role.Button: RAISED,
        role.WindowText: TEXT, role.Text: TEXT, role.ButtonText: TEXT, role.ToolTipText: TEXT, role.BrightText: TEXT,
        role.ToolTipBase: RAISED, role.PlaceholderText: DIM, role.Highlight: "#46525e", role.HighlightedText: TEXT,
        role.Link: INFO, role.Mid: LINE, role.Dark: BACKGROUND, role.Shadow: BACKGROUND, role.Light: LINE,
    }.items():  # fmt: skip
        palette.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, which, QColor("#6b747d"))
    return palette
