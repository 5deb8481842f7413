"""Plots of a running station: statistics of what is in sight, files of every plot, the run's name
on each.
"""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyqtgraph as pg
import pytest
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot
from window_bench import StationBench, items_of, kept_in, let_qt_work, points, said, wait_until

from magis_calib.domain.quantities import OBSERVABLES
from ui.export.writer import export
from ui.models.plot import Origin, Plot
from ui.panels.fringe.panel import FringePanel
from ui.panels.fringe.phase_dial import PhaseDial
from ui.panels.statistics.panel import StatisticsPanel
from ui.panels.trends.panel import TrendsPanel
from ui.panels.trends.strip_chart import StripChart
from ui.widgets.small_plot import PlotLabel

pytestmark = pytest.mark.station

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def bench(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StationBench]:
    folder: Path = tmp_path_factory.mktemp("plots")
    with StationBench(folder, kept_in(folder)) as bench:
        bench.window.resize(1280, 720)
        wait_until(lambda: len(bench.snapshot.records) >= 30, "thirty drops")
        yield bench


@pytest.fixture
def held(bench: StationBench) -> Iterator[StationBench]:
    """The bench with trends of drops 11 to 20: what is in sight then stays as it is."""
    trends = bench.window.panels.of(TrendsPanel)
    bench.window.docks["Trends"].raise_()
    let_qt_work(50)
    bench.drawn()
    trends._reach = (11.0, 20.0)
    bench.drawn()
    yield bench
    trends.zoom_or_move("follow", 0.0)


def statistics(bench: StationBench, name: str) -> str:
    """Show the statistics of a quantity and return what is said there."""
    bench.window.menu_actions.show_statistics(name)
    let_qt_work(50)
    bench.drawn()
    return said(bench.window.panels.of(StatisticsPanel))


def inside_plot(plot: pg.PlotWidget, kind: type) -> list:
    return [one for one in plot.scene().items() if isinstance(one, kind)]


def test_statistics_are_of_the_drops_in_sight(held: StationBench) -> None:
    text = statistics(held, "y_m")
    inside = [one for one in held.snapshot.records if 11 <= one.drop_id <= 20]
    values = np.array([one.estimate.values["y_m"] - one.targets["y_m"] for one in inside]) * 1e6
    known = values[np.isfinite(values)]
    assert f"drops 11 – 20, {len(known)} usable" in text
    assert f"{known.std(ddof=1):.1f}"[:-1] in text
    panel = held.window.panels.of(StatisticsPanel)
    (bars,) = inside_plot(panel.histogram, pg.BarGraphItem)
    assert bars.opts["height"].sum() == len(known)
    (marks,) = [one for one in inside_plot(panel.allan, pg.ScatterPlotItem) if len(points(one))]
    first = 10 ** points(marks)[0]
    assert first == pytest.approx([1.0, math.sqrt(0.5 * np.mean(np.diff(known) ** 2))])
    assert panel.allan.label.toolTip().endswith("· drops 11 – 20")


def test_a_double_click_on_a_name_asks_for_its_statistics(held: StationBench, qtbot: QtBot) -> None:
    chart = next(
        one
        for one in held.window.panels.of(TrendsPanel).findChildren(StripChart)
        if one.quantity.name == "phase_rad"
    )
    qtbot.mouseDClick(chart.name, Qt.MouseButton.LeftButton)
    let_qt_work(50)
    held.drawn()
    assert "φ − target" in said(held.window.panels.of(StatisticsPanel))
    assert held.window.panels.of(StatisticsPanel).allan.isVisible()
    assert any("Statistics of φ" in one.text() for one in chart.name.copy_menu().actions())


def test_an_actuator_has_statistics_without_tolerance(held: StationBench) -> None:
    text = statistics(held, "mirror_tilt_x_rad")
    assert "mirror tilt x · " in text
    assert "10 usable" in text
    assert text.endswith("in tolerance | –") or "in tolerance | – " in text


def test_each_chart_says_which_share_was_in_tolerance(held: StationBench) -> None:
    inside = [one for one in held.snapshot.records if 11 <= one.drop_id <= 20]
    for name in ("x_m", "y_m", "z_m"):
        chart = next(
            one
            for one in held.window.panels.of(TrendsPanel).findChildren(StripChart)
            if one.quantity.name == name
        )
        errors = np.array([one.estimate.values[name] - one.targets[name] for one in inside])
        share = np.mean(np.abs(errors[np.isfinite(errors)]) <= held.snapshot.tolerances[name])
        assert f"{100 * share:.0f} %" in said(chart)


