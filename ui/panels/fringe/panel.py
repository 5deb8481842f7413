"""The fringe as a profile: both ports with their fit, and what is left over."""

from __future__ import annotations

from concurrent.futures import Executor

from PySide6.QtWidgets import QWidget

from magis_calib.domain.camera import ImagePair
from magis_calib.domain.estimate import StationEstimate, ViewEstimate
from magis_calib.estimation.profile import FringeProfile
from magis_calib.state.snapshot import Snapshot
from ui.models.background import BackgroundTask
from ui.models.fringe_profile import fringed_view, profile_of, table_of
from ui.models.image_history import ImageHistory, Shown
from ui.models.plot import Origin, Plot
from ui.panels.fringe.numbers import FringeWords
from ui.panels.fringe.phase_dial import PhaseDial
from ui.panels.fringe.plots import AXIS_PX, FringePlots
from ui.style.format import missing, why_unusable
from ui.style.theme import room_px
from ui.widgets.boxes import in_column
from ui.widgets.or_words import OrWords

Fitted = tuple[ImagePair, StationEstimate]


class FringePanel(QWidget):
    """Profile of the view that carries the fringes."""

    def __init__(self, executor: Executor, image_history: ImageHistory) -> None:
        """`executor`: sums up the profiles, beside the GUI thread.

        `image_history` knows which drop to show.
        """
        super().__init__()
        self._image_history = image_history
        self.background: BackgroundTask[Fitted, FringeProfile | None] = BackgroundTask(
            executor, profile_of
        )
        self._drawn: object = None
        self._words = FringeWords()
        self._plot: Plot | None = None
        self._plots = FringePlots()
        self._dial = PhaseDial()
        self._dial.setParent(self._plots)  # in the corner where a fringe has no light
        self._dial.move(room_px(AXIS_PX) + 4, room_px(16))  # under the name of the run
        content = QWidget()
        in_column(self._words, (self._plots, 1), on=content, margins_px=(0, 2, 0, 0), spacing_px=1)
        self._content = OrWords(self, content)

    def prepare(self, snapshot: Snapshot) -> None:
        """Begin to sum up the profile to show; cheap."""
        shown = self._image_history.shown(snapshot)
        if shown.pair is not None and shown.estimate is not None:
            self.background.begin((shown.pair, shown.estimate))

    def settle(self) -> None:
        """Wait for what is made ready aside."""
        self.background.settle()

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Draw the profile of the drop to show."""
        shown = self._image_history.shown(snapshot)
        if shown.pair is None or shown.estimate is None:
            self._say_nothing(shown, snapshot)
            return
        made = self.background.newest((shown.pair, shown.estimate))
        if made is not None and made is not self._drawn:
            self._drawn = made
            self._show(*made, snapshot)

    def plots(self) -> list[Plot]:
        """Return the profile with what is left of it, where there is one."""
        return [self._plot] if self._plot is not None else []

    def _show(self, of: Fitted, profile: FringeProfile | None, snapshot: Snapshot) -> None:
        """Draw a profile, or say why there is none."""
        pair, estimate = of
        fitted = estimate.views.get(fringed_view(estimate))
        if fitted is None or profile is None:
            reasons = "\n".join((fitted or estimate).reasons) or "no fit of this drop"
            self._plot = None
            self._content.say(f"– No profile of drop {pair.drop_id}\n\n{reasons}")
        else:
            self._draw(profile, fitted, Origin.of(snapshot))
            self._say_phase(estimate, snapshot)

    def _draw(self, profile: FringeProfile, fitted: ViewEstimate, origin: Origin) -> None:
        self._content.show_content()
        self._words.say(fitted)
        self._plots.draw(profile, fitted)
        drops = (fitted.drop_id, fitted.drop_id)
        self._plots.label.say(origin.identity(drops))
        name = f"fringe profile, view {fitted.view}"
        self._plot = Plot(name, "fringe", self._plots, drops, lambda: table_of(profile))

    def _say_nothing(self, shown: Shown, snapshot: Snapshot) -> None:
        self._plot = None
        self._drawn = None
        nothing = "No fringes yet\n\n" + missing(snapshot, "camera x")
        self._content.say(f"– No profile\n\n{shown.problem}" if shown.back else nothing)

    def _say_phase(self, estimate: StationEstimate, snapshot: Snapshot) -> None:
        """Turn the dial to the phase of the station; it shows none that the loop would not use."""
        name = "phase_rad"
        record = next(
            (one for one in reversed(snapshot.records) if one.drop_id == estimate.drop_id), None
        )
        why = why_unusable(record, name) if record is not None else "; ".join(estimate.reasons)
        self._dial.say(
            estimate.values[name], estimate.stderr[name], snapshot.targets.get(name), why
        )
