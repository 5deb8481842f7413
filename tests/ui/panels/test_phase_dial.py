"""The dial of the phase: where its hand points, and what it says where there is none."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from ui.panels.fringe.phase_dial import SIDE_PX, PhaseDial
from ui.style.theme import dress


@pytest.fixture
def dial(qapp: QApplication, qtbot: QtBot) -> PhaseDial:
    dress(qapp)
    dial = PhaseDial()
    qtbot.addWidget(dial)
    return dial


def picture(dial: PhaseDial) -> np.ndarray:
    """Red, green and blue of every pixel, upper row first."""
    image = dial.grab().toImage().convertToFormat(QImage.Format.Format_RGB888)
    lines = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return lines[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def changed(dial: PhaseDial, phase: float, stderr: float) -> np.ndarray:
    """Where the picture is another with this phase than with none, seen from the middle: right and
    up, a row each.
    """
    dial.say(math.nan, math.nan, None, "not usable")
    before = picture(dial)
    dial.say(phase, stderr, None, "")
    rows, columns = np.nonzero(np.abs(picture(dial) - before).sum(axis=2) > 60)
    middle = (SIDE_PX - 1) / 2
    places = np.stack([columns - middle, middle - rows], axis=1)
    return places[np.hypot(*places.T) > 6.0]  # without the dash that stands there else


@pytest.mark.parametrize("phase", [0.0, 0.7, math.pi / 2, 2.5, -2.0, math.pi])
def test_the_hand_points_to_the_phase(dial: PhaseDial, phase: float) -> None:
    right, up = changed(dial, phase, 0.02).mean(axis=0)
    assert math.remainder(math.atan2(up, right) - phase, 2 * math.pi) == pytest.approx(0.0, abs=0.1)


def test_the_wedge_grows_with_the_error_and_the_target_is_a_tick_elsewhere(dial: PhaseDial) -> None:
    areas = [len(changed(dial, 1.0, stderr)) for stderr in (0.02, 0.4, 0.8)]
    assert areas[1] > 2 * areas[0]
    assert areas[2] > 1.6 * areas[1]
    without = picture(dial)
    dial.say(1.0, 0.8, -2.0, "")
    assert (picture(dial) != without).any(axis=2).sum() > 5


def test_no_phase_is_a_dash_with_its_reason(dial: PhaseDial) -> None:
    dial.say(math.nan, math.nan, 0.5, "contrast too low")
    assert dial.accessibleName() == "phase – contrast too low, target 0.500 rad"
