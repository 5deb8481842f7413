"""The matrix in force: where it came from, how well it is known, and its map."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyqtgraph as pg
import pytest
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from magis_calib.domain.config import Station
from magis_calib.domain.control import Decision
from magis_calib.domain.estimate import unusable_station
from magis_calib.domain.matrix_state import MatrixState
from magis_calib.domain.rules import RESPONSE
from magis_calib.domain.snapshot import DropRecord, Snapshot
from magis_calib.recording.matrix_origin import matrix_state
from magis_calib.recording.products import Product, write_product
from ui.matrix_panel import MatrixPanel
from ui.matrix_words import cell, heading, hover
from ui.theme import PANEL, diverging

DAY_NS = 86400 * 10**9


def snapshot(matrix: MatrixState | None, *records: DropRecord) -> Snapshot:
    return Snapshot("bottom", "Bottom station", "live", "", 0.0, "closed", "", None, matrix=matrix, records=records)


def promoted(station: Station, folder: Path, created_ns: int) -> Station:
    """A station with a matrix that was measured, and its product in the folder."""
    rows = {name: dict(row) for name, row in station.matrices["nominal"].items()}
    rows["fringe_z_rad_per_m"]["timing_asymmetry_s"] = 7.1e6
    numbers = {"matrix": rows, "stderr": {name: dict.fromkeys(station.loop.actuators, 0.05e6) for name in rows}}
    product = Product("response", "bottom", created_ns, True, "found", {}, "a session", (3, 40), numbers)
    name = f"response_{write_product(folder, product).name.partition('_')[0]}"
    loop = station.loop.model_copy(update={"matrix": name})
    return station.model_copy(update={"matrices": {**station.matrices, name: rows}, "loop": loop})


def test_the_nominal_matrix_comes_from_the_configuration_and_knows_no_errors(station: Station) -> None:
    matrix = matrix_state(station, None)
    assert heading(matrix, time.time_ns()) == ("nominal · from the configuration, no date", False)
    assert (matrix.stderr, matrix.measured_ns) == ({}, None)
    assert matrix.strength["x_m"]["trap_x_m"] == pytest.approx(1.0)
    assert matrix.values["z_m"]["launch_frequency_hz"] == pytest.approx(651.2e-9)
    assert cell(matrix, "z_m", "launch_frequency_hz") == "651.2"
    assert cell(matrix, "z_m", "trap_x_m") == "0"
    assert "6.512e-07 m / Hz" in hover(matrix, "z_m", "launch_frequency_hz").replace("−", "-")


def test_a_promoted_matrix_has_the_age_and_the_errors_of_its_product(station: Station, tmp_path: Path) -> None:
    now_ns = time.time_ns()
    measured = promoted(station, tmp_path, now_ns - 3 * DAY_NS)
    matrix = matrix_state(measured, tmp_path)
    text, old = heading(matrix, now_ns)
    assert not old
    assert "3 days old" in text
    assert "measured by response in drops 3 to 40" in text
    assert cell(matrix, "fringe_z_rad_per_m", "timing_asymmetry_s") == "7.100(50)"
    assert "± 5e+04 rad/m / s" in hover(matrix, "fringe_z_rad_per_m", "timing_asymmetry_s")
    assert cell(matrix, "x_m", "trap_y_m") == "0", "taken as 0: it has no error"
    text, old = heading(matrix, now_ns + 40 * DAY_NS)
    assert old
    assert "▲ 43 days old, measure it again" in text


def test_without_its_product_a_promoted_matrix_keeps_its_date(station: Station, tmp_path: Path) -> None:
    created_ns = time.time_ns() - DAY_NS
    measured = promoted(station, tmp_path, created_ns)
    for folder in (None, tmp_path / "elsewhere"):
        matrix = matrix_state(measured, folder)
        assert matrix.stderr == {}
        assert abs(matrix.measured_ns - created_ns) < 2000
        assert "its errors are not known" in matrix.origin


def test_the_map_is_drawn_once_and_anew_for_another_matrix(station: Station, tmp_path: Path, qtbot: QtBot) -> None:
    panel = MatrixPanel(unasked)
    qtbot.addWidget(panel)
    panel.refresh(snapshot(None), 0.0)
    assert panel.table.rowCount() == 0
    nominal = matrix_state(station, None)
    panel.refresh(snapshot(nominal), 0.0)
    first = panel.table.item(0, 0)
    panel.refresh(snapshot(nominal), 1.0)
    assert panel.table.item(0, 0) is first
    assert (panel.table.rowCount(), panel.table.columnCount()) == (6, 6)
    assert first.background().color() == diverging(1.0)
    assert panel.table.item(0, 1).background().color() == QColor(PANEL)
    panel.refresh(snapshot(matrix_state(promoted(station, tmp_path, time.time_ns()), tmp_path)), 2.0)
    assert panel.table.item(4, 4).text() == "7.100(50)"


def test_a_coupling_against_and_one_along_have_different_colours_and_signs(station: Station, qtbot: QtBot) -> None:
    rows = {name: dict(row) for name, row in station.matrices["nominal"].items()}
    rows["phase_rad"]["trap_x_m"] *= -100
    turned = station.model_copy(update={"matrices": {"nominal": rows}})
    panel = MatrixPanel(unasked)
    qtbot.addWidget(panel)
    panel.refresh(snapshot(matrix_state(turned, None)), 0.0)
    item = panel.table.item(5, 0)
    assert item.text() == "−0.07"
    assert item.background().color().blue() > item.background().color().red()


def test_equal_steps_of_the_colours_are_equal_in_lightness_and_hue() -> None:
    for sign in (1.0, -1.0):
        lab = [pg.functions.colorCIELab(diverging(sign * step / 10)) for step in range(11)]
        steps = [float(((after - before) ** 2).sum() ** 0.5) for before, after in pairwise(lab)]
        assert max(steps) - min(steps) < 1.0


def test_what_ordinary_running_says_stands_above(station: Station, qtbot: QtBot) -> None:
    wrong = RESPONSE.failed("an actuator does not do what the matrix says: trap x does not move: 0.02 ± 0.05")
    decision = replace(Decision(7, 0, "held", ""), verdicts=(wrong,))
    record = DropRecord(7, 0, "interferometer", True, unusable_station(7, ""), decision, {}, {})
    panel = MatrixPanel(unasked)
    qtbot.addWidget(panel)
    panel.refresh(snapshot(matrix_state(station, None)), 0.0)
    assert panel._living.text() == "ordinary running has told nothing of the actuators yet"
    panel.refresh(snapshot(matrix_state(station, None), record), 0.0)
    assert panel._living.text().startswith("▲ drop 7: an actuator does not do what the matrix says: trap x")
