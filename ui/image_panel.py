"""One camera's view: the newest image, the fit over it, and what the fit says."""

from __future__ import annotations

from concurrent.futures import Executor

from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from magis_calib.domain.camera import Frame, ImagePair, View
from magis_calib.domain.estimate import StationEstimate, ViewEstimate
from magis_calib.domain.snapshot import Snapshot
from ui.aside import Aside
from ui.choice_button import choice_button
from ui.colour_bar import ColourBar
from ui.fit_words import FitWords
from ui.image_canvas import ImageCanvas
from ui.layers import LAYERS, RESIDUAL_SIGMA, Layer, layer_of
from ui.levels import RULES, Levels, Rule, measured
from ui.outline import outlines
from ui.plot import Origin, Plot
from ui.raster import Raster, table_of
from ui.theme import DIM, LOOK
from ui.wording import age, missing
from ui.words import Words

AROUND_PORTS_MM = 4.5


class ImagePanel(QWidget):
    """Images of one view are pulled from the snapshot, decimated here and never queued."""

    def __init__(self, view: View, executor: Executor) -> None:
        """`executor`: decimates, beside the GUI thread."""
        super().__init__()
        self.aside: Aside[tuple[Frame, int, Layer, ViewEstimate | None], Raster] = Aside(
            executor, lambda wanted: layer_of(*wanted)
        )
        self._layer: Layer = "data"
        self._view = view
        self._frame: Frame | None = None
        self._estimate: StationEstimate | None = None
        self._rule: Rule = "percentiles"
        self._levels: Levels | None = None
        self.canvas, self._bar, self._fit = ImageCanvas(), ColourBar(), FitWords(view)
        self._drop, self._title = Words(grows=True), Words(bold=True, whole=True)
        self._title.say(f"VIEW {view.upper()}")
        self._overlay, self._whole = self._make_overlay_button(), self._make_whole_button()
        self._layer_button = choice_button("data ▾", "data, fit, or what is left between them", LAYERS, self.show_layer)
        self._levels_button = choice_button("levels ▾", "which electrons are black and which are white", RULES,
                                            self.set_levels_once)  # fmt: skip
        self._lay_out()
        self.canvas.pointed.connect(self._fit.point)
        self.canvas.extent_asked.connect(self._whole.toggle)

    @property
    def frame(self) -> Frame | None:
        """What is drawn now."""
        return self._frame

    def prepare(self, snapshot: Snapshot) -> None:
        """Begin to decimate the newest image; cheap."""
        if snapshot.pair is not None and self._view in snapshot.pair.frames:
            self.aside.begin(self._wanted(snapshot, snapshot.pair))

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Draw the newest image and its fit when there is a new one."""
        pair = snapshot.pair
        if pair is None or self._view not in pair.frames:
            self.canvas.say_empty(f"No picture from view {self._view} yet\n\n"
                                  f"{missing(snapshot, f'camera {self._view}')}")  # fmt: skip
            return
        newest = pair.frames[self._view]
        made = self.aside.newest(self._wanted(snapshot, pair))
        if made is None:
            return
        (frame, *_), picture = made
        if picture is not self.canvas.picture:
            self._draw(frame, picture)
            self._frame = frame
            self.canvas.label.say(Origin.of(snapshot).identity((frame.header.drop_id, frame.header.drop_id)))
        self._say_drop(snapshot, frame, now_s)
        if frame is newest and snapshot.pair_estimate is not self._estimate:
            self._draw_fit(snapshot.pair_estimate)
            self._estimate = snapshot.pair_estimate

    def plots(self) -> list[Plot]:
        """Return the image that is drawn, where there is one."""
        frame, drawn = self._frame, self.canvas.picture
        if frame is None or drawn is None:
            return []
        drop, key = frame.header.drop_id, f"view-{self._view}-{self._layer}"
        ends = "" if self._levels is None or drawn.residual else f"levels {self._levels.words()} per pixel"
        notes = (f"shows ±{RESIDUAL_SIGMA:g} σ",) if drawn.residual else (ends,) if ends else ()
        return [Plot(f"view {self._view}, {self._layer}", key, self.canvas.view, (drop, drop),
                     lambda: table_of(drawn, frame.facts), notes)]  # fmt: skip

    def show_layer(self, layer: Layer) -> None:
        """Show the data, the fit or the residual."""
        self._layer = layer
        self._layer_button.setText(f"{layer} ▾")

    def _wanted(self, snapshot: Snapshot, pair: ImagePair) -> tuple[Frame, int, Layer, ViewEstimate | None]:
        """Return what is to be drawn now: a fit, and what it leaves, only with the estimate of this very pair."""
        frame, station = pair.frames[self._view], snapshot.pair_estimate
        fitted = station.views.get(self._view) if station is not None and self._layer != "data" else None
        return frame, self.canvas.wanted_step(frame), self._layer, fitted

    def set_levels_once(self, rule: Rule = "percentiles") -> None:
        """Choose how levels are found, and find them now."""
        self._rule = rule
        drawn = self.canvas.picture
        if drawn is None or self._frame is None:
            self._levels = None
            return
        if drawn.residual:
            return
        facts = self._frame.facts
        self._apply(measured(drawn.counts, facts.offset, facts.gain, rule), self._frame)

    def _draw(self, frame: Frame, drawn: Raster) -> None:
        self.canvas.draw(frame, drawn)
        if drawn.residual:
            self.canvas.set_sigma(RESIDUAL_SIGMA)
            self._bar.show_sigma(RESIDUAL_SIGMA)
            return
        if self._levels is None or self._rule == "follow":
            self._levels = measured(drawn.counts, frame.facts.offset, frame.facts.gain, self._rule)
        self._apply(self._levels, frame)
        self._title.say(f"VIEW {self._view.upper()}", hover=f"sees ({self._view}, z); upright, z up\n"
                        f"{frame.facts.object_pixel_m * 1e6:.4g} µm/px: one camera pixel in the object; "
                        f"the screen shows the mean of {drawn.step} x {drawn.step}")  # fmt: skip

    def _apply(self, levels: Levels, frame: Frame) -> None:
        self._levels = levels
        self.canvas.set_levels(levels, frame.facts)
        self._bar.show_levels(levels)
        self._levels_button.setText("levels ▾" if self._rule != "follow" else "levels: follow ▾")
        self._levels_button.setToolTip(f"levels {levels.words()} per pixel\n(Ctrl+L sets both views once)")

    def _draw_fit(self, station: StationEstimate | None) -> None:
        fitted = station.views.get(self._view) if station is not None else None
        found = outlines(fitted, fitted.displacements) if fitted is not None else {}
        self.canvas.draw_fit(found, self._overlay.isChecked())
        self._show_extent(fitted)
        self._fit.say(station, fitted)

    def _show_extent(self, fitted: ViewEstimate | None) -> None:
        """Show the surroundings of both ports unless the operator wants the whole image."""
        if self._whole.isChecked():
            self.canvas.show_extent(None)
        elif fitted is not None and fitted.displacements:
            right, up = (max(abs(place[way]) for place in fitted.displacements.values()) for way in (0, 1))
            self.canvas.show_extent((right * 1e3 + AROUND_PORTS_MM, up * 1e3 + AROUND_PORTS_MM))

    def _say_drop(self, snapshot: Snapshot, frame: Frame, now_s: float) -> None:
        latest, pair = snapshot.latest, snapshot.pair
        drop_id = frame.header.drop_id
        text = f"drop {drop_id} · {age(now_s - frame.received_s)}"
        if latest is not None and pair is not None and latest.drop_id != pair.drop_id:
            self._drop.say(f"▲ older: {text}", LOOK, f"drop {latest.drop_id} has no complete pair of images")
        else:
            self._drop.say(text, DIM, "number of the drop and age of this image")

    def _make_overlay_button(self) -> QToolButton:
        button = QToolButton()
        button.setText("fit")
        button.setCheckable(True)
        button.setChecked(True)
        button.setToolTip("show or hide the fit\n"
                          "cross: centre · solid: 1 width · dashed: 2 widths · lines: bright fringes")  # fmt: skip
        button.toggled.connect(lambda _checked: self._draw_fit(self._estimate))
        return button

    def _make_whole_button(self) -> QToolButton:
        button = QToolButton()
        button.setText("whole")
        button.setCheckable(True)
        button.setToolTip("show the whole image, else the surroundings of both ports (double click in the image)")
        button.toggled.connect(lambda _checked: self._draw_fit(self._estimate))
        return button

    def _lay_out(self) -> None:
        top, middle, column = QHBoxLayout(), QHBoxLayout(), QVBoxLayout(self)
        top.setContentsMargins(6, 1, 2, 1)
        for part in (self._title, self._drop, self._layer_button, self._overlay, self._whole, self._levels_button):
            top.addWidget(part)
        middle.setSpacing(2)
        middle.addWidget(self.canvas, 1)
        middle.addWidget(self._bar)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addLayout(top)
        column.addLayout(middle, 1)
        column.addWidget(self._fit)
