"""A what-if asked in the window of a replay: typed, predicted, dashed in the trends, forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from replay_bench import ReplayBench, recorded, replayed
from window_bench import let_qt_work, said, wait_until

from magis_calib.recording.reader import Session
from magis_calib.replay.changes import Changes, ObservableChange, changed
from magis_calib.replay.player import recorded_station
from magis_calib.replay.what_if import what_if
from magis_calib.state.commands import JumpTo, Suppose
from magis_calib.state.history import column
from ui.panels.trends.panel import TrendsPanel
from ui.panels.what_if.panel import WhatIfPanel

pytestmark = pytest.mark.station
TARGET_RAD = 2.0


@pytest.fixture(scope="module")
def recording(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return recorded(tmp_path_factory.mktemp("recording"), 40)


@pytest.fixture
def bench(recording: Path, tmp_path: Path) -> Iterator[ReplayBench]:
    with replayed(recording, tmp_path) as bench:
        bench.engine.submit(JumpTo(bench.snapshot.replay.drops[-1]))
        wait_until(lambda: len(bench.snapshot.records) >= 40, "the last drop")
        bench.window.docks["What if"].show()
        bench.window.docks["What if"].raise_()
        yield bench


def type_in(qtbot: QtBot, bench: ReplayBench, kind: str, text: str) -> None:
    edit = bench.window.panels.of(WhatIfPanel).rows["phase_rad"].edits[kind]
    edit.setFocus()
    qtbot.keyClicks(edit, text)
    bench.drawn()
    qtbot.keyClick(edit, Qt.Key.Key_Return)


def test_another_target_is_predicted_as_the_command_does_and_dashed_until_it_is_forgotten(
    bench: ReplayBench, recording: Path, qtbot: QtBot
) -> None:
    bench.drawn()
    panel, (chart,) = (
        bench.window.panels.of(WhatIfPanel),
        [
            one
            for one in bench.window.panels.of(TrendsPanel).pages.charts[0]
            if one.quantity.name == "phase_rad"
        ],
    )
    assert not chart._beside.isVisible()
    type_in(qtbot, bench, "target", f"{TARGET_RAD}")
    wait_until(
        lambda: bench.snapshot.replay.supposed and len(bench.snapshot.replay.supposed.rows),
        "the prediction",
    )
    bench.drawn()
    assert chart._beside.isVisible()
    assert "target of φ 2" in said(panel)
    assert "╌ what if: target of φ" in bench.window.panels.of(TrendsPanel)._identity.text()
    with Session(recording) as session:
        station = recorded_station(session)[1]
        changes = Changes(observables={"phase_rad": ObservableChange(target=TARGET_RAD)})
        expected = list(
            what_if(station, changed(station, changes), changes, session.records, session.restarts)
        )
    supposed = bench.snapshot.replay.supposed
    assert supposed.rows["drop_id"].tolist() == [one.record.drop_id for one in expected]
    values, _ = column(supposed.rows, "phase_rad")
    np.testing.assert_array_equal(values, [one.estimate.values["phase_rad"] for one in expected])
    assert abs(np.nanmean(values[-8:]) - TARGET_RAD) < 0.5, "the loop would have brought it there"
    row = panel.rows["phase_rad"]
    assert row._predicted[1].text() != row._happened[1].text()
    qtbot.mouseClick(panel.forget_button, Qt.MouseButton.LeftButton)
    wait_until(lambda: bench.snapshot.replay.supposed is None, "it to be forgotten")
    bench.drawn()
    assert not chart._beside.isVisible()
    assert row.edits["target"].text() == ""


def test_what_cannot_be_is_refused_where_it_is_typed(bench: ReplayBench, qtbot: QtBot) -> None:
    type_in(qtbot, bench, "gain", "3")
    let_qt_work(100)
    bench.drawn()
    assert "▲ φ: gain: wanted" in said(bench.window.panels.of(WhatIfPanel))
    assert not bench.window.panels.of(WhatIfPanel).predict_button.isEnabled()
    assert bench.snapshot.replay.supposed is None
    bench.engine.submit(Suppose(gains={"phase_rad": 3.0}))
    wait_until(
        lambda: bench.snapshot.note.startswith("not predicted: "), "the refusal of the run itself"
    )
    assert "observables.phase_rad.gain" in bench.snapshot.note


def test_the_newest_wish_counts(bench: ReplayBench) -> None:
    for gain in (0.1, 0.2, 0.3):
        bench.engine.submit(Suppose(gains={"phase_rad": gain}))
    wait_until(
        lambda: bench.snapshot.replay.supposed and len(bench.snapshot.replay.supposed.rows),
        "a prediction",
    )
    assert bench.snapshot.replay.supposed.words == "gain of φ 0.3"
