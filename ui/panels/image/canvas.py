"""Where an image is drawn: raster, fit, scale, zoom and a reading under the pointer."""

from __future__ import annotations

from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QWidget

from magis_calib.domain.camera import CameraFacts, Frame
from ui.models.levels import Levels
from ui.models.marks import Marks
from ui.models.outline import Outline
from ui.models.raster import Raster, counts_at, full_size_mm, step_for
from ui.panels.image.overlay import MarkItems, PortLines, ScaleBar
from ui.style.colours import IMAGE, IMAGE_MAP, ON_IMAGE, RESIDUAL_MAP
from ui.widgets.or_words import OrWords
from ui.widgets.small_plot import PlotLabel


class ImageCanvas(QWidget):
    """One image with its overlay, or the words that say why there is none.

    Emits `pointed` with a reading, and `extent_asked` at a double click.
    """

    pointed = Signal(str)
    extent_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._box: Any = pg.ViewBox(lockAspect=True, enableMenu=False, defaultPadding=0.0)
        self._view = _view_of(self._box)
        self._image: Any = pg.ImageItem()
        self._colours = ""
        self._paint(IMAGE_MAP)
        self._box.addItem(self._image, ignoreBounds=True)
        self._ports = {port: PortLines(self._box, port) for port in ("a", "b")}
        self._scale = ScaleBar(self._box)
        self._marks = MarkItems(self._box)
        self.label = PlotLabel(self._box, ON_IMAGE)
        self._raster: Raster | None = None
        self._frame: Frame | None = None
        self._size_mm = (0.0, 0.0)
        self._clouds_mm: tuple[float, float] | None = None
        self._content = OrWords(self, self._view, _words())
        self._view.scene().sigMouseMoved.connect(self._point)
        self._view.scene().sigMouseClicked.connect(self._click)
        self._box.sigRangeChanged.connect(lambda *_: self._place_scale())

    @property
    def view(self) -> Any:
        """The pyqtgraph view that shows the image alone."""
        return self._view

    @property
    def picture(self) -> Raster | None:
        """What is drawn now."""
        return self._raster

    @property
    def is_empty(self) -> bool:
        """Whether words stand here instead of an image."""
        return self._content.are_words

    def say_empty(self, text: str) -> None:
        """Show words instead of an image."""
        self._content.say(text)

    def wanted_step(self, frame: Frame) -> int:
        """Return the decimation that suits the present zoom and size."""
        pixel_mm = frame.facts.object_pixel_m * 1e3
        wide, high = (round(size / pixel_mm) for size in self._seen_mm(frame))
        ratio = self.devicePixelRatioF()
        return step_for(high, wide, self.height() * ratio, self.width() * ratio)

    def _seen_mm(self, frame: Frame) -> tuple[float, float]:
        """Return width and height of what is seen: all of an image of another size."""
        if self._size_mm != full_size_mm(frame):
            return full_size_mm(frame)
        (left, right), (bottom, top) = self._box.viewRange()
        return right - left, top - bottom

    def draw(self, frame: Frame, drawn: Raster) -> None:
        """Hand a decimated frame to the screen."""
        self._content.show_content()
        self._frame = frame
        self._raster = drawn
        self._image.setImage(drawn.counts, autoLevels=False)
        self._image.setRect(drawn.left_mm, drawn.bottom_mm, drawn.width_mm, drawn.height_mm)
        self._follow_size(full_size_mm(frame))

    def _follow_size(self, size_mm: tuple[float, float]) -> None:
        """Show all that is to be seen of an image of another size."""
        if self._size_mm != size_mm:
            self._size_mm = size_mm
            self._fit_view()

    def show_extent(self, clouds_mm: tuple[float, float] | None) -> None:
        """Show this much around the middle (half width, half height), None for the whole image."""
        if clouds_mm != self._clouds_mm:
            self._clouds_mm = clouds_mm
            self._fit_view()

    def set_levels(self, levels: Levels, facts: CameraFacts) -> None:
        """Make these electrons black and white."""
        self._paint(IMAGE_MAP)
        self._image.setLevels(
            (
                levels.low_electrons / facts.gain + facts.offset,
                levels.high_electrons / facts.gain + facts.offset,
            )
        )

    def set_sigma(self, most_sigma: float) -> None:
        """Show standard deviations from minus to plus this."""
        self._paint(RESIDUAL_MAP)
        self._image.setLevels((-most_sigma, most_sigma))

    def draw_fit(self, found: dict[str, Outline], visible: bool) -> None:
        """Draw the outlines of the ports over the image."""
        for port, lines in self._ports.items():
            lines.draw(found.get(port), visible)

    def draw_marks(self, marks: Marks | None) -> None:
        """Mark the pixels that the fit leaves out."""
        self._marks.draw(marks)

    def _paint(self, colours: str) -> None:
        if colours != self._colours:
            self._colours = colours
            self._image.setColorMap(pg.colormap.get(colours))

    def _fit_view(self) -> None:
        wide, high = (size / 2 for size in self._size_mm)
        if not wide:
            return
        if self._clouds_mm is not None:
            wide, high = min(wide, self._clouds_mm[0]), min(high, self._clouds_mm[1])
        self._box.setRange(xRange=(-wide, wide), yRange=(-high, high), padding=0)

    def _place_scale(self) -> None:
        """Keep the scale in the corner of what can be seen of the image."""
        sides = zip(self._box.viewRange(), self._size_mm, strict=True)
        (left, right), (bottom, top) = (
            (max(low, -size / 2), min(high, size / 2)) for (low, high), size in sides
        )
        if right > left and top > bottom:
            self._scale.draw(left, bottom, right - left, top - bottom)

    def _click(self, event: Any) -> None:
        if event.double():
            self._fit_view()
            self.extent_asked.emit()

    def _point(self, place: Any) -> None:
        at = self._box.mapSceneToView(place)
        self.pointed.emit("" if self._frame is None else _reading(self._frame, at.x(), at.y()))


def _view_of(box: Any) -> Any:
    """Return the view that shows a box alone."""
    view = pg.GraphicsView(background=IMAGE)
    view.setCentralItem(box)
    view.setMinimumSize(160, 90)
    view.setAccessibleName("image of the cloud")
    view.setToolTip("wheel: zoom · drag: move · double click: clouds or whole image")
    return view


def _words() -> QLabel:
    words = QLabel()
    words.setAlignment(Qt.AlignmentFlag.AlignCenter)
    words.setWordWrap(True)
    words.setStyleSheet(f"color: {ON_IMAGE}; background: {IMAGE}; padding: 12px;")
    return words


def _reading(frame: Frame, right_mm: float, up_mm: float) -> str:
    """Write what lies at a place of the object; empty beside the image."""
    counts = counts_at(frame, right_mm, up_mm)
    if counts is None:
        return ""
    electrons = (counts - frame.facts.offset) * frame.facts.gain
    return f"{right_mm:+.2f}, {up_mm:+.2f} mm  {counts} counts  {electrons:.0f} e⁻"
