"""The bar of a replay over a real recording: pause, step, speed, and a jump after which all stays
identical.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot
from replay_bench import ReplayBench, recorded, replayed
from window_bench import let_qt_work, said, wait_until

from magis_calib.state.commands import Promote
from ui.panels.loop.panel import LoopPanel
from ui.panels.matrix.panel import MatrixPanel

pytestmark = pytest.mark.station

PATIENCE_MS = 30_000


@pytest.fixture(scope="module")
def recording(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("recording"), 25)


@pytest.fixture
def bench(recording: Path, tmp_path: Path) -> Iterator[ReplayBench]:
    with replayed(recording, tmp_path) as bench:
        yield bench


def click(qtbot: QtBot, bench: ReplayBench, text: str) -> None:
    (button,) = [
        one
        for one in bench.window.panels.of(LoopPanel).findChildren(QToolButton)
        if one.text() == text
    ]
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_step_shows_one_more_drop_and_pauses(bench: ReplayBench, qtbot: QtBot) -> None:
    click(qtbot, bench, "step")
    wait_until(lambda: len(bench.snapshot.records) == 2, "the second drop")
    let_qt_work(300)
    assert len(bench.drawn().records) == 2
    assert "drop 2 · " in said(bench.window.panels.of(LoopPanel).replay_bar)
    assert "2 estimates, all identical so far" in said(bench.window.panels.of(LoopPanel).replay_bar)


def test_play_goes_on_to_the_end_and_pause_stops_it(bench: ReplayBench, qtbot: QtBot) -> None:
    click(qtbot, bench, "max")
    wait_until(lambda: len(bench.snapshot.records) >= 4, "some drops")
    bench.drawn()
    click(qtbot, bench, "pause")
    wait_until(lambda: bench.snapshot.replay.speed == 0, "the pause")
    let_qt_work(500)
    paused_at = len(bench.drawn().records)
    let_qt_work(300)
    assert len(bench.drawn().records) == paused_at
    click(qtbot, bench, "play")
    drops = len(bench.snapshot.replay.drops)
    wait_until(lambda: len(bench.snapshot.records) == drops, "the end")
    assert not bench.drawn().finished
    assert bench.snapshot.replay.different == ()


def test_the_fit_over_an_image_is_always_its_own(bench: ReplayBench, qtbot: QtBot) -> None:
    images, seen = bench.window.panels.images, set()
    click(qtbot, bench, "max")
    while bench.snapshot.latest.drop_id != bench.snapshot.replay.drops[-1]:
        let_qt_work(10)
        for panel in images.values():
            if panel.frame is not None and panel.estimate is not None:
                assert panel.frame.header.drop_id == panel.estimate.drop_id
                seen.add(panel.estimate.drop_id)
    assert len(seen) > 1


@pytest.mark.parametrize("place", [20, 3])
def test_after_a_jump_on_and_back_all_stays_identical(
    bench: ReplayBench, qtbot: QtBot, place: int
) -> None:
    bar, drops = bench.window.panels.of(LoopPanel).replay_bar, bench.snapshot.replay.drops
    for there in (10, place):
        bar.slider.setValue(there)
        wait_until(
            lambda there=there: bench.snapshot.latest.drop_id == drops[there], "the drop jumped to"
        )
        let_qt_work(100)
        shown = bench.drawn()
        assert [one.drop_id for one in shown.records] == list(drops[: there + 1])
        assert shown.replay.speed == 0
        assert bar.slider.value() == there
    click(qtbot, bench, "max")
    wait_until(lambda: bench.snapshot.latest.drop_id == drops[-1], "the end")
    state = bench.snapshot.replay
    assert state.compared >= len(drops) - place
    assert state.different == ()


def test_nothing_is_promoted_in_a_replay(bench: ReplayBench, qtbot: QtBot) -> None:
    bench.window.bring_up("Matrix")
    matrix = bench.window.panels.of(MatrixPanel)
    assert not matrix.promote.isEnabled()
    qtbot.keyClick(
        bench.window,
        Qt.Key.Key_M,
        Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier,
    )
    assert not matrix.question.isVisible()
    bench.engine.submit(Promote("response.json", "somebody"))
    wait_until(lambda: bench.snapshot.note == "not promoted: this is a replay", "the refusal")
