"""Looking at earlier drops, and at what is in an image: the slider, the reasons, the levels, the
marks.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyqtgraph as pg
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_bench import StationBench, items_of, kept_in, let_qt_work, points, said, wait_until

from magis_calib.recording.reader import Session
from ui.panels.fringe.panel import FringePanel
from ui.panels.image.overlay import MASKED, SATURATED
from ui.panels.ledger.panel import LedgerPanel
from ui.panels.ledger.why import WhyPanel
from ui.panels.loop.panel import LoopPanel
from ui.panels.trends.panel import TrendsPanel
from ui.panels.trends.strip_chart import StripChart

pytestmark = pytest.mark.station

PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def running(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StationBench]:
    folder: Path = tmp_path_factory.mktemp("looking")
    with StationBench(folder, kept_in(folder)) as bench:
        wait_until(lambda: len(bench.snapshot.records) >= 12, "twelve drops")
        bench.window.panels.recalls.submit(
            int
        ).result()  # its thread lives as long as the window, not as one test
        yield bench


@pytest.fixture
def bench(running: StationBench) -> Iterator[StationBench]:
    """The bench, showing the newest drop before and after the test."""
    running.drawn()
    yield running
    running.window.panels.history.follow()
    running.window.panels.levels.find_anew()
    running.drawn()


def counts_of(bench: StationBench, drop_id: int, view: str) -> np.ndarray:
    with Session(Path(bench.snapshot.session)) as session:
        frame = session.frame(drop_id, view)
    assert frame is not None
    return frame.counts


@pytest.mark.parametrize("view", ["x", "y"])
def test_slider_shows_the_images_of_an_earlier_drop_with_their_own_fit(
    bench: StationBench, view: str
) -> None:
    drop_id = bench.window.panels.image_history.kept[2]
    bench.window.panels.history.slider.setValue(2)
    bench.drawn()
    panel = bench.window.panels.images[view]
    assert panel.frame is not None
    assert np.array_equal(panel.frame.counts, counts_of(bench, drop_id, view))
    assert f"◂ drop {drop_id}" in said(panel)
    record = next(one for one in bench.snapshot.records if one.drop_id == drop_id)
    centre = record.estimate.views[view].value("port_a_vertical_m") * 1e3
    rings = [
        points(one) for one in items_of(panel.canvas, pg.PlotCurveItem) if len(points(one)) == 73
    ]
    assert (
        min(abs(float(ring[:, 1].min() + ring[:, 1].max()) / 2 - centre) for ring in rings) < 1e-4
    )
    assert f"drop {drop_id}" in said(bench.window.panels.of(FringePanel))


def test_newest_drop_is_followed_again(bench: StationBench, qtbot: QtBot) -> None:
    fourth = bench.window.panels.image_history.kept[
        -4
    ]  # more of them come while the window is drawn
    bench.window.panels.history.step(-3)
    bench.drawn()
    assert bench.window.panels.image_history.chosen == fourth
    qtbot.mouseClick(bench.window.panels.history.newest, Qt.MouseButton.LeftButton)
    snapshot = bench.drawn()
    assert snapshot.pair is not None
    frame = bench.window.panels.images["x"].frame
    assert frame is not None
    assert frame.header.drop_id == snapshot.pair.drop_id


def test_wheel_over_the_slider_changes_nothing_without_the_keyboard(bench: StationBench) -> None:
    slider = bench.window.panels.history.slider
    bench.window.panels.of(LedgerPanel).table.setFocus()
    middle = QPointF(slider.rect().center())
    turned = QWheelEvent(
        middle,
        slider.mapToGlobal(middle),
        QPoint(),
        QPoint(0, -240),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(slider, turned)
    assert bench.window.panels.image_history.chosen is None


def test_drop_that_is_no_longer_in_memory_is_read_from_the_recording(
    bench: StationBench, qtbot: QtBot
) -> None:
    window = bench.window
    window.panels.image_history._kept.clear()
    window.panels.image_history._held_bytes = 0
    bench.drawn()
    assert 3 not in window.panels.image_history.kept
    window.menu_actions.explain(3)
    qtbot.waitUntil(
        lambda: window.panels.image_history.shown(bench.snapshot).pair is not None,
        timeout=PATIENCE_MS,
    )
    bench.drawn()
    frame = window.panels.images["y"].frame
    assert frame is not None
    assert np.array_equal(frame.counts, counts_of(bench, 3, "y"))


def test_drop_that_never_was_says_so_instead_of_an_image(bench: StationBench, qtbot: QtBot) -> None:
    bench.window.menu_actions.explain(987_654)
    qtbot.waitUntil(
        lambda: "no drop 987654" in bench.window.panels.image_history.shown(bench.snapshot).problem,
        timeout=PATIENCE_MS,
    )
    bench.drawn()
    assert "no drop 987654 is recorded" in said(bench.window.panels.images["x"].canvas)
    assert "no drop 987654 is recorded" in said(bench.window.panels.of(WhyPanel))


def test_return_on_a_line_of_the_ledger_tells_why(bench: StationBench, qtbot: QtBot) -> None:
    ledger = bench.window.panels.of(LedgerPanel)
    bench.window.docks["Ledger"].raise_()
    bench.drawn()
    ledger.table.selectRow(4)
    record = ledger.model.row(4)
    assert record is not None
    ledger.table.setFocus()
    qtbot.keyClick(ledger.table, Qt.Key.Key_Return)
    story = bench.window.panels.of(WhyPanel).text
    qtbot.waitUntil(lambda: f"drop {record.drop_id} ·" in story.toPlainText(), timeout=PATIENCE_MS)
    told = story.toPlainText()
    assert story.isVisible()
    for verdict in record.decision.verdicts:
        assert verdict.rule in told
    for name in record.decision.sent:
        assert name in record.in_force
    assert "in force" in told
    assert "read back" in told
    assert f"χ² {record.estimate.views['x'].chi2_per_dof:.2f}" in told


def test_click_on_a_chart_tells_why_of_the_drop_there_and_a_double_click_does_not(
    bench: StationBench, qtbot: QtBot
) -> None:
    chart = next(
        one
        for one in bench.window.panels.of(TrendsPanel).findChildren(StripChart)
        if one.quantity.name == "x_m"
    )
    plot, box = chart._plot, chart._box
    place = plot.mapFromScene(box.mapViewToScene(QPointF(5.2, float(np.mean(box.viewRange()[1])))))
    qtbot.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    qtbot.waitUntil(lambda: bench.window.panels.image_history.chosen == 5, timeout=PATIENCE_MS)
    bench.window.panels.history.follow()
    qtbot.mouseDClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    let_qt_work(2 * QApplication.doubleClickInterval())
    assert bench.window.panels.image_history.chosen is None


def test_both_views_share_their_levels_and_typed_ones_stay(
    bench: StationBench, qtbot: QtBot
) -> None:
    window = bench.window
    bars = [window.panels.images[view]._bar._ends for view in ("x", "y")]
    assert bars[0] == bars[1]
    window.panels.level_strip.ask_levels()
    for edit, text in (
        (window.panels.level_strip.low, "500"),
        (window.panels.level_strip.high, "100"),
    ):
        edit.selectAll()
        qtbot.keyClicks(edit, text)
    qtbot.mouseClick(window.panels.level_strip.set_button, Qt.MouseButton.LeftButton)
    assert "black below white" in said(window.panels.level_strip)
    window.panels.level_strip.high.selectAll()
    qtbot.keyClicks(window.panels.level_strip.high, "1500")
    qtbot.keyClick(window.panels.level_strip.high, Qt.Key.Key_Return)
    assert not window.panels.level_strip.isVisible()
    bench.drawn()
    for view in ("x", "y"):
        assert window.panels.images[view]._bar._ends == ("500 e⁻", "1500 e⁻")
    window.panels.levels.find_anew()
    bench.drawn()
    assert window.panels.images["x"]._bar._ends != ("500 e⁻", "1500 e⁻")


def test_pixels_that_the_fit_leaves_out_are_marked(bench: StationBench, qtbot: QtBot) -> None:
    window = bench.window
    window.panels.history.step(-1)
    bench.drawn()
    panel = window.panels.images["x"]
    frame = panel.frame
    assert frame is not None
    panel.marks.background.settle()
    bench.drawn()
    rows, columns = frame.counts.shape
    saturated = np.argwhere(frame.counts >= frame.facts.saturation)
    hot = np.argwhere(frame.counts > frame.facts.offset + 2000 / frame.facts.gain)
    scatter = {
        (one.opts["brush"] if one.opts["symbol"] == "s" else one.opts["pen"])
        .color()
        .getRgb(): points(one)
        for one in items_of(panel.canvas, pg.ScatterPlotItem)
    }
    masked = scatter[MASKED.getRgb()]
    marked = {
        (round((rows - 1) / 2 - up / 0.064), round((columns - 1) / 2 + right / 0.064))
        for right, up in masked
    }
    crossed = scatter.get(pg.mkColor(SATURATED).getRgb(), np.empty((0, 2)))
    assert len(crossed) == len(saturated)
    assert len(hot) > 20
    assert {tuple(one) for one in hot.tolist()} - {
        tuple(one) for one in saturated.tolist()
    } <= marked
    qtbot.mouseClick(panel.marks, Qt.MouseButton.LeftButton)
    assert all(not len(points(one)) for one in items_of(panel.canvas, pg.ScatterPlotItem))
    qtbot.mouseClick(panel.marks, Qt.MouseButton.LeftButton)


def test_health_comes_first_with_residual_roll_and_antiphase(bench: StationBench) -> None:
    snapshot = bench.drawn()
    assert snapshot.latest is not None
    views, values = (
        snapshot.latest.estimate.views,
        bench.window.panels.of(LoopPanel).observables._values,
    )
    assert values["residual_x"].text() == f"{views['x'].chi2_per_dof:.2f}"
    roll = views["y"].diagnostics["roll_rad"]
    assert (
        f"roll_y_rad = {roll.value:.9g} ± {roll.stderr:.3g} rad" in values["roll_y_rad"].toolTip()
    )
    assert (
        values["atoms"].mapTo(bench.window, QPoint()).y()
        < values["x_m"].mapTo(bench.window, QPoint()).y()
    )
    history = snapshot.history
    assert np.all(np.abs(history["health"][:, 0, 0] - 1) < 0.5)


def test_support_bundle_holds_what_happened(bench: StationBench, qtbot: QtBot) -> None:
    action = next(one for one in bench.window.menus.all_actions if "bundle" in one.text())
    action.trigger()
    qtbot.waitUntil(lambda: bench.snapshot.note.startswith("support bundle: "), timeout=PATIENCE_MS)
    path = Path(bench.snapshot.note.removeprefix("support bundle: "))
    assert path.parent == Path(bench.snapshot.session)
    with zipfile.ZipFile(path) as bundle:
        configuration = json.loads(bundle.read("configuration.json"))
        drops = bundle.read("newest_drops.txt").decode()
        assert {"log.txt", "versions.json", "alarms.json", "actuators.json"} <= set(
            bundle.namelist()
        )
    assert configuration["loop"]["observables"].keys() == bench.snapshot.targets.keys()
    assert f"drop {bench.snapshot.records[0].drop_id} ·" in drops


def test_a_panel_behind_others_is_drawn_when_it_comes_up_and_when_it_floats(
    bench: StationBench, qtbot: QtBot
) -> None:
    window = bench.window
    window.bring_up("Ledger")
    bench.drawn()
    shown, newest = (
        window.panels.of(WhyPanel).text.toPlainText(),
        bench.snapshot.records[-1].drop_id,
    )
    qtbot.waitUntil(lambda: bench.snapshot.records[-1].drop_id > newest + 2, timeout=PATIENCE_MS)
    bench.drawn()
    assert window.panels.of(WhyPanel).text.toPlainText() == shown, "nobody sees it"
    window.bring_up("Why")
    told = window.panels.of(WhyPanel).text.toPlainText()
    assert told != shown
    window.bring_up("Ledger")
    window.docks["Why"].setFloating(True)
    qtbot.waitUntil(
        lambda: window.panels.of(WhyPanel).text.toPlainText() != told, timeout=PATIENCE_MS
    )
    window.reset_layout()


def test_the_header_tells_what_drops_are_made_for_and_their_interrogation_time(
    bench: StationBench,
) -> None:
    bench.drawn()
    assert "interferometer · T 50 ms" in said(bench.window.panels.state_line)


def test_the_pointer_reads_place_counts_and_electrons(bench: StationBench) -> None:
    bench.drawn()
    panel = bench.window.panels.images["x"]
    canvas, facts = panel.canvas, panel.frame.facts
    canvas._point(canvas._box.mapViewToScene(QPointF(0.0, 0.0)))
    told = re.search(r"([+-]0\.0\d), ([+-]0\.0\d) mm  (\d+) counts  (-?\d+) e⁻", said(panel))
    assert told
    assert int(told[4]) == round((int(told[3]) - facts.offset) * facts.gain)
