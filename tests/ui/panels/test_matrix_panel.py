"""The matrix in force: where it came from, how well it is known, and its map."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pyqtgraph as pg
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from pytestqt.qtbot import QtBot

from magis_calib.config.station import Station
from magis_calib.domain.control import Decision
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import unusable_station
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.domain.rules import RESPONSE
from magis_calib.products.matrices import matrix_state, measured_matrix
from magis_calib.products.store import Product, read_product, write_product
from magis_calib.state.matrix import MatrixState, MeasuredMatrix, difference
from magis_calib.state.snapshot import Snapshot
from ui.models.matrix_text import cell, heading, hover
from ui.panels.matrix.panel import MatrixPanel
from ui.style.colours import PANEL
from ui.style.theme import diverging

DAY_NS = 86400 * 10**9


def snapshot(matrix: MatrixState | None, *records: DropRecord) -> Snapshot:
    return Snapshot(
        "bottom",
        "Bottom station",
        "live",
        "",
        0.0,
        "closed",
        "",
        None,
        matrix=matrix,
        records=records,
    )


def promoted(station: Station, folder: Path, created_ns: int) -> Station:
    """A station with a matrix that was measured, and its product in the folder."""
    rows = {name: dict(row) for name, row in station.matrices["nominal"].items()}
    rows["fringe_z_rad_per_m"]["timing_asymmetry_s"] = 7.1e6
    numbers = {
        "matrix": rows,
        "stderr": {name: dict.fromkeys(station.loop.actuators, 0.05e6) for name in rows},
    }
    product = Product(
        "response", "bottom", created_ns, True, "found", {}, "a session", (3, 40), numbers
    )
    name = f"response_{write_product(folder, product).name.partition('_')[0]}"
    loop = station.loop.model_copy(update={"matrix": name})
    return station.model_copy(update={"matrices": {**station.matrices, name: rows}, "loop": loop})


def measured(
    station: Station,
    folder: Path,
    changes: dict[tuple[str, str], float],
    *,
    created_ns: int | None = None,
    stderr: float = 1e-3,
) -> MeasuredMatrix | None:
    """What is found beside the matrix in force, of a response that misses the nominal one here and
    there.
    """
    names = station.loop.actuators
    rows = {
        one: dict.fromkeys(names, 0.0) | row for one, row in station.matrices["nominal"].items()
    }
    errors = {one: dict.fromkeys(names, stderr) for one in rows}
    for (observable, actuator), value in changes.items():
        rows[observable][actuator] = value
    units = {name: ACTUATORS[name].unit for name in names}
    numbers = {"matrix": rows, "stderr": errors, "actuator_units": units}
    write_product(
        folder,
        Product(
            "response",
            "bottom",
            created_ns or time.time_ns(),
            True,
            "found",
            {},
            "",
            (3, 40),
            numbers,
        ),
    )
    return measured_matrix("bottom", station, folder, None)


def test_the_nominal_matrix_comes_from_the_configuration_and_knows_no_errors(
    station: Station,
) -> None:
    matrix = matrix_state(station, None)
    assert heading(matrix, time.time_ns()) == ("nominal · from the configuration, no date", False)
    assert (matrix.stderr, matrix.measured_ns) == ({}, None)
    assert matrix.strength["x_m"]["trap_x_m"] == pytest.approx(1.0)
    assert matrix.values["z_m"]["launch_frequency_hz"] == pytest.approx(651.2e-9)
    assert cell(matrix, "z_m", "launch_frequency_hz") == "651.2"
    assert cell(matrix, "z_m", "trap_x_m") == "0"
    assert "6.512e-07 m / Hz" in hover(matrix, "z_m", "launch_frequency_hz").replace("−", "-")


def test_a_promoted_matrix_has_the_age_and_the_errors_of_its_product(
    station: Station, tmp_path: Path
) -> None:
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


def test_without_its_product_a_promoted_matrix_keeps_its_date(
    station: Station, tmp_path: Path
) -> None:
    created_ns = time.time_ns() - DAY_NS
    measured = promoted(station, tmp_path, created_ns)
    for folder in (None, tmp_path / "elsewhere"):
        matrix = matrix_state(measured, folder)
        assert matrix.stderr == {}
        assert abs(matrix.measured_ns - created_ns) < 2000
        assert "its errors are not known" in matrix.origin


def test_the_map_is_drawn_once_and_anew_for_another_matrix(
    station: Station, tmp_path: Path, qtbot: QtBot
) -> None:
    panel = MatrixPanel(pytest.fail)
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
    panel.refresh(
        snapshot(matrix_state(promoted(station, tmp_path, time.time_ns()), tmp_path)), 2.0
    )
    assert panel.table.item(4, 4).text() == "7.100(50)"


def test_a_coupling_against_and_one_along_have_different_colours_and_signs(
    station: Station, qtbot: QtBot
) -> None:
    rows = {name: dict(row) for name, row in station.matrices["nominal"].items()}
    rows["phase_rad"]["trap_x_m"] *= -100
    turned = station.model_copy(update={"matrices": {"nominal": rows}})
    panel = MatrixPanel(pytest.fail)
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
    wrong = RESPONSE.failed(
        "an actuator does not do what the matrix says: trap x does not move: 0.02 ± 0.05"
    )
    decision = replace(Decision(7, 0, "held", ""), verdicts=(wrong,))
    record = DropRecord(7, 0, "interferometer", True, unusable_station(7, ""), decision, {}, {})
    panel = MatrixPanel(pytest.fail)
    qtbot.addWidget(panel)
    panel.refresh(snapshot(matrix_state(station, None)), 0.0)
    assert panel._living.text() == "ordinary running has told nothing of the actuators yet"
    panel.refresh(snapshot(matrix_state(station, None), record), 0.0)
    assert panel._living.text().startswith(
        "▲ drop 7: an actuator does not do what the matrix says: trap x"
    )


def test_a_difference_is_counted_in_standard_errors_of_both(
    station: Station, tmp_path: Path
) -> None:
    nominal = station.matrices["nominal"]["x_m"]["trap_x_m"]
    new = measured(station, tmp_path, {("x_m", "trap_x_m"): nominal + 0.15}, stderr=0.04)
    force = matrix_state(station, None)
    assert difference(new.matrix, force)["x_m"]["trap_x_m"] == pytest.approx(0.15 / 0.04), (
        "the nominal one is exact"
    )
    known = replace(force, stderr={"x_m": {"trap_x_m": 0.03}})
    assert difference(new.matrix, known)["x_m"]["trap_x_m"] == pytest.approx(0.15 / 0.05)
    assert difference(new.matrix, known)["y_m"]["trap_y_m"] == pytest.approx(0.0)
    lost = replace(new.matrix, stderr={})
    assert math.isnan(difference(lost, force)["x_m"]["trap_x_m"])


def test_the_panel_turns_to_the_measured_matrix_and_to_the_difference(
    station: Station, tmp_path: Path, qtbot: QtBot
) -> None:
    nominal = station.matrices["nominal"]["x_m"]["trap_x_m"]
    new = measured(
        station, tmp_path, {("x_m", "trap_x_m"): nominal - 5.5e-3, ("x_m", "trap_y_m"): 2e-3}
    )
    panel = MatrixPanel(pytest.fail)
    qtbot.addWidget(panel)
    panel.refresh(replace(snapshot(matrix_state(station, None)), measured=new), 0.0)
    assert panel.table.item(0, 1).text() == "0"
    qtbot.keyClick(panel.tabs, Qt.Key.Key_Right)
    assert panel.page == "Measured"
    assert panel._head.text().startswith(f"{new.matrix.name} · 0.0 h old")
    assert panel.table.item(0, 0).text() == f"{nominal - 5.5e-3:.4f}(10)"
    assert panel.table.item(0, 1).background().color() == QColor(PANEL), (
        "2 standard errors: in force it would be 0"
    )
    assert "in force it would be 0" in panel.table.item(0, 1).toolTip()
    qtbot.keyClick(panel.tabs, Qt.Key.Key_Right)
    assert panel.table.item(0, 0).text() == "▲ −5.5"
    assert panel.table.item(0, 0).background().color() == diverging(-1.0)
    assert panel.table.item(0, 1).text() == "+2.0"
    assert panel.table.item(1, 1).text() == "+0.0"
    assert "▲ 1 of 36 elements differ by more than 4 standard errors" in panel._head.text()
    assert "nominal has no errors: taken as exact" in panel._head.text()


def test_the_newest_that_can_be_promoted_is_shown(station: Station, tmp_path: Path) -> None:
    assert measured_matrix("bottom", station, tmp_path / "none", None) is None
    now_ns = time.time_ns()
    assert measured(station, tmp_path, {}, created_ns=now_ns - 31 * DAY_NS) is None, "too old"
    good = measured(station, tmp_path, {}, created_ns=now_ns - 2 * DAY_NS)
    whole = read_product(Path(good.product))
    for newer in (
        replace(whole, created_ns=now_ns - DAY_NS, good=False),
        replace(whole, created_ns=now_ns - DAY_NS + 10**9, station="top"),
        replace(whole, created_ns=now_ns - DAY_NS + 2 * 10**9, numbers={}),
        replace(
            whole, created_ns=now_ns - DAY_NS + 3 * 10**9, numbers=whole.numbers | {"stderr": None}
        ),
        replace(whole, created_ns=now_ns - DAY_NS + 4 * 10**9, kind="poke"),
    ):
        write_product(tmp_path, newer)
    (tmp_path / "20990101T000000000000Z_response_bottom.json").write_text("torn")
    assert measured_matrix("bottom", station, tmp_path, None).product == good.product


def test_what_keeps_a_matrix_from_being_promoted_is_said(
    station: Station, tmp_path: Path, qtbot: QtBot
) -> None:
    panel = MatrixPanel(pytest.fail)
    qtbot.addWidget(panel)
    bare = snapshot(matrix_state(station, None))
    new = measured(station, tmp_path, {})
    for told, words in (
        (bare, "no measured matrix of this station is among the products"),
        (replace(bare, measured=new), "`magis-calib config --default > station.toml`"),
        (replace(bare, measured=new, configuration="my.toml"), "my.toml cannot be read"),
        (
            replace(bare, measured=replace(new, saved=new.matrix.name), configuration="my.toml"),
            "names response_",
        ),
        (replace(bare, measured=new, configuration="my.toml", finished=True), "the run has ended"),
        (replace(bare, measured=new, configuration="my.toml", mode="replay"), "this is a replay"),
    ):
        panel.refresh(told, 0.0)
        assert panel.promote.isEnabled() == (told.mode == "live" and not told.finished)
        assert words in panel.promote.toolTip()
        panel.ask_promotion()
        assert words in panel.question.text()
        assert not panel.question.yes.isEnabled()
