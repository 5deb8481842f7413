"""A plot as a file: a picture with a caption that says of which run it is, or numbers in SI."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO

import numpy.typing as npt
from pyqtgraph.exporters.Exporter import Exporter
from PySide6.QtCore import QBuffer, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from magis_calib.host.files import open_anew, open_to_append, replace_bytes
from ui.models.plot import Origin, Plot, Table, drops_in_words
from ui.style.colours import DIM, PANEL, TEXT
from ui.style.theme import text_font

LEAST_WIDTH_PX = 1000
"""Of a PNG."""
MARGIN_PX = 6
LINE_PX = 16
"""Height of a line of the caption, on the scale of the screen."""


def export(plot: Plot, path: Path, origin: Origin) -> None:
    """Write what is drawn now, in the format that the suffix names.

    Raises `OSError` and `ValueError` in words.
    """
    writing(plot, path, origin)()


def writing(plot: Plot, path: Path, origin: Origin) -> Callable[[], None]:
    """Take down what is drawn now, in the GUI thread.

    Return what writes it, in whichever thread.
    """
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
    size = _size(view, lines)
    scale = max(1.0, LEAST_WIDTH_PX / size.width())
    picture = QImage((size * scale).toSize(), QImage.Format.Format_RGB32)
    painter = QPainter(picture)
    painter.scale(scale, scale)
    _paint(painter, view, lines, scale)
    return picture


def _drawing(view: Any, lines: list[str]) -> bytes:
    """Draw with Qt's own generator: that of pyqtgraph fails on closed paths."""
    buffer = QBuffer()
    area = QRectF(QPointF(0, 0), _size(view, lines))
    generator = QSvgGenerator(QSvgGenerator.SvgVersion.Svg11)
    generator.setOutputDevice(buffer)
    generator.setViewBox(area)
    generator.setSize(area.size().toSize())
    generator.setResolution(view.logicalDpiX())
    generator.setTitle(lines[0])
    generator.setDescription("; ".join(lines[1:]))
    _paint(QPainter(generator), view, lines, 1.0)
    return bytes(buffer.data().data())


def _size(view: Any, lines: list[str]) -> QSizeF:
    """Return the size on the screen's scale: at least as wide as the caption."""
    wide = max(view.width(), _widest_px(lines) + 2 * MARGIN_PX)
    return QSizeF(wide, LINE_PX * len(lines) + wide * view.height() / view.width())


def _widest_px(lines: list[str]) -> float:
    metrics = QFontMetricsF(text_font(bold=True))
    return max(metrics.horizontalAdvance(line) for line in lines)


def _paint(painter: QPainter, view: Any, lines: list[str], scale: float) -> None:
    """Paint the caption, and what the view shows below it, in pixels of the screen.

    End the painter.
    """
    size = _size(view, lines)
    high = LINE_PX * len(lines)
    below = QRectF(0, high, size.width(), size.height() - high)
    painter.fillRect(QRectF(QPointF(0, 0), size), QColor(PANEL))
    for number, line in enumerate(lines):
        _paint_line(painter, number, line, size.width())
    painter.fillRect(below, view.backgroundBrush())
    try:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _render(painter, view, below, scale)
    finally:
        painter.end()


def _paint_line(painter: QPainter, number: int, line: str, wide_px: float) -> None:
    painter.setFont(text_font(bold=number == 0))
    painter.setPen(QColor(DIM if number else TEXT))
    box = QRectF(MARGIN_PX, number * LINE_PX, wide_px - MARGIN_PX, LINE_PX)
    painter.drawText(box, int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter), line)


def _render(painter: QPainter, view: Any, into: QRectF, scale: float) -> None:
    """Render the scene of a view, with marks as lines, not as pixels of the screen."""
    background = view.backgroundBrush().color()
    options = {"painter": painter, "antialias": True, "resolutionScale": scale}
    exporter = Exporter(view.scene())
    exporter.setExportMode(True, {**options, "background": background})
    try:
        view.scene().render(painter, into, exporter.getSourceRect())
    finally:
        exporter.setExportMode(False)


def _save(picture: QImage, path: Path) -> None:
    os.close(open_to_append(path))  # says why where it cannot be; Qt only says that
    if not picture.save(str(path)):
        raise OSError(f"{path}: the picture cannot be written")


def _write(path: Path, text: bytes) -> None:
    replace_bytes(path, text)


def _write_table(path: Path, table: Table, lines: list[str], plot: Plot, origin: Origin) -> None:
    """Write lines that begin with # for people, then names and columns for programs."""
    heads = _heads(table, plot, origin)
    with os.fdopen(open_anew(path), "w", encoding="utf-8", newline="") as file:
        file.writelines(f"# {line}\n" for line in (*lines, *heads))
        _write_columns(file, table)


def _heads(table: Table, plot: Plot, origin: Origin) -> tuple[str, ...]:
    units = ", ".join(f"{name} in {unit}" for name, unit in table.units.items()) or "none"
    return (
        f"station: {origin.station}",
        f"session: {origin.session or 'not recorded'}",
        f"drops: {drops_in_words(plot.drops)}",
        f"units (SI): {units}",
    )


def _write_columns(file: TextIO, table: Table) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(table.columns)
    writer.writerows(zip(*map(_written, table.columns.values()), strict=True))


def _written(values: npt.NDArray[Any]) -> list[Any]:
    """Return whole numbers as they are, others to nine digits: more than any fit gives."""
    found: list[Any] = values.tolist()
    return found if values.dtype.kind in "iu" else [f"{value:.9g}" for value in found]