def table_in(path: Path) -> tuple[list[str], dict[str, np.ndarray]]:
    """Read the lines for people and the columns for programs."""
    lines = path.read_text(encoding="utf-8").splitlines()
    heads = [line[2:] for line in lines if line.startswith("# ")]
    names, *rows = csv.reader(line for line in lines if not line.startswith("#"))
    return heads, {
        name: np.array(column, dtype=float)
        for name, column in zip(names, zip(*rows, strict=True), strict=True)
    }


def all_plots(bench: StationBench) -> list[Plot]:
    """Every plot of the window, whichever dock is in front."""
    found = list(bench.window.panels.plots())
    statistics(bench, "z_m")
    return [*found, *bench.window.panels.of(StatisticsPanel).plots()]


def test_every_plot_becomes_a_picture_a_drawing_and_a_table_that_name_the_run(
    held: StationBench, tmp_path: Path
) -> None:
    session = Path(held.snapshot.session).name
    plots = all_plots(held)
    assert len({one.key for one in plots}) == len(plots) == 2 + 1 + len(OBSERVABLES) + 2
    origin = Origin.of(held.snapshot)
    for plot in plots:
        stem = origin.file_name(plot)
        assert stem.startswith(f"{session}-drop")
        for suffix in (".png", ".svg", ".csv"):
            export(plot, tmp_path / f"{stem}{suffix}", origin)
        with Image.open(tmp_path / f"{stem}.png") as picture:
            assert picture.width >= 1000
            assert len(np.unique(np.asarray(picture.convert("L")))) > 15, (
                "there is something to see"
            )
        root = ElementTree.parse(tmp_path / f"{stem}.svg").getroot()
        words = " ".join("".join(one.itertext()) for one in root.iter(f"{SVG}text"))
        assert session in words
        assert len(list(root.iter(f"{SVG}path"))) + len(list(root.iter(f"{SVG}polyline"))) > 3
        heads, columns = table_in(tmp_path / f"{stem}.csv")
        assert f"session: {session}" in heads
        assert f"station: {origin.station}" in heads
        assert all(np.isfinite(one).any() for one in columns.values())


def test_the_table_of_a_chart_holds_the_drops_in_sight_in_si(
    held: StationBench, tmp_path: Path
) -> None:
    (plot,) = [one for one in held.window.panels.of(TrendsPanel).plots() if one.key == "z_m"]
    export(plot, tmp_path / "z.csv", Origin.of(held.snapshot))
    heads, columns = table_in(tmp_path / "z.csv")
    inside = [one for one in held.snapshot.records if 11 <= one.drop_id <= 20]
    assert "drops: drops 11 – 20" in heads
    assert columns["drop_id"].tolist() == list(range(11, 21))
    for name, column in (("z_m", "values"), ("z_m_stderr", "stderr")):
        expected = [getattr(one.estimate, column)["z_m"] for one in inside]
        assert columns[name] == pytest.approx(np.array(expected), rel=1e-6, nan_ok=True)
    assert columns["z_m_target"] == pytest.approx(held.snapshot.targets["z_m"])


def test_the_table_of_an_image_has_its_light_where_the_clouds_are(
    held: StationBench, tmp_path: Path
) -> None:
    (plot,) = held.window.panels.images["x"].plots()
    fitted = held.snapshot.pair_estimate.views["x"]
    export(plot, tmp_path / "x.csv", Origin.of(held.snapshot))
    _, columns = table_in(tmp_path / "x.csv")
    away = np.hypot(
        columns["horizontal_m"] - fitted.value("port_a_horizontal_m"),
        columns["vertical_m"] - fitted.value("port_a_vertical_m"),
    )
    near, far = columns["electrons"][away < 1e-3], columns["electrons"][away > 8e-3]
    assert near.mean() > 5 * far.mean() > 0


def test_a_format_that_is_not_known_is_refused(held: StationBench, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"wanted a name that ends in \.png"):
        export(held.window.panels.plots()[0], tmp_path / "picture.bmp", Origin.of(held.snapshot))


