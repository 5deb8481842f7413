"""One camera's view: the newest image, the fit over it, and what the fit says."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import Executor
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QToolButton, QWidget

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
from ui.widgets.boxes import in_column, in_row
from ui.widgets.label import ElidedLabel
from ui.widgets.quiet import choice_button

AROUND_PORTS_MM = 4.5
OF_FIT = """show or hide the fit
cross: centre · solid: 1 width · dashed: 2 widths · lines: bright fringes"""
OF_WHOLE = "show the whole image, else the surroundings of both ports (double click in the image)"


class ImagePanel(QWidget):
    """Images of one view are pulled from the snapshot, decimated here and never queued.

    Emits `fixed_levels_wanted` where the operator wants to type them.
    """

    fixed_levels_wanted = Signal()

    def __init__(
        self, view: View, executor: Executor, image_history: ImageHistory, levels: CommonLevels
    ) -> None:
        """`executor` decimates images of `view`; `image_history` knows which drop to show.

        `levels` are those of both views.
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
        self._overlay = self._toggle("fit", OF_FIT, on=True)
        self._whole = self._toggle("whole", OF_WHOLE, on=False)
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
            self._say_nothing(shown, snapshot)
            return
        made = self.background.newest(self._wanted(shown, pair))
        if made is None:
            return
        (frame, *_), picture = made
        if picture is not self.canvas.picture or self.canvas.is_empty:
            self._draw(frame, picture, Origin.of(snapshot))
        self._follow_levels(frame, picture)
        self._say_drop(snapshot, frame, shown.back, now_s)
        is_newest = frame is pair.frames[self._view]
        self._follow_fit(shown.estimate if is_newest else _estimate_of(frame, snapshot))
        defects = snapshot.defects.get(self._view, "")
        self.marks.refresh(frame, defects, self._of_view(self._estimate))

    def _say_nothing(self, shown: Shown, snapshot: Snapshot) -> None:
        self._drop.say("")
        why = missing(snapshot, f"camera {self._view}")
        nothing = f"No picture from view {self._view} yet\n\n{why}"
        self.canvas.say_empty(f"– No picture\n\n{shown.problem}" if shown.back else nothing)

    def _follow_fit(self, estimate: StationEstimate | None) -> None:
        if estimate is not self._estimate:
            self._draw_fit(estimate)
            self._estimate = estimate

    def _of_view(self, station: StationEstimate | None) -> ViewEstimate | None:
        return station.views.get(self._view) if station is not None else None

    def plots(self) -> list[Plot]:
        """Return the image that is drawn, where there is one."""
        frame, drawn = self._frame, self.canvas.picture
        if frame is None or drawn is None:
            return []
        drop = frame.header.drop_id
        name, key = f"view {self._view}, {self._layer}", f"view-{self._view}-{self._layer}"
        table, notes = partial(table_of, drawn, frame.facts), self._notes(drawn)
        return [Plot(name, key, self.canvas.view, (drop, drop), table, notes)]

    def _notes(self, drawn: Raster) -> tuple[str, ...]:
        """Write which levels an exported picture has."""
        levels = self._levels.common
        if drawn.residual:
            return (f"shows ±{RESIDUAL_SIGMA:g} σ",)
        return () if levels is None else (f"levels {levels.words()} per pixel",)

    def show_layer(self, layer: Layer) -> None:
        """Show the data, the fit or the residual."""
        self._layer = layer
        self._layer_button.setText(f"{layer} ▾")

    def _wanted(
        self, shown: Shown, pair: ImagePair
    ) -> tuple[Frame, int, Layer, ViewEstimate | None]:
        """Return what is to be drawn now; a fit only with the estimate of this very pair."""
        frame = pair.frames[self._view]
        fitted = self._of_view(shown.estimate) if self._layer != "data" else None
        return frame, self.canvas.wanted_step(frame), self._layer, fitted

    def _choose_levels(self, rule: Rule) -> None:
        """Take levels anew, in both views; what is typed is asked for first."""
        if rule == "fixed":
            self.fixed_levels_wanted.emit()
        else:
            self._levels.find_anew(rule)

    def _draw(self, frame: Frame, drawn: Raster, origin: Origin) -> None:
        self.canvas.draw(frame, drawn)
        self._frame = frame
        self.canvas.label.say(origin.identity((frame.header.drop_id, frame.header.drop_id)))
        if drawn.residual:
            self.canvas.set_sigma(RESIDUAL_SIGMA)
            self._bar.show_sigma(RESIDUAL_SIGMA)
        else:
            self._levels.take(self._view, drawn.counts, frame.facts)
        self._title.say(f"VIEW {self._view.upper()}", hover=self._scale(frame, drawn.step))

    def _scale(self, frame: Frame, step: int) -> str:
        """Write what the view sees, and how large its pixels are."""
        return (
            f"sees ({self._view}, z); upright, z up\n"
            f"{frame.facts.object_pixel_m * 1e6:.4g} µm/px: one camera pixel in the object; "
            f"the screen shows the mean of {step} x {step}"
        )

    def _follow_levels(self, frame: Frame, drawn: Raster) -> None:
        """Show the picture with the levels of both views, where they or it changed."""
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
        self._say_levels(levels)

    def _say_levels(self, levels: Levels) -> None:
        rule = self._levels.rule
        found = rule in ("extremes", "percentiles")
        self._levels_button.setText("levels ▾" if found else f"levels: {rule} ▾")
        words = f"levels {levels.words()} per pixel in both views"
        self._levels_button.setToolTip(f"{words}\n(Ctrl+L finds them anew)")

    def _draw_fit(self, station: StationEstimate | None) -> None:
        fitted = self._of_view(station)
        found = outlines(fitted, fitted.displacements) if fitted is not None else {}
        self.canvas.draw_fit(found, self._overlay.isChecked())
        self._show_extent(fitted)
        self._fit.say(station, fitted)

    def _show_extent(self, fitted: ViewEstimate | None) -> None:
        """Show the surroundings of both ports unless the operator wants the whole image."""
        if self._whole.isChecked():
            self.canvas.show_extent(None)
        elif fitted is not None and fitted.displacements:
            self.canvas.show_extent(_around_ports_mm(fitted.displacements.values()))

    def _say_drop(self, snapshot: Snapshot, frame: Frame, back: bool, now_s: float) -> None:
        latest, pair, header = snapshot.latest, snapshot.pair, frame.header
        text = f"drop {header.drop_id} · {age(now_s - frame.received_s)}"
        if back:
            taken = f"◂ drop {header.drop_id} · {utc_time(header.trigger_time_ns)} UTC"
            self._drop.say(taken, INFO, "an earlier drop; Ctrl+End shows the newest again")
        elif latest is not None and pair is not None and latest.drop_id != pair.drop_id:
            why = f"drop {latest.drop_id} has no complete pair of images"
            self._drop.say(f"▲ older: {text}", LOOK, why)
        else:
            self._drop.say(text, DIM, "number of the drop and age of this image")

    def _toggle(self, text: str, hover: str, *, on: bool) -> QToolButton:
        """Return a button that says how the fit is drawn."""
        button = QToolButton()
        button.setText(text)
        button.setCheckable(True)
        button.setChecked(on)
        button.setToolTip(hover)
        button.toggled.connect(lambda _checked: self._draw_fit(self._estimate))
        return button

    def _lay_out(self) -> None:
        words = (self._title, self._drop)
        buttons = (self._layer_button, self._overlay, self.marks, self._whole, self._levels_button)
        top = in_row(*words, *buttons, margins_px=(6, 1, 2, 1))
        middle = in_row((self.canvas, 1), self._bar, spacing_px=2)
        parts = (top, (middle, 1), self._fit)
        in_column(*parts, on=self, margins_px=(0, 0, 0, 0), spacing_px=1)


def _around_ports_mm(places_m: Collection[tuple[float, float]]) -> tuple[float, float]:
    """Return half width and half height of what shows all ports and their surroundings."""
    away = zip(*places_m, strict=True)
    right, up = (1e3 * max(map(abs, one)) + AROUND_PORTS_MM for one in away)
    return right, up


def _estimate_of(frame: Frame, snapshot: Snapshot) -> StationEstimate | None:
    """Return what was made of an image that is not the newest any more.

    None where that is not known.
    """
    drop_id = frame.header.drop_id
    return next(
        (one.estimate for one in reversed(snapshot.records) if one.drop_id == drop_id), None
    )
