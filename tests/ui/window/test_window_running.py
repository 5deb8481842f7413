"""The window over one running station: it shows what the run knows, and does what the operator
asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton
from pytestqt.qtbot import QtBot
from window_bench import StationBench, items_of, kept_in, points, said, wait_until

from magis_calib.domain.control import SHADOW
from magis_calib.domain.devices import ActuatorState
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES
from magis_calib.state.snapshot import Snapshot
from ui.models.ledger_text import HEADS
from ui.models.series import Series
from ui.panels.fringe.panel import FringePanel
from ui.panels.ledger.panel import LedgerPanel
from ui.panels.loop.actuator_row import ActuatorRow
from ui.panels.loop.panel import LoopPanel
from ui.panels.trends.panel import TrendsPanel
from ui.panels.trends.strip_chart import StripChart
from ui.widgets.label import ElidedLabel
from ui.window.help_text import shortcuts_text

pytestmark = pytest.mark.station

PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def bench(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StationBench]:
    folder: Path = tmp_path_factory.mktemp("running")
    with StationBench(folder, kept_in(folder)) as bench:
        wait_until(lambda: len(bench.snapshot.records) >= 10, "ten drops")
        yield bench


@pytest.fixture
def closed(bench: StationBench, qtbot: QtBot) -> Iterator[StationBench]:
    """The bench with the loop closed, before and after the test."""
    yield bench
    press(qtbot, bench, "Close")
    qtbot.waitUntil(lambda: bench.snapshot.loop == "closed", timeout=PATIENCE_MS)


@pytest.fixture
def opened(closed: StationBench, qtbot: QtBot) -> StationBench:
    """The bench with the loop open."""
    press(qtbot, closed, "Open")
    qtbot.waitUntil(lambda: closed.snapshot.loop == "open", timeout=PATIENCE_MS)
    closed.drawn()
    return closed


def press(qtbot: QtBot, bench: StationBench, text: str) -> None:
    (button,) = [
        one
        for one in bench.window.panels.of(LoopPanel).findChildren(QPushButton)
        if one.text() == text
    ]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def state_of(snapshot: Snapshot, name: str) -> ActuatorState:
    return next(one for one in snapshot.actuators if one.name == name)


def type_setpoint(qtbot: QtBot, row: ActuatorRow, text: str) -> None:
    row.edit.setFocus()
    row.edit.selectAll()
    qtbot.keyClicks(row.edit, text)
    qtbot.keyClick(row.edit, Qt.Key.Key_Return)


def answer(qtbot: QtBot, button: QPushButton) -> None:
    """Press a button of a question once all of it is in sight, which the panel scrolls to by
    itself.
    """
    whole = button.sizeHint().height()
    qtbot.waitUntil(
        lambda: button.height() >= whole and button.visibleRegion().contains(button.rect()),
        timeout=PATIENCE_MS,
    )
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


# ---- what is shown


def test_state_line_names_the_newest_drop_its_age_the_loop_and_what_was_lost(
    bench: StationBench,
) -> None:
    snapshot = bench.drawn()
    text = said(bench.window.panels.state_line)
    assert snapshot.latest is not None
    assert re.search(rf"drop {snapshot.latest.drop_id} · \d+\.\d s", text)
    assert "LOOP CLOSED" in text
    assert f"0 of {snapshot.counters.received} lost" in text
    assert snapshot.counters.received >= 20
    assert "no alarms" in text
    assert Path(snapshot.session).name in text
    assert str(Path(snapshot.session).parent) not in text


@pytest.mark.parametrize("view", ["x", "y"])
def test_image_shows_the_clouds_and_the_fit_lies_on_them(bench: StationBench, view: str) -> None:
    snapshot = bench.drawn()
    assert snapshot.pair_estimate is not None
    fitted = snapshot.pair_estimate.views[view]
    canvas = bench.window.panels.images[view].canvas
    rings = [points(one) for one in items_of(canvas, pg.PlotCurveItem) if len(points(one)) == 73]
    centres = {(ring.min(axis=0) + ring.max(axis=0)).round(9).tobytes() for ring in rings}
    assert len(rings) == 4
    assert len(centres) <= 4
    (picture,) = items_of(canvas, pg.ImageItem)
    box = picture.mapRectToParent(picture.boundingRect())
    rows, columns = picture.image.shape
    right = box.left() + (np.arange(columns) + 0.5) * box.width() / columns
    up = box.top() + (np.arange(rows) + 0.5) * box.height() / rows
    dark = float(np.median(picture.image))
    for port in ("a", "b"):
        place = (
            np.array(
                [fitted.value(f"port_{port}_horizontal_m"), fitted.value(f"port_{port}_vertical_m")]
            )
            * 1e6
        )
        away = [
            np.hypot(*((ring.min(axis=0) + ring.max(axis=0)) / 2 * 1e3 - place)) for ring in rings
        ]
        assert sorted(away)[1] < 0.1  # µm: one and two widths around the fitted centre
        inside = np.hypot(right[None, :] - place[0] / 1e3, up[:, None] - place[1] / 1e3) < 1.5
        light = np.clip(picture.image.astype(float) - dark, 0.0, None) * inside
        middle = [
            (light * right[None, :]).sum() / light.sum(),
            (light * up[:, None]).sum() / light.sum(),
        ]
        assert (
            np.hypot(*(np.array(middle) - place / 1e3)) < 0.2
        )  # mm: the centre of the light that is on the screen
        assert picture.image[inside].mean() > dark + 5.0
    assert "✓ usable" in said(bench.window.panels.images[view])


def middle_of(bench: StationBench, view: str, layer: str) -> np.ndarray:
    """Show a layer and return what is drawn of it, as floats."""
    panel = bench.window.panels.images[view]
    panel.show_layer(layer)
    bench.drawn()
    (picture,) = items_of(panel.canvas, pg.ImageItem)
    return np.asarray(picture.image, dtype=float)


@pytest.mark.parametrize("view", ["x", "y"])
def test_fit_and_residual_are_shown_instead_of_the_data(bench: StationBench, view: str) -> None:
    try:
        fit, residual = middle_of(bench, view, "fit"), middle_of(bench, view, "residual")
    finally:
        bench.window.panels.images[view].show_layer("data")
        bench.drawn()
    frame = bench.snapshot.pair.frames[view]
    assert fit.max() > np.median(fit) + 500.0, "the clouds, in counts"
    assert np.median(fit) == pytest.approx(float(np.median(frame.counts)), abs=40.0), (
        "on the level of the data"
    )
    assert np.nanstd(residual) == pytest.approx(1.0, abs=0.15), "standard deviations"
    assert abs(np.nanmean(residual)) < 0.1


def test_a_number_is_copied_with_its_error_and_unit(bench: StationBench) -> None:
    snapshot = bench.drawn()
    estimate = snapshot.latest.estimate
    words = next(
        one
        for one in bench.window.panels.of(LoopPanel).observables.findChildren(ElidedLabel)
        if "\nz_m = " in one.toolTip()
    )
    menu = words.copy_menu()
    offered = [action.text() for action in menu.actions()]
    wanted = f"z_m = {estimate.values['z_m']:.9g} ± {estimate.stderr['z_m']:.3g} m"
    assert f"Copy  {wanted}" in offered
    menu.actions()[offered.index(f"Copy  {wanted}")].trigger()
    assert QApplication.clipboard().text() == wanted
    menu.deleteLater()


def test_fringe_profile_has_data_and_a_fit_that_goes_through_them(bench: StationBench) -> None:
    bench.drawn()
    curves = [
        points(one)
        for one in items_of(bench.window.panels.of(FringePanel), pg.PlotCurveItem)
        if len(points(one)) > 50
    ]
    clouds = [
        points(one)
        for one in items_of(bench.window.panels.of(FringePanel), pg.ScatterPlotItem)
        if len(points(one)) > 50
    ]
    assert (len(curves), len(clouds)) == (2, 4)
    fitted = [max(clouds, key=lambda one: likeness(one, curve)) for curve in curves]
    assert all(likeness(data, curve) > 0.98 for data, curve in zip(fitted, curves, strict=True))
    for rest in clouds:
        assert any(rest is data for data in fitted) or 0.7 < rest[:, 1].std() < 1.4  # in σ
    bottom, top = bench.window.panels.of(FringePanel)._plots.signal.viewRange()[1]
    assert 0.3 < max(curve[:, 1].max() for curve in curves) / (top - bottom) <= 1.0
    assert re.search(
        r"κ \d{4}\.\d\(\d+\) rad/m +φ .* rad +C 0\.\d", said(bench.window.panels.of(FringePanel))
    )


def likeness(data: np.ndarray, curve: np.ndarray) -> float:
    return float(np.corrcoef(data[:, 1], curve[:, 1])[0, 1])


def test_each_chart_holds_every_usable_drop_with_its_error_bar_and_the_target(
    bench: StationBench,
) -> None:
    snapshot = bench.drawn()
    charts = {
        one.quantity.name: one
        for one in bench.window.panels.of(TrendsPanel).findChildren(StripChart)
        if one.isVisible()
    }
    assert set(charts) == set(OBSERVABLES)
    for name, chart in charts.items():
        scale = OBSERVABLES[name].shown_scale
        usable = [one for one in snapshot.records if np.isfinite(one.estimate.values[name])][-100:]
        drops = [one.drop_id for one in usable]
        marks = next(one for one in items_of(chart, pg.ScatterPlotItem) if len(points(one)))
        assert points(marks)[:, 0].tolist() == drops
        assert len(drops) >= 10
        (bars,) = items_of(chart, pg.ErrorBarItem)
        errors = {one.drop_id: one.estimate.stderr[name] * scale for one in usable}
        assert set(bars.opts["x"]) <= set(drops)
        assert len(bars.opts["x"]) >= 0.8 * len(drops)
        for drop, height in zip(bars.opts["x"], bars.opts["height"], strict=True):
            assert height == pytest.approx(2 * errors[int(drop)])
        targets = [one.value() for one in items_of(chart, pg.InfiniteLine)]
        assert pytest.approx(snapshot.targets[name] * scale) in targets


def seen_drops(bench: StationBench) -> set[tuple[float, float]]:
    charts = [
        one
        for one in bench.window.panels.of(TrendsPanel).findChildren(StripChart)
        if one.isVisible()
    ]
    return {
        tuple(round(one, 6) for one in chart.findChild(pg.PlotWidget).getViewBox().viewRange()[0])
        for chart in charts
    }


def test_trends_are_zoomed_and_moved_together_and_follow_again(
    bench: StationBench, qtbot: QtBot
) -> None:
    trends = bench.window.panels.of(TrendsPanel)
    bench.drawn()
    trends.zoom_or_move("zoom", 1e-9, 4.0)
    bench.drawn()
    ((first, last),) = seen_drops(bench)
    assert first < 4.0 < last < first + 7.0
    qtbot.waitUntil(lambda: bench.snapshot.records[-1].drop_id > last + 3, timeout=PATIENCE_MS)
    bench.drawn()
    assert seen_drops(bench) == {(first, last)}, "new drops do not push away what is looked at"
    trends.step("move", 0.5)
    bench.drawn()
    ((moved, _),) = seen_drops(bench)
    assert moved > first + 1.0
    assert "drops " in said(trends) or any(
        "drops " in one.text() for one in trends.findChildren(QToolButton)
    )
    trends.zoom_or_move("move", 1e9)
    bench.drawn()
    ((_, far),) = seen_drops(bench)
    assert far <= bench.snapshot.records[-1].drop_id + 12.0
    trends.zoom_or_move("follow", 0.0)
    bench.drawn()
    ((_, newest),) = seen_drops(bench)
    assert newest >= bench.snapshot.records[-1].drop_id - 1.0


def test_what_is_drawn_of_many_drops_keeps_their_extremes() -> None:
    values = np.zeros(10_000)
    values[4321], values[77], values[6000:6400] = 5.0, -3.0, np.nan
    drops, ends = Series(np.arange(10_000.0), values, np.full(10_000, np.nan)).envelope(500)
    assert len(drops) == len(ends) == 1000
    assert (np.nanmin(ends), np.nanmax(ends)) == (-3.0, 5.0)
    assert drops[int(np.nanargmax(ends))] == 4320.0
    assert np.isnan(ends[(drops >= 6000) & (drops < 6400)]).all()
    assert np.isfinite(ends).sum() == 960


def test_setpoints_are_those_of_the_controllers(bench: StationBench) -> None:
    snapshot = bench.drawn()
    rows = bench.window.panels.of(LoopPanel).actuators.rows
    assert set(rows) == {one.name for one in snapshot.actuators}
    assert len(rows) >= 6
    for state in snapshot.actuators:
        quantity, row = ACTUATORS[state.name], rows[state.name]
        assert row.edit.text() == quantity.shown(state.setpoint).replace("-", "−")
        assert row.state is state
        assert row.edit.isReadOnly()
    shown = said(bench.window.panels.of(LoopPanel).actuators)
    for state in snapshot.actuators:
        assert ACTUATORS[state.name].shown(state.readback).replace("-", "−") in shown


def test_ledger_lists_the_records_newest_first_with_their_outcome(bench: StationBench) -> None:
    snapshot = bench.drawn()
    model = bench.window.panels.of(LedgerPanel).table.model()
    outcome = list(HEADS).index("outcome")
    rows = [
        (model.index(row, 0).data(), model.index(row, outcome).data())
        for row in range(model.rowCount())
    ]
    assert [int(drop) for drop, _ in rows] == [one.drop_id for one in reversed(snapshot.records)]
    for (_, word), record in zip(rows, reversed(snapshot.records), strict=True):
        assert word.endswith(record.decision.outcome.replace("_", " "))
    assert any(word.endswith("applied") for _, word in rows)


# ---- what is asked


def test_hold_stops_corrections_and_close_sends_them_again(
    closed: StationBench, qtbot: QtBot
) -> None:
    press(qtbot, closed, "Hold")
    qtbot.waitUntil(lambda: closed.snapshot.loop == "held", timeout=PATIENCE_MS)
    first = closed.snapshot.records[-1].drop_id + 2
    qtbot.waitUntil(lambda: closed.snapshot.records[-1].drop_id >= first + 2, timeout=PATIENCE_MS)
    snapshot = closed.drawn()
    held = [one for one in snapshot.records if one.drop_id >= first]
    assert {(one.decision.outcome, one.decision.reason) for one in held} == {
        ("held", "the operator holds the loop")
    }
    assert "LOOP HELD" in said(closed.window.panels.state_line)
    assert "loop held" in said(closed.window.statusBar())
    press(qtbot, closed, "Close")
    qtbot.waitUntil(
        lambda: closed.snapshot.records[-1].decision.outcome == "applied", timeout=PATIENCE_MS
    )


def test_typed_setpoint_is_asked_about_and_then_moves_the_actuator(
    opened: StationBench, qtbot: QtBot
) -> None:
    panel = opened.window.panels.of(LoopPanel).actuators
    row, before = panel.rows["trap_x_m"], state_of(opened.snapshot, "trap_x_m")
    wanted_m = before.setpoint + (20e-6 if before.setpoint < 0 else -20e-6)
    type_setpoint(qtbot, row, row.quantity.shown(wanted_m))
    assert panel.question.isVisible()
    assert (
        f"set trap x {row.quantity.shown(before.setpoint)} → {row.quantity.shown(wanted_m)} µm, "
        f"inside ±500.00" in (panel.question.text().replace("−", "-"))
    )
    assert (
        state_of(opened.snapshot, "trap_x_m").setpoint == before.setpoint
    )  # nothing moves before the yes
    answer(qtbot, panel.question.yes)
    qtbot.waitUntil(
        lambda: state_of(opened.snapshot, "trap_x_m").setpoint != before.setpoint,
        timeout=PATIENCE_MS,
    )
    after = state_of(opened.snapshot, "trap_x_m")
    assert after.readback == pytest.approx(wanted_m, abs=after.readback_tolerance)
    found = re.search(r"set by hand, reads .* from drop (\d+) on", opened.snapshot.note)
    assert found is not None
    drop = int(found[1])
    qtbot.waitUntil(lambda: opened.snapshot.records[-1].drop_id >= drop, timeout=PATIENCE_MS)
    assert opened.snapshot.records[-1].in_force["trap_x_m"] == after.readback
    opened.drawn()
    assert row.edit.text() == row.quantity.shown(after.setpoint).replace("-", "−")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("600", "outside −500.00 … 500.00 µm"),
        ("step", "larger than the 50.00 µm"),
        ("1e", "not a number"),
    ],
)
def test_setpoint_that_cannot_be_is_refused_in_words(
    opened: StationBench, qtbot: QtBot, text: str, words: str
) -> None:
    panel = opened.window.panels.of(LoopPanel).actuators
    row, before = panel.rows["trap_x_m"], state_of(opened.snapshot, "trap_x_m")
    far = before.setpoint + (60e-6 if before.setpoint < 0 else -60e-6)
    type_setpoint(qtbot, row, row.quantity.shown(far) if text == "step" else text)
    assert panel.question.isVisible()
    assert words in panel.question.text()
    assert not panel.question.yes.isEnabled()
    answer(qtbot, panel.question.no)
    assert not panel.question.isVisible()
    assert row.edit.text() == row.quantity.shown(before.setpoint).replace("-", "−")
    assert state_of(opened.snapshot, "trap_x_m") == before


def test_setpoint_cannot_be_typed_while_the_loop_is_closed(
    bench: StationBench, qtbot: QtBot
) -> None:
    bench.drawn()
    row = bench.window.panels.of(LoopPanel).actuators.rows["trap_x_m"]
    assert row.edit.isReadOnly()
    type_setpoint(qtbot, row, "12")
    assert not bench.window.panels.of(LoopPanel).actuators.question.isVisible()
    assert row.edit.text() != "12"


def test_question_goes_away_when_the_loop_is_closed_meanwhile(
    opened: StationBench, qtbot: QtBot
) -> None:
    panel = opened.window.panels.of(LoopPanel).actuators
    row, before = panel.rows["trap_y_m"], state_of(opened.snapshot, "trap_y_m")
    type_setpoint(qtbot, row, row.quantity.shown(before.setpoint * 0.98))
    assert panel.question.isVisible()
    press(qtbot, opened, "Close")
    qtbot.waitUntil(lambda: not panel.question.isVisible(), timeout=PATIENCE_MS)


def test_wheel_over_a_setpoint_changes_nothing(opened: StationBench) -> None:
    panel = opened.window.panels.of(LoopPanel).actuators
    edit, before = panel.rows["trap_x_m"].edit, state_of(opened.snapshot, "trap_x_m")
    opened.window.setFocus()
    text, nothing = edit.text(), QPoint()
    for turn in (120, -120):
        place = QPointF(edit.rect().center())
        QApplication.sendEvent(
            edit,
            QWheelEvent(
                place,
                QPointF(edit.mapToGlobal(place)),
                nothing,
                QPoint(0, turn),
                Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier,
                Qt.ScrollPhase.NoScrollPhase,
                False,
            ),
        )
    opened.drawn()
    assert edit.text() == text
    assert not panel.question.isVisible()
    assert state_of(opened.snapshot, "trap_x_m") == before


def test_stop_asks_once_more_in_its_place(bench: StationBench, qtbot: QtBot) -> None:
    press(qtbot, bench, "Stop")
    assert "Confirm stop" in said(bench.window.panels.of(LoopPanel))
    drop = bench.snapshot.records[-1].drop_id
    qtbot.waitUntil(lambda: bench.snapshot.records[-1].drop_id > drop + 1, timeout=PATIENCE_MS)
    assert not bench.snapshot.finished


def test_whole_image_can_be_shown_and_left_again(bench: StationBench) -> None:
    bench.drawn()
    panel = bench.window.panels.images["x"]
    close_up = items_of(panel.canvas, pg.ImageItem)[0].getViewBox().viewRange()
    panel.canvas.extent_asked.emit()
    bench.drawn()
    whole = items_of(panel.canvas, pg.ImageItem)[0].getViewBox().viewRange()
    assert whole[1][1] - whole[1][0] > 1.2 * (close_up[1][1] - close_up[1][0])
    panel.canvas.extent_asked.emit()
    bench.drawn()
    assert items_of(panel.canvas, pg.ImageItem)[0].getViewBox().viewRange()[1] == pytest.approx(
        close_up[1]
    )


def test_shadow_is_shown_decides_and_sends_nothing(closed: StationBench, qtbot: QtBot) -> None:
    qtbot.keyClick(closed.window, Qt.Key.Key_T, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: closed.snapshot.loop == "shadow", timeout=PATIENCE_MS)
    assert "shadow: decides and logs" in closed.snapshot.note
    first = closed.snapshot.records[-1].drop_id + 2
    qtbot.waitUntil(lambda: closed.snapshot.records[-1].drop_id >= first, timeout=PATIENCE_MS)
    snapshot = closed.drawn()
    record = snapshot.records[-1]
    assert (record.decision.outcome, record.decision.reason) == ("held", SHADOW)
    assert record.decision.proposal is not None
    assert "LOOP SHADOW" in said(closed.window.panels.state_line)
    (button,) = [
        one
        for one in closed.window.panels.of(LoopPanel).findChildren(QPushButton)
        if one.text() == "Shadow"
    ]
    assert button.isChecked()
    assert "Ctrl+T" in button.toolTip()
    words = shortcuts_text(closed.window.menus.all_actions)
    assert all(f"<b>{keys}</b>" in words for keys in ("Ctrl+T", "Ctrl+R", "Ctrl+G"))


def test_setpoints_of_a_drop_are_returned_to_after_a_yes(
    opened: StationBench, qtbot: QtBot
) -> None:
    ledger = opened.window.panels.of(LedgerPanel)
    goal = opened.snapshot.records[2]
    row = next(
        at for at in range(ledger.model.rowCount()) if ledger.model.row(at).drop_id == goal.drop_id
    )
    ledger.table.selectRow(row)
    before = state_of(opened.snapshot, "trap_x_m")
    assert before.readback != goal.in_force["trap_x_m"]
    qtbot.keyClick(opened.window, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    question = ledger.question
    assert question.isVisible()
    shown = ACTUATORS["trap_x_m"]
    way = f"trap x {shown.shown(before.readback)} → {shown.shown(goal.in_force['trap_x_m'])} µm"
    assert f"return to the setpoints of drop {goal.drop_id}" in question.text()
    assert way in question.text().replace("−", "-")
    assert (
        state_of(opened.snapshot, "trap_x_m").readback == before.readback
    )  # nothing moves before the yes
    question.yes.click()
    qtbot.waitUntil(lambda: "went to the setpoints" in opened.snapshot.note, timeout=PATIENCE_MS)
    for name in ("trap_x_m", "mirror_tilt_x_rad", "timing_asymmetry_s"):
        state = state_of(opened.snapshot, name)
        assert state.readback == pytest.approx(goal.in_force[name], abs=state.readback_tolerance)
    opened.drawn()
    action = next(one for one in ledger.table.actions() if "Return" in one.text())
    action.trigger()
    assert "every actuator stands there already" in question.text()
    assert not question.yes.isEnabled()
    question.no.click()


def test_a_return_is_not_offered_while_the_loop_is_closed(
    closed: StationBench, qtbot: QtBot
) -> None:
    closed.drawn()
    question = closed.window.panels.of(LedgerPanel).question
    closed.window.menu_actions.ask_return()
    assert "open, hold or shadow the loop first" in question.text()
    assert not question.yes.isEnabled()
    question.no.click()
    press(qtbot, closed, "Hold")
    qtbot.waitUntil(lambda: closed.snapshot.loop == "held", timeout=PATIENCE_MS)
    closed.drawn()
    ledger = closed.window.panels.of(LedgerPanel)
    ledger.table.selectRow(ledger.model.rowCount() - 1)
    closed.window.menu_actions.ask_return()
    assert question.yes.isEnabled(), question.text()
    press(qtbot, closed, "Close")
    qtbot.waitUntil(lambda: not question.isVisible(), timeout=PATIENCE_MS)