@pytest.fixture
def dialog(held: StationBench) -> Iterator[QFileDialog]:
    """The dialog that asks where the chart of x goes."""
    exports = held.window.exports
    (plot,) = [one for one in held.window.panels.of(TrendsPanel).plots() if one.key == "x_m"]
    place = plot.view.mapToGlobal(plot.view.rect().center())
    menu = exports.menu_at(place)
    assert menu is not None
    (entry,) = [one for one in menu.actions() if one.text() == "Export CSV…"]
    entry.trigger()
    (dialog,) = held.window.findChildren(QFileDialog)
    yield dialog
    menu.deleteLater()
    dialog.close()
    let_qt_work(20)


def test_a_chart_is_exported_from_its_menu_while_the_run_goes_on(
    held: StationBench, dialog: QFileDialog, tmp_path: Path, qtbot: QtBot
) -> None:
    session = Path(held.snapshot.session)
    assert not dialog.isModal()
    assert Path(dialog.selectedFiles()[0]).name == f"{session.name}-drop11-20-x_m.csv"
    assert Path(dialog.directory().absolutePath()) == session
    drop = held.snapshot.records[-1].drop_id
    qtbot.waitUntil(lambda: held.snapshot.records[-1].drop_id > drop, timeout=30_000)
    dialog.fileSelected.emit(str(tmp_path / "mine"))
    qtbot.waitUntil((tmp_path / "mine.csv").exists, timeout=10_000)
    qtbot.waitUntil(
        lambda: f"exported {tmp_path / 'mine.csv'}" in said(held.window.statusBar()), timeout=10_000
    )
    assert table_in(tmp_path / "mine.csv")[1]["drop_id"].tolist() == list(range(11, 21))


@pytest.mark.parametrize("suffix", [".png", ".svg", ".csv"])
def test_a_file_that_cannot_be_written_is_told(
    held: StationBench, dialog: QFileDialog, tmp_path: Path, qtbot: QtBot, suffix: str
) -> None:
    file = tmp_path / "no folder" / f"x{suffix}"
    dialog.fileSelected.emit(str(file))
    qtbot.waitUntil(lambda: "▲ not exported: " in said(held.window.statusBar()), timeout=10_000)
    assert os.strerror(2) in said(held.window.statusBar())
    assert not file.exists()


def test_plots_are_exported_from_the_keyboard(held: StationBench, qtbot: QtBot) -> None:
    (menu,) = [
        one.menu()
        for one in held.window.menuBar().actions()[0].menu().actions()
        if one.menu() is not None
    ]
    menu.aboutToShow.emit()
    assert [one.text() for one in menu.actions()] == [
        f"{one.name}…" for one in held.window.panels.plots()
    ]
    # the pointer of this screen is over no plot, and nothing has the focus
    held.window.exports.ask_pointed()
    assert held.window.exports._at(QPoint(-5, -5)) is None
    for open_one in held.window.findChildren(QFileDialog):
        open_one.close()
    menu.actions()[0].trigger()
    (dialog,) = held.window.findChildren(QFileDialog)
    assert "view x" in dialog.windowTitle()
    dialog.close()


def test_the_run_is_named_on_images_fringe_and_trends(held: StationBench) -> None:
    snapshot, window = held.drawn(), held.window
    session = Path(snapshot.session).name
    drop = f"{session} · drop {snapshot.pair.drop_id}"
    for panel in (
        window.panels.images["x"].canvas,
        window.panels.images["y"].canvas,
        window.panels.of(FringePanel),
    ):
        (label,) = items_of(panel, PlotLabel)
        assert label.toolTip() == drop
        assert label.text() in (drop, f"drop {snapshot.pair.drop_id}")
    assert f"{session} · drops 11 – 20" in said(window.panels.of(TrendsPanel))


def test_the_dial_says_the_phase_with_its_error_and_its_target(held: StationBench) -> None:
    snapshot = held.drawn()
    (dial,) = held.window.panels.of(FringePanel).findChildren(PhaseDial)
    estimate = snapshot.pair_estimate
    shown = OBSERVABLES["phase_rad"].with_error(
        estimate.values["phase_rad"], estimate.stderr["phase_rad"]
    )
    target = OBSERVABLES["phase_rad"].shown(snapshot.targets["phase_rad"])
    assert dial.accessibleName() == f"phase {shown} rad, target {target} rad".replace("-", "−")
    assert dial.isVisible()
