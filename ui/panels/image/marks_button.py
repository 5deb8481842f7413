"""The button that shows or hides the pixels which the fit leaves out, with their number."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor

from PySide6.QtWidgets import QToolButton

from magis_calib.domain.camera import Frame
from magis_calib.domain.estimate import ViewEstimate
from ui.models.background import BackgroundTask
from ui.models.marks import Marks, marks_of


class MarksButton(QToolButton):
    """Finds the pixels aside and hands them to `draw` while it is checked."""

    def __init__(self, executor: Executor, draw: Callable[[Marks | None], None]) -> None:
        """`executor`: finds the pixels; `draw` shows them, or none."""
        super().__init__()
        self.background: BackgroundTask[tuple[Frame, str, ViewEstimate | None], Marks] = (
            BackgroundTask(executor, lambda wanted: marks_of(*wanted))
        )
        self._draw_marks = draw
        self._drawn = None
        self._marks: Marks | None = None
        self.setCheckable(True)
        self.setChecked(True)
        self.setText("marks")
        self.setToolTip("mark the pixels that the fit leaves out")
        self.toggled.connect(lambda _checked: self._say())

    def refresh(self, frame: Frame, defects: str, fitted: ViewEstimate | None) -> None:
        """Follow the image that is drawn, and its fit. `defects`: its configured mask file."""
        if not self.isChecked():
            return
        made = self.background.newest((frame, defects, fitted))
        if made is not None and made[1] is not self._marks:
            self._marks = made[1]
            self._say()

    def _say(self) -> None:
        marks = self._marks
        self._draw_marks(marks if self.isChecked() else None)
        if marks is not None:
            self.setToolTip(_in_words(marks))


def _in_words(marks: Marks) -> str:
    found = marks.left_out
    many = max(found.saturated_px, found.masked_px) > found.MOST
    some = f"\nat most {found.MOST} of each are drawn" if many else ""
    problem = f"\n▲ {marks.problem}" if marks.problem else ""
    return (
        f"pixels that the fit leaves out: × {found.saturated_px} saturated, "
        f"▪ {found.masked_px} masked as defects, hot or outliers{some}{problem}"
    )
