"""A plot as a file: PNG and SVG with a caption that says what it is and of which run, CSV with the numbers in SI."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from pyqtgraph.exporters.Exporter import Exporter
from PySide6.QtCore import QBuffer, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from ui.plot import Origin, Plot, Table, drops_in_words
from ui.theme import DIM, PANEL, TEXT, text_font

LEAST_WIDTH_PX = 1600
LINE_PX = 16
"""Height of a line of the caption, on the scale of the screen."""


def export(plot: Plot, path: Path, origin: Origin) -> None:
    """Write what is drawn now, in the format that the suffix names. Raises `OSError` and `ValueError` in words."""
    writing(plot, path, origin)()


def writing(plot: Plot, path: Path, origin: Origin) -> Callable[[], None]:
    """Take down what is drawn now, in the GUI thread; return what writes it, in whichever thread."""
    lines = caption(plot, origin)
    match path.suffix.lower():
        case ".png":
            picture = _picture(plot.view, lines)
            return lambda: _save(picture, path)
        case ".svg":
            text = _drawing(plot.view, lines)
            return lambda: _write(path, text)
        case ".csv":
            table = plot.table()
            return lambda: _write_table(path, table, [*lines, *table.notes], plot, origin)
    raise ValueError(f"{path.name}: wanted a name that ends in .png, .svg or .csv")


def caption(plot: Plot, origin: Origin) -> list[str]:
    """Write what stands over an exported picture."""
    return [f"{origin.station} · {plot.name}", origin.identity(plot.drops), *plot.notes]


def _picture(view: Any, lines: list[str]) -> QImage:
    scale = max(1.0, LEAST_WIDTH_PX / view.width())
    wide, high = (round(scale * side) for side in (view.width(), view.height() + LINE_PX * len(lines)))
    picture = QImage(wide, high, QImage.Format.Format_RGB32)
    painter = QPainter(picture)
    painter.scale(scale, scale)
    _paint(painter, view, lines, scale)
    return picture


def _drawing(view: Any, lines: list[str]) -> bytes:
    """Draw with Qt's own generator, which clips to the axes since SVG 1.1: that of pyqtgraph fails on closed paths."""
    buffer, area = QBuffer(), QRectF(0, 0, view.width(), view.height() + LINE_PX * len(lines))
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setOutputDevice(buffer)
    generator.setViewBox(area)
    generator.setSize(area.size().toSize())
    generator.setResolution(view.logicalDpiX())
    generator.setTitle(lines[0])
    generator.setDescription("; ".join(lines[1:]))
    _paint(QPainter(generator), view, lines, 1.0)
    return bytes(buffer.data().data())


def _paint(painter: QPainter, view: Any, lines: list[str], scale: float) -> None:
    """Paint the caption, and what the view shows below it, in pixels of the screen; end the painter."""
    high = LINE_PX * len(lines)
    painter.fillRect(QRectF(0, 0, view.width(), view.height() + high), QColor(PANEL))
    for number, line in enumerate(lines):
        painter.setFont(text_font(bold=number == 0))
        painter.setPen(QColor(DIM if number else TEXT))
        box = QRectF(6, number * LINE_PX, view.width() - 6, LINE_PX)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), line)
    below = QRectF(0, high, view.width(), view.height())
    painter.fillRect(below, view.backgroundBrush())
    exporter = Exporter(view.scene())  # lets marks be drawn as lines, not as pixels of the screen
    exporter.setExportMode(True, {"painter": painter, "antialias": True, "resolutionScale": scale,
                                  "background": view.backgroundBrush().color()})  # fmt: skip
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        view.scene().render(painter, below, exporter.getSourceRect())
    finally:
        exporter.setExportMode(False)
        painter.end()


def _save(picture: QImage, path: Path) -> None:
    path.open("ab").close()  # says why where it cannot be; Qt only says that
    if not picture.save(str(path)):
        raise OSError(f"{path}: the picture cannot be written")


def _write(path: Path, text: bytes) -> None:
    path.write_bytes(text)


def _write_table(path: Path, table: Table, lines: list[str], plot: Plot, origin: Origin) -> None:
    """Write lines that begin with # for people, then names and columns for programs."""
    units = ", ".join(f"{name} in {unit}" for name, unit in table.units.items()) or "none"
    with path.open("w", encoding="utf-8", newline="") as file:
        for line in (*lines, f"station: {origin.station}", f"session: {origin.session or 'not recorded'}",
                     f"drops: {drops_in_words(plot.drops)}", f"units (SI): {units}"):  # fmt: skip
            file.write(f"# {line}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(table.columns)
        writer.writerows(zip(*(np.asarray(one).tolist() for one in table.columns.values()), strict=True))
