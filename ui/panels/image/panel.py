"""One camera's view: the newest image, the fit over it, and what the fit says."""

from __future__ import annotations

from concurrent.futures import Executor

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from magis_calib.domain.camera import Frame, ImagePair, View
from magis_calib.domain.estimate import StationEstimate, ViewEstimate
from magis_calib.state.snapshot import Snapshot
from ui.models.background import BackgroundTask
from ui.models.image_history import ImageHistory, Shown
from ui.models.layers import LAYERS, RESIDUAL_SIGMA, Layer, layer_of
from ui.models.levels import RULES, CommonLevels, Levels, Rule
from ui.models.outline import outlines
from ui.models.plot import Origin, Plot
from ui.models.raster import Raster, table_of
from ui.panels.image.canvas import ImageCanvas
from ui.panels.image.colour_bar import ColourBar
from ui.panels.image.fit_summary import FitWords
from ui.panels.image.marks_button import MarksButton
from ui.style.colours import DIM, INFO, LOOK
from ui.style.format import age, missing, utc_time
from ui.widgets.label import ElidedLabel
from ui.widgets.quiet import choice_button

AROUND_PORTS_MM = 4.5


class ImagePanel(QWidget):
    """Images of one view are pulled from the snapshot, decimated here and never queued.

    Emits `fixed_levels_wanted` where the operator wants to type them.
    """

    fixed_levels_wanted = Signal()

    def __init__(
        self, view: View, executor: Executor, image_history: ImageHistory, levels: CommonLevels
    ) -> None:
        """`executor`: decimates, beside the GUI thread. `image_history` knows which drop to show.

        `levels` are shared.
        """
        super().__init__()
        self._image_history = image_history
        self._levels = levels
        self.background: BackgroundTask[tuple[Frame, int, Layer, ViewEstimate | None], Raster] = (
            BackgroundTask(executor, lambda wanted: layer_of(*wanted))
        )
        self._layer: Layer = "data"
        self._view = view
        self._frame: Frame | None = None
        self._estimate: StationEstimate | None = None
        self._applied: tuple[Levels, Raster] | None = None
        self.canvas = ImageCanvas()
        self._bar = ColourBar()
        self._fit = FitWords(view)
        self._drop = ElidedLabel(grows=True)
        self._title = ElidedLabel(bold=True, whole=True)
        self._title.say(f"VIEW {view.upper()}")
        self._overlay = self._make_overlay_button()
        self._whole = self._make_whole_button()
        self.marks = MarksButton(executor, self.canvas.draw_marks)
        self._layer_button = choice_button(
            "data ▾", "data, fit, or what is left between them", LAYERS, self.show_layer
        )
        self._levels_button = choice_button(
            "levels ▾", "which electrons are black and which are white", RULES, self._choose_levels
        )
        self._lay_out()
        self.canvas.pointed.connect(self._fit.point)
        self.canvas.extent_asked.connect(self._whole.toggle)

    @property
    def frame(self) -> Frame | None:
        """What is drawn now."""
        return self._frame

    @property
    def estimate(self) -> StationEstimate | None:
        """What is drawn over the image, and written below it."""
        return self._estimate

    def prepare(self, snapshot: Snapshot) -> None:
        """Begin to decimate the image to show; cheap."""
        shown = self._image_history.shown(snapshot)
        if shown.pair is not None and self._view in shown.pair.frames:
            self.background.begin(self._wanted(shown, shown.pair))

    def settle(self) -> None:
        """Wait for what is made ready aside."""
        self.background.settle()
        self.marks.background.settle()

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Draw the image and its fit when there is a new one."""
        shown = self._image_history.shown(snapshot)
        pair = shown.pair
        if pair is None or self._view not in pair.frames:
            self._drop.say("")
            nothing = (
                f"No picture from view {self._view} "
                f"yet\n\n{missing(snapshot, f'camera {self._view}')}"
            )
            self.canvas.say_empty(f"– No picture\n\n{shown.problem}" if shown.back else nothing)
            return
        wanted = pair.frames[self._view]
        made = self.background.newest(self._wanted(shown, pair))
        if made is None:
            return
        (frame, *_), picture = made
        if picture is not self.canvas.picture or self.canvas.is_empty:
            self._draw(frame, picture)
            self._frame = frame
            self.canvas.label.say(
                Origin.of(snapshot).identity((frame.header.drop_id, frame.header.drop_id))
            )
        self._follow_levels(frame, picture)
        self._say_drop(snapshot, frame, shown.back, now_s)
        estimate = shown.estimate if frame is wanted else _estimate_of(frame, snapshot)
        if estimate is not self._estimate:
            self._draw_fit(estimate)
            self._estimate = estimate
        fitted = estimate.views.get(self._view) if estimate is not None else None
        self.marks.refresh(frame, snapshot.defects.get(self._view, ""), fitted)

    def plots(self) -> list[Plot]:
        """Return the image that is drawn, where there is one."""
        frame = self._frame
        drawn = self.canvas.picture
        if frame is None or drawn is None:
            return []
        drop = frame.header.drop_id
        key = f"view-{self._view}-{self._layer}"
        levels = self._levels.common
        ends = "" if levels is None or drawn.residual else f"levels {levels.words()} per pixel"
        notes = (f"shows ±{RESIDUAL_SIGMA:g} σ",) if drawn.residual else (ends,) if ends else ()
        return [
            Plot(
                f"view {self._view}, {self._layer}",
                key,
                self.canvas.view,
                (drop, drop),
                lambda: table_of(drawn, frame.facts),
                notes,
            )
        ]

    def show_layer(self, layer: Layer) -> None:
        """Show the data, the fit or the residual."""
        self._layer = layer
        self._layer_button.setText(f"{layer} ▾")

    def _wanted(
        self, shown: Shown, pair: ImagePair
    ) -> tuple[Frame, int, Layer, ViewEstimate | None]:
        """Return what is to be drawn now: a fit, and what it leaves, only with the estimate of this
        very pair.
        """
        frame = pair.frames[self._view]
        station = shown.estimate
        fitted = (
            station.views.get(self._view) if station is not None and self._layer != "data" else None
        )
        return frame, self.canvas.wanted_step(frame), self._layer, fitted

    def _choose_levels(self, rule: Rule) -> None:
        """Take levels anew, in both views; what is typed is asked for first."""
        if rule == "fixed":
            self.fixed_levels_wanted.emit()
        else:
            self._levels.find_anew(rule)

    def _draw(self, frame: Frame, drawn: Raster) -> None:
        self.canvas.draw(frame, drawn)
        if drawn.residual:
            self.canvas.set_sigma(RESIDUAL_SIGMA)
            self._bar.show_sigma(RESIDUAL_SIGMA)
        else:
            self._levels.take(self._view, drawn.counts, frame.facts)
        self._title.say(
            f"VIEW {self._view.upper()}",
            hover=f"sees ({self._view}, z); upright, z up\n"
            f"{frame.facts.object_pixel_m * 1e6:.4g} µm/px: one camera pixel in the object; "
            f"the screen shows the mean of {drawn.step} x {drawn.step}",
        )

    def _follow_levels(self, frame: Frame, drawn: Raster) -> None:
        """Show the picture with the levels that both views share, where they or the picture
        changed.
        """
        if drawn.residual:
            return
        if self._levels.common is None:  # they are to be found anew
            self._levels.take(self._view, drawn.counts, frame.facts)
        levels = self._levels.common
        if levels is None or self._applied == (levels, drawn):
            return
        self._applied = levels, drawn
        self.canvas.set_levels(levels, frame.facts)
        self._bar.show_levels(levels)
        rule = self._levels.rule
        self._levels_button.setText(
            "levels ▾" if rule in ("extremes", "percentiles") else f"levels: {rule} ▾"
        )
        self._levels_button.setToolTip(
            f"levels {levels.words()} per pixel in both views\n(Ctrl+L finds them anew)"
        )

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
            right, up = (
                max(abs(place[way]) for place in fitted.displacements.values()) for way in (0, 1)
            )
            self.canvas.show_extent((right * 1e3 + AROUND_PORTS_MM, up * 1e3 + AROUND_PORTS_MM))

    def _say_drop(self, snapshot: Snapshot, frame: Frame, back: bool, now_s: float) -> None:
        latest = snapshot.latest
        pair = snapshot.pair
        drop_id = frame.header.drop_id
        text = f"drop {drop_id} · {age(now_s - frame.received_s)}"
        if back:
            taken = f"◂ drop {drop_id} · {utc_time(frame.header.trigger_time_ns)} UTC"
            self._drop.say(taken, INFO, "an earlier drop; Ctrl+End shows the newest again")
        elif latest is not None and pair is not None and latest.drop_id != pair.drop_id:
            self._drop.say(
                f"▲ older: {text}", LOOK, f"drop {latest.drop_id} has no complete pair of images"
            )
        else:
            self._drop.say(text, DIM, "number of the drop and age of this image")

    def _make_overlay_button(self) -> QToolButton:
        button = QToolButton()
        button.setText("fit")
        button.setCheckable(True)
        button.setChecked(True)
        button.setToolTip(
            "show or hide the fit\n"
            "cross: centre · solid: 1 width · dashed: 2 widths · lines: bright fringes"
        )
        button.toggled.connect(lambda _checked: self._draw_fit(self._estimate))
        return button

    def _make_whole_button(self) -> QToolButton:
        button = QToolButton()
        button.setText("whole")
        button.setCheckable(True)
        button.setToolTip(
            "show the whole image, else the surroundings of both ports (double click in the image)"
        )
        button.toggled.connect(lambda _checked: self._draw_fit(self._estimate))
        return button

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        middle = QHBoxLayout()
        column = QVBoxLayout(self)
        top.setContentsMargins(6, 1, 2, 1)
        buttons = (self._layer_button, self._overlay, self.marks, self._whole, self._levels_button)
        for part in (self._title, self._drop, *buttons):
            top.addWidget(part)
        middle.setSpacing(2)
        middle.addWidget(self.canvas, 1)
        middle.addWidget(self._bar)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addLayout(top)
        column.addLayout(middle, 1)
        column.addWidget(self._fit)


def _estimate_of(frame: Frame, snapshot: Snapshot) -> StationEstimate | None:
    """Return what was made of an image that is not the newest any more.

    None where that is not known.
    """
    drop_id = frame.header.drop_id
    return next(
        (one.estimate for one in reversed(snapshot.records) if one.drop_id == drop_id), None
    )
