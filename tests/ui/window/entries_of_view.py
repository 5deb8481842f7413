"""What the keys of the menu View do."""

from __future__ import annotations

from functools import partial

from keyboard import Keys, press
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from window_bench import WindowBench, said, wait_until

from ui.panels.ledger.panel import LedgerPanel
from ui.panels.ledger.why import WhyPanel
from ui.panels.statistics.panel import StatisticsPanel
from ui.panels.trends.panel import TrendsPanel
from ui.window.dock import Arrangement
from ui.window.docks import DOCKS

NAMES = [dock.name for dock in DOCKS]


def in_sight(bench: WindowBench, dock: str) -> bool:
    return not bench.window.docks[dock].visibleRegion().isEmpty()


def shows_and_hides(name: str, keys: Keys) -> None:
    bench, dock = keys.bench, keys.bench.window.docks[name]
    hidden = dock.isHidden()
    keys()
    if not hidden:
        assert dock.isHidden()
        keys()
    wait_until(lambda: in_sight(bench, name), f"{name} before all others")
    keys()
    assert dock.isHidden()


def ends_of(bench: WindowBench) -> set[tuple[str, str]]:
    return {bench.window.panels.images[view]._bar._ends for view in ("x", "y")}


def finds_levels(keys: Keys) -> None:
    bench, levels = keys.bench, keys.bench.window.panels.levels
    levels.fix(100.0, 50_000.0)
    bench.drawn()
    assert ends_of(bench) == {("100 e⁻", "50000 e⁻")}
    keys()
    assert len(ends_of(bench)) == 1
    assert ends_of(bench) != {("100 e⁻", "50000 e⁻")}


def fixes_levels(keys: Keys) -> None:
    bench, strip = keys.bench, keys.bench.window.panels.level_strip
    keys()
    press(Qt.Key.Key_Escape)
    assert not strip.isVisible()
    keys()
    assert strip.low.hasFocus()
    QTest.keyClicks(strip.low, "70")
    press(Qt.Key.Key_Tab)
    assert strip.high.hasFocus()
    QTest.keyClicks(strip.high, "1700")
    press(Qt.Key.Key_Return)
    assert not strip.isVisible()
    bench.drawn()
    assert ends_of(bench) == {("70 e⁻", "1700 e⁻")}


def explains(keys: Keys) -> None:
    bench, ledger = keys.bench, keys.bench.window.panels.of(LedgerPanel)
    bench.window.bring_up("Ledger")
    ledger.table.selectRow(2)
    record = ledger._selected()
    keys()
    assert bench.window.panels.image_history.chosen == record.drop_id
    wait_until(lambda: in_sight(bench, "Why"), "the reasons")
    bench.drawn()
    assert f"drop {record.drop_id} ·" in bench.window.panels.of(WhyPanel).text.toPlainText()


def steps_back(keys: Keys) -> None:
    back = keys.bench.window.panels.image_history
    back.choose(back.kept[5])
    keys()
    assert back.chosen == back.kept[4]
    frame = keys.bench.window.panels.images["x"].frame
    assert frame is not None
    assert frame.header.drop_id == back.chosen


def steps_on(keys: Keys) -> None:
    back = keys.bench.window.panels.image_history
    back.choose(back.kept[3])
    keys()
    assert back.chosen == back.kept[4]


def follows_images(keys: Keys) -> None:
    bench, back = keys.bench, keys.bench.window.panels.image_history
    back.choose(back.kept[3])
    bench.drawn()
    assert f"◂ drop {back.kept[3]}" in said(bench.window.panels.history)
    keys()
    assert back.chosen is None
    assert "images of the newest drop" in said(bench.window.panels.history)


def reach(bench: WindowBench) -> tuple[float, float]:
    """Return the first and last drop that the charts of the trends show."""
    bench.drawn()
    ((first, last),) = {
        tuple(chart._box.viewRange()[0])
        for chart in bench.window.panels.of(TrendsPanel).pages.charts[0]
    }
    return first, last


def looks_at(keys: Keys, factor: float, moved: float) -> None:
    """Expect so many times the width, and the middle moved by this share of it."""
    trends = keys.bench.window.panels.of(TrendsPanel)
    trends.zoom_or_move("follow", 0.0)
    reach(keys.bench)
    trends.zoom_or_move("zoom", 1e-9, 8.0)
    first, last = reach(keys.bench)
    if factor < 1:
        trends.zoom_or_move("zoom", 2.0, (first + last) / 2)
        first, last = reach(keys.bench)
    keys()
    (left, right), width = reach(keys.bench), last - first
    assert abs((right - left) / width - factor) < 0.2
    assert abs((left + right - first - last) / 2 - moved * width) < 0.1 * width


def follows_trends(keys: Keys) -> None:
    trends = keys.bench.window.panels.of(TrendsPanel)
    trends.zoom_or_move("zoom", 1e-9, 4.0)
    assert reach(keys.bench)[1] < 10.0
    keys()
    assert reach(keys.bench)[1] >= keys.bench.snapshot.records[-1].drop_id - 2


def shows_statistics(keys: Keys) -> None:
    bench = keys.bench
    keys()
    wait_until(lambda: in_sight(bench, "Statistics"), "the statistics")
    bench.drawn()
    assert "usable" in said(bench.window.panels.of(StatisticsPanel))


def arranges(which: Arrangement, keys: Keys) -> None:
    bench, docks = keys.bench, keys.bench.window.docks
    docks["Loop"].hide()
    docks["Fringe"].setFloating(True)
    keys()
    assert {name for name, dock in docks.items() if dock.isHidden()} == {
        dock.name for dock in DOCKS if which in dock.absent
    }
    assert not any(dock.isFloating() for dock in docks.values())
    front = next((dock.name for dock in DOCKS if which in dock.front), "Ledger")
    wait_until(lambda: in_sight(bench, front), f"{front} before all others")


def resets(keys: Keys) -> None:
    keys.bench.window.arrange("commission")
    arranges("commission", keys)


def remembers(key: str, value: str | float, keys: Keys) -> None:
    settings = keys.bench.settings
    settings.setValue(f"window/{key}", "10.0")
    keys()
    settings.sync()
    kept = QSettings(settings.fileName(), QSettings.Format.IniFormat).value(f"window/{key}")
    assert type(value)(kept) == value
    assert f"{value}, from the next start on" in said(keys.bench.window.statusBar())
    settings.remove(f"window/{key}")


VIEW = {
    **{name: partial(shows_and_hides, name) for name in NAMES},
    "Find image levels anew": finds_levels,
    "Fix image levels…": fixes_levels,
    "Why: explain the selected drop": explains,
    "An earlier drop": steps_back,
    "A later drop": steps_on,
    "The newest drop": follows_images,
    "Earlier": partial(looks_at, factor=1.0, moved=-0.5),
    "Later": partial(looks_at, factor=1.0, moved=0.5),
    "Zoom in": partial(looks_at, factor=0.5, moved=0.0),
    "Zoom out": partial(looks_at, factor=2.0, moved=0.0),
    "Follow the newest drop": follows_trends,
    "Statistics of the drops in sight": shows_statistics,
    "Arrange for run": partial(arranges, "run"),
    "Arrange for commission": partial(arranges, "commission"),
    "Arrange for replay": partial(arranges, "replay"),
    "Reset layout": resets,
    "Dark colours": partial(remembers, "theme", "dark"),
    "Light colours": partial(remembers, "theme", "light"),
    "Larger type": partial(remembers, "font_pt", 11.0),
    "Smaller type": partial(remembers, "font_pt", 9.0),
}
