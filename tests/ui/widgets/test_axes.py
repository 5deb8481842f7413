"""The axes of plots."""

from __future__ import annotations

import subprocess
import sys

import pytest

FIGURES = """
import sys
from PySide6.QtWidgets import QApplication
from ui.style.scheme import choose
choose("dark", float(sys.argv[1]))
app = QApplication([])
from PySide6.QtGui import QFontMetricsF, QPainter, QPicture
from ui.widgets.small_plot import SmallPlot
plot = SmallPlot("drop")
plot.resize(600, 300)
plot.show()
plot.show_range((0.0, 50.0), (6000.0, 6300.0))
app.processEvents()
for side in ("left", "bottom"):
    axis = plot.getAxis(side)
    font = QFontMetricsF(axis.style["tickFont"])
    need = font.horizontalAdvance("6300") if side == "left" else font.height()
    room = axis.width() if side == "left" else axis.height() - font.height()
    picture = QPicture()
    print(room >= need, len(axis.generateDrawSpecs(QPainter(picture))[2]) > 1)
"""


@pytest.mark.parametrize("font_pt", [7.0, 9.0, 16.0])
def test_figures_beside_the_axes_have_room_at_every_size_of_type(font_pt: float) -> None:
    said = subprocess.run(
        [sys.executable, "-c", FIGURES, str(font_pt)], capture_output=True, text=True, check=False
    )
    assert said.stdout.split() == ["True"] * 4, said.stdout + said.stderr
