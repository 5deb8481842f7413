"""A window without a mouse: Tab reaches everything, no wheel turns what nobody chose, nothing holds
the keyboard.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from entries_of_view import NAMES
from keyboard import bring_to_front, has_keyboard, press, type_file
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QLineEdit,
    QMenu,
    QScrollBar,
    QTabBar,
    QWidget,
)
from window_bench import StationBench, kept_in, said, wait_until

from ui.panels.ledger.panel import LedgerPanel
from ui.panels.loop.panel import LoopPanel
from ui.panels.targets.panel import TargetsPanel
from ui.widgets.confirm import ConfirmBar

pytestmark = pytest.mark.station

MOST = 400
"""Presses of Tab, more than there are controls."""


@pytest.fixture(scope="module")
def running(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StationBench]:
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    folder: Path = tmp_path_factory.mktemp("keyboard")
    with StationBench(
        folder, kept_in(folder), close_confirm=True, interval_s=0.2, start="open"
    ) as bench:
        wait_until(lambda: len(bench.snapshot.records) >= 6, "six drops")
        yield bench


@pytest.fixture
def bench(running: StationBench) -> StationBench:
    """The bench with the loop open and the window in front."""
    bring_to_front(running)
    return running


def reachable(inside: QWidget) -> set[QWidget]:
    """Return what Tab must reach in there: what can be seen, used and given the keyboard."""
    return {
        one
        for one in inside.findChildren(QWidget)
        if one.focusPolicy() & Qt.FocusPolicy.TabFocus
        and one.isVisible()
        and one.isEnabled()
        and one.focusProxy() is None
    }


def tabbed(key: Qt.Key) -> set[QWidget]:
    """Press Tab until the keyboard is where it began, and return everything that had it."""
    begin = QApplication.focusWidget()
    seen: set[QWidget] = set()
    for _ in range(MOST):
        press(key)
        now = QApplication.focusWidget()
        assert now not in seen or now is begin, f"{name_of(now)} keeps the keyboard in a circle"
        seen.add(now)
        if now is begin:
            return seen
    raise AssertionError("Tab never came back")


def name_of(widget: QWidget | None) -> str:
    return (
        "nothing"
        if widget is None
        else f"{type(widget).__name__} {widget.accessibleName() or widget.objectName()}"
    )


@pytest.mark.parametrize(
    ("name", "key"), [*((one, Qt.Key.Key_Tab) for one in NAMES), ("Loop", Qt.Key.Key_Backtab)]
)
def test_tab_reaches_every_control_of_the_dock_and_leaves_it_again(
    bench: StationBench, name: str, key: Qt.Key
) -> None:
    bench.window.bring_up(name)
    bench.drawn()
    bench.window.panels.history.slider.setFocus()
    seen, dock = tabbed(key), bench.window.docks[name]
    assert [name_of(one) for one in reachable(dock) - seen] == []
    assert bench.window.panels.images["x"].marks in seen, "and leads on to the images"


def test_a_typed_setpoint_is_refused_and_applied_by_keys_alone(bench: StationBench) -> None:
    panel = bench.window.panels.of(LoopPanel).actuators
    row = panel.rows["trap_x_m"]
    before = row.state.setpoint
    wanted = row.quantity.shown(before + (20e-6 if before < 0 else -20e-6))
    for answer in (Qt.Key.Key_Escape, Qt.Key.Key_Space):
        row.edit.setFocus()
        row.edit.selectAll()
        QTest.keyClicks(row.edit, wanted)
        press(Qt.Key.Key_Return)
        assert panel.question.no.hasFocus()
        if answer == Qt.Key.Key_Space:
            press(Qt.Key.Key_Backtab)
            assert panel.question.yes.hasFocus()
        press(answer)
        assert not panel.question.isVisible()
        bench.drawn()
        if answer == Qt.Key.Key_Escape:
            assert row.state.setpoint == before
    wait_until(
        lambda: bench.drawn() and row.quantity.shown(row.state.setpoint) == wanted,
        "the new setpoint",
    )


def test_a_target_is_typed_and_refused_and_applied_by_keys_alone(bench: StationBench) -> None:
    panel, drawn = bench.window.panels.of(TargetsPanel), bench.drawn
    before = bench.snapshot.targets["x_m"]
    bench.window.menu_actions.edit_targets()
    QTest.keyClicks(QApplication.focusWidget(), "12")
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Escape)
    assert not panel.question.isVisible()
    drawn()
    assert bench.snapshot.targets["x_m"] == before
    panel.rows["target", "x_m"].edit.setFocus()
    press(Qt.Key.Key_Return)
    press(Qt.Key.Key_Backtab)
    press(Qt.Key.Key_Space)
    wait_until(lambda: bench.snapshot.targets["x_m"] == 12e-6, "the target")


def test_a_question_that_goes_away_leaves_the_keyboard_in_the_window(bench: StationBench) -> None:
    bench.window.menu_actions.ask_return()
    assert has_keyboard(bench.window.panels.of(LedgerPanel).question)
    press(Qt.Key.Key_Escape)
    assert has_keyboard(bench.window)
    assert not any(one.isVisible() for one in bench.window.findChildren(ConfirmBar))


def test_a_plot_is_chosen_in_the_menu_and_exported_by_keys_alone(
    bench: StationBench, tmp_path: Path
) -> None:
    QTest.keyClick(bench.window, Qt.Key.Key_F, Qt.KeyboardModifier.AltModifier)
    for key in (Qt.Key.Key_X, Qt.Key.Key_End, Qt.Key.Key_Return):
        menu = QApplication.activePopupWidget()
        assert isinstance(menu, QMenu)
        QTest.keyClick(menu, key)
    type_file(bench, str(tmp_path / "plot.csv"))
    wait_until((tmp_path / "plot.csv").exists, "the table")
    wait_until(lambda: "exported" in said(bench.window.statusBar()), "the word of it")
    assert QApplication.activePopupWidget() is None


def turn(widget: QWidget) -> None:
    """Turn the wheel over the middle of it, up and down again."""
    middle = QPointF(widget.rect().center())
    for by in (240, -120):
        QApplication.sendEvent(
            widget,
            QWheelEvent(
                middle,
                widget.mapToGlobal(middle),
                QPoint(),
                QPoint(0, by),
                Qt.MouseButton.NoButton,
                Qt.KeyboardModifier.NoModifier,
                Qt.ScrollPhase.NoScrollPhase,
                False,
            ),
        )


def standing(widget: QWidget) -> object:
    """Return what a wheel could change of it."""
    if isinstance(widget, QAbstractSlider):
        return widget.value()
    if isinstance(widget, QComboBox | QTabBar):
        return widget.currentIndex()
    assert isinstance(widget, QLineEdit | QAbstractSpinBox)
    return widget.text()


@pytest.mark.parametrize("name", ["Loop", "Trends", "Procedures", "Targets"])
def test_wheel_changes_nothing_that_has_no_keyboard(bench: StationBench, name: str) -> None:
    bench.window.bring_up(name)
    bench.drawn()
    bench.window.panels.of(LedgerPanel).table.clearFocus()
    kinds = (QAbstractSlider, QComboBox, QTabBar, QLineEdit, QAbstractSpinBox)
    turned = [
        one
        for kind in kinds
        for one in bench.window.findChildren(kind)
        if one.isVisible() and not isinstance(one, QScrollBar) and not one.hasFocus()
    ]
    assert {type(one).__name__ for one in turned} >= {"FocusSlider", "FocusTabs", "SetpointEdit"}
    before = [standing(one) for one in turned]
    for one in turned:
        turn(one)
    assert [standing(one) for one in turned] == before
    assert not any(one.isVisible() for one in bench.window.findChildren(ConfirmBar))


def test_arrows_move_within_every_table_and_tab_leaves_it(bench: StationBench) -> None:
    for name in ("Ledger", "Settings", "Matrix"):
        bench.window.bring_up(name)
        bench.drawn()
        table = bench.window.docks[name].findChild(QAbstractItemView)
        table.setFocus()
        press(Qt.Key.Key_Down)
        press(Qt.Key.Key_Down)
        assert table.hasFocus()
        assert table.currentIndex().row() >= min(1, table.model().rowCount() - 1)
        press(Qt.Key.Key_Tab)
        assert not has_keyboard(table)
