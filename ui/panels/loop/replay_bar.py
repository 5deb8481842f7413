"""Plays a recording: pause, step, speed, and a time line of all recorded drops."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QWidget

from magis_calib.state.commands import Command, JumpTo, SetSpeed, StepDrop
from magis_calib.state.snapshot import ReplayState, Snapshot
from ui.style.colours import DIM, INFO, LOOK
from ui.style.format import utc_time
from ui.style.keys import numbered
from ui.widgets.boxes import STRETCH, in_column, in_row
from ui.widgets.buttons import tool_button
from ui.widgets.label import ElidedLabel
from ui.widgets.quiet import FocusSlider

SPEEDS = {"1×": 1.0, "10×": 10.0, "max": math.inf}


class ReplayBar(QWidget):
    """The word REPLAY, buttons and a slider. Nothing here moves hardware."""

    def __init__(self, submit: Callable[[Command], None]) -> None:
        """`submit` hands a command to the run."""
        super().__init__()
        self._submit = submit
        self._factor = 1.0
        self._state: ReplayState | None = None
        self._places: dict[int, int] = {}
        self._place = 0
        self._wanted = -1
        self._where = ElidedLabel(grows=True)
        self._same = ElidedLabel(grows=True)
        self.play = tool_button("pause", "play or pause (Space)", self.turn, "Space")
        one_more = partial(submit, StepDrop())
        self.step = tool_button("step", "pause after one more drop (.)", one_more, ".")
        self._group = QButtonGroup(self)
        self.slider = FocusSlider("drop of the recording that is played")
        self.slider.setTracking(False)
        self.slider.setToolTip(
            "all recorded drops: click or drag to go on with another one (Left, Right: one drop)"
        )
        self.slider.valueChanged.connect(self._jump)
        self.slider.sliderMoved.connect(self._say_place)
        parts = (self._buttons(), self.slider, self._where, self._same)
        in_column(*parts, on=self, margins_px=(0, 0, 0, 0), spacing_px=3)

    def turn(self) -> None:
        """Play where it is paused, else pause."""
        paused = self._state is not None and self._state.speed == 0
        self._submit(SetSpeed(self._factor if paused else 0.0))

    def refresh(self, snapshot: Snapshot) -> None:
        """Show where the recording is, how fast it plays, and whether all was identical so far."""
        state = snapshot.replay
        if state is None:
            return
        self._take(state)
        self.play.setText("play" if state.speed == 0 else "pause")
        self._mark_speed(state.speed)
        if snapshot.latest is not None:
            self._follow(self._places.get(snapshot.latest.drop_id, 0))
        self._say_same(state)

    def _take(self, state: ReplayState) -> None:
        """Take in the drops of the recording, once, and how it is played now."""
        if self._state is None or self._state.drops is not state.drops:
            self.slider.setMaximum(max(0, len(state.drops) - 1))
            self._places = {drop: place for place, drop in enumerate(state.drops)}
        self._state = state

    def _follow(self, place: int) -> None:
        """Move the slider along, but for one that is held or was just sent elsewhere."""
        if place == self._wanted:
            self._wanted = -1
        if self._wanted < 0 and not self.slider.isSliderDown():
            self._move_slider(place)
            self._say_place(place)

    def _move_slider(self, place: int) -> None:
        self._place = place
        self.slider.blockSignals(True)
        self.slider.setValue(place)
        self.slider.blockSignals(False)

    def _jump(self, place: int) -> None:
        if self._state is not None and place != self._place:
            self._wanted = self._place = place
            self._submit(JumpTo(self._state.drops[place]))

    def _say_place(self, place: int) -> None:
        state = self._state
        if state is not None and state.drops:
            words = (
                f"drop {state.drops[place]} · {utc_time(state.times_ns[place])} · {place + 1} "
                f"of {len(state.drops)}"
            )
            self._where.say(
                words, hover="number, time (UTC) and place of the drop in the recording"
            )

    def _say_same(self, state: ReplayState) -> None:
        if not state.different:
            text = f"{state.compared} estimates, all identical so far"
            self._same.say(text, DIM, "to the recorded ones, bit for bit")
            return
        self._say_different(state)

    def _say_different(self, state: ReplayState) -> None:
        count = len(state.different)
        first = state.different[0]
        text = f"▲ {count} of {state.compared} estimates differ, first drop {first}"
        hover = ("from the recorded ones, which are dashed in the trends", *state.named)
        self._same.say(text, LOOK, "\n".join(hover))

    def _mark_speed(self, speed: float) -> None:
        if speed:
            self._factor = speed
        for button in self._group.buttons():
            button.setChecked(SPEEDS[button.text()] == self._factor)

    def _buttons(self) -> QHBoxLayout:
        title = ElidedLabel(bold=True, whole=True)
        title.say("REPLAY", INFO, "a recording is shown again; no hardware is moved")
        self._group.setExclusive(False)
        for number, text in enumerate(SPEEDS, start=1):
            self._group.addButton(self._speed(number, text))
        return in_row(title, STRETCH, self.play, self.step, *self._group.buttons())

    def _speed(self, number: int, text: str) -> QToolButton:
        """Return the button of a speed, the so-many-th from 1 on."""
        factor = SPEEDS[text]
        keys = numbered("Alt", number)
        fast = "as fast as possible"
        hover = fast if math.isinf(factor) else f"{factor:g} times the speed of the recording"
        action = partial(self._submit, SetSpeed(factor))
        button = tool_button(text, f"{hover} ({keys})" if keys else hover, action, keys)
        button.setCheckable(True)
        return button
