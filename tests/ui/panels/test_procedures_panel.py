"""Procedures in the window: asked about, followed, cancelled, and their result read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot
from window_bench import StationBench, kept_in, said, wait_until

from magis_calib.domain.quantities import ACTUATORS
from magis_calib.procedures.catalogue import KNOWN
from magis_calib.products.store import read_product
from ui.models.product_text import product_in_words
from ui.panels.loop.panel import LoopPanel
from ui.panels.procedures.panel import ProceduresPanel
from ui.panels.procedures.product import PictureWindow
from ui.window.help_text import shortcuts_text

pytestmark = pytest.mark.station

PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def bench(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StationBench]:
    folder: Path = tmp_path_factory.mktemp("procedures")
    with StationBench(folder, kept_in(folder)) as bench:
        wait_until(lambda: len(bench.snapshot.records) >= 12, "twelve drops")
        yield bench


def press_control(qtbot: QtBot, bench: StationBench, key: Qt.Key) -> None:
    qtbot.keyClick(bench.window, key, Qt.KeyboardModifier.ControlModifier)
    bench.drawn()


def start(qtbot: QtBot, bench: StationBench, name: str) -> None:
    """Ask for it by the keyboard alone, and say yes."""
    panel = bench.window.panels.of(ProceduresPanel)
    bench.drawn()
    button = panel.buttons[name]
    assert button.focusPolicy() & Qt.FocusPolicy.TabFocus
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert panel.start_question.isVisible()
    qtbot.keyClick(panel.start_question.yes, Qt.Key.Key_Space)
    qtbot.waitUntil(
        lambda: (
            bench.snapshot.procedure is not None
            and bench.snapshot.procedure.name == name
            and bench.snapshot.procedure.running
        ),
        timeout=PATIENCE_MS,
    )


def ended(qtbot: QtBot, bench: StationBench) -> None:
    qtbot.waitUntil(lambda: not bench.snapshot.procedure.running, timeout=PATIENCE_MS)
    bench.drawn()


def picture_of_it(qtbot: QtBot, bench: StationBench) -> QPixmap:
    """Ask for the picture of what was found, look at it, and close it."""
    qtbot.mouseClick(
        bench.window.panels.of(ProceduresPanel).product.picture, Qt.MouseButton.LeftButton
    )
    qtbot.waitUntil(lambda: bool(bench.window.findChildren(PictureWindow)), timeout=PATIENCE_MS)
    (shown,) = bench.window.findChildren(PictureWindow)
    picture = shown.findChild(QLabel).pixmap()
    shown.close()
    bench.window.activateWindow()
    qtbot.waitUntil(bench.window.isActiveWindow, timeout=PATIENCE_MS)
    return picture


def test_each_procedure_is_offered_with_what_it_is_for(bench: StationBench, qtbot: QtBot) -> None:
    press_control(qtbot, bench, Qt.Key.Key_P)
    panel = bench.window.panels.of(ProceduresPanel)
    assert panel.isVisible()
    assert list(panel.buttons) == list(KNOWN)
    for name, button in panel.buttons.items():
        assert button.isEnabled()
        assert KNOWN[name].summary in button.toolTip()
        assert name in button.accessibleName()
    words = shortcuts_text(bench.window.menus.all_actions)
    assert "<b>Ctrl+P</b>" in words
    assert "<b>Ctrl+K</b>" in words


def test_starting_asks_first_says_what_will_move_and_a_no_moves_nothing(
    bench: StationBench, qtbot: QtBot
) -> None:
    snapshot, panel = bench.drawn(), bench.window.panels.of(ProceduresPanel)
    bench.window.menu_actions.ask_procedure("poke")
    text = panel.start_question.text()
    assert f"{KNOWN['poke'].drops} drops" in text
    assert "The loop sends nothing meanwhile" in text
    proposal = snapshot.records[-1].decision.proposal
    assert proposal is not None
    assert all(ACTUATORS[name].label in text for name in proposal.proposed)
    qtbot.mouseClick(panel.start_question.no, Qt.MouseButton.LeftButton)
    drop = bench.snapshot.records[-1].drop_id
    qtbot.waitUntil(lambda: bench.snapshot.records[-1].drop_id > drop + 1, timeout=PATIENCE_MS)
    assert bench.snapshot.procedure is None


def test_a_poke_is_followed_to_its_end_and_its_result_is_shown(
    bench: StationBench, qtbot: QtBot
) -> None:
    bench.window.menu_actions.show_procedures()
    start(qtbot, bench, "poke")
    qtbot.waitUntil(lambda: bench.snapshot.procedure.done >= 3, timeout=PATIENCE_MS)
    snapshot, panel = bench.drawn(), bench.window.panels.of(ProceduresPanel)
    state = snapshot.procedure
    assert state.running
    assert (panel.bar.value(), panel.bar.maximum()) == (state.done, state.planned)
    assert f"{state.done} of {state.planned} drops" in said(panel)
    assert " left" in said(panel)
    assert state.words in said(panel)
    assert not any(one.isEnabled() for one in panel.buttons.values())
    assert "◆ LOOP PROCEDURE" in said(bench.window.panels.state_line)
    assert "poke moves the setpoints; the loop waits" in said(bench.window.panels.of(LoopPanel))
    ended(qtbot, bench)
    snapshot = bench.drawn()
    assert snapshot.procedure.good, snapshot.procedure.words
    assert "✓ poke ended well · 28 drops" in said(panel)
    assert "poke passed" in said(panel)
    assert "poke ended after 28 drops: poke passed" in snapshot.note
    assert panel.product.path.text() == snapshot.procedure.product
    product = read_product(Path(snapshot.procedure.product))
    shown = said(panel).replace("\u00a0", " ")
    for actuator, ratio in product.numbers["ratio"].items():
        found = re.search(rf"{ACTUATORS[actuator].label} (\d\.\d+)\(\d+\)", shown)
        assert found is not None
        assert float(found[1]) == pytest.approx(ratio, abs=0.006)
    assert product.session == Path(snapshot.session).name
    assert picture_of_it(qtbot, bench).height() > 100
    assert all(one.isEnabled() for one in panel.buttons.values())
    assert not panel.bar.isVisible()


def test_the_optimum_of_a_scan_is_proposed_with_its_error_and_set_on_a_yes(
    bench: StationBench, qtbot: QtBot
) -> None:
    start(qtbot, bench, "scan_pulse_area")
    ended(qtbot, bench)
    panel, numbers = (
        bench.window.panels.of(ProceduresPanel),
        read_product(Path(bench.snapshot.procedure.product)).numbers,
    )
    before = readback_of("pulse_area", bench)
    assert before != pytest.approx(numbers["optimum"], abs=1e-5)
    qtbot.mouseClick(panel.product.set_button, Qt.MouseButton.LeftButton)
    shown = ACTUATORS["pulse_area"]
    assert (
        f"set {shown.label} {shown.with_error(numbers['optimum'], numbers['optimum_stderr'])}"
        in said(panel)
    )
    assert readback_of("pulse_area", bench) == before
    qtbot.mouseClick(panel.set_question.yes, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(
        lambda: abs(readback_of("pulse_area", bench) - numbers["optimum"]) < 1e-4,
        timeout=PATIENCE_MS,
    )
    assert bench.snapshot.loop == "closed"


def readback_of(name: str, bench: StationBench) -> float:
    return next(one.readback for one in bench.snapshot.actuators if one.name == name)


def test_cancelling_asks_first_and_brings_the_setpoints_back(
    bench: StationBench, qtbot: QtBot
) -> None:
    panel = bench.window.panels.of(ProceduresPanel)
    qtbot.keyClick(bench.window, Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bench.snapshot.loop == "held", timeout=PATIENCE_MS)
    before = {one.name: one.readback for one in bench.drawn().actuators}
    start(qtbot, bench, "response")
    qtbot.waitUntil(lambda: bench.snapshot.procedure.done >= 2, timeout=PATIENCE_MS)
    press_control(qtbot, bench, Qt.Key.Key_K)
    assert "end response? The setpoints go back to where it began" in panel.cancel_question.text()
    assert bench.snapshot.procedure.running
    qtbot.mouseClick(panel.cancel_question.yes, Qt.MouseButton.LeftButton)
    ended(qtbot, bench)
    assert "■ response cancelled" in said(panel)
    assert "cancelled: by the operator" in said(panel)
    tolerance = {one.name: one.readback_tolerance for one in bench.snapshot.actuators}
    for one in bench.snapshot.actuators:
        assert one.readback == pytest.approx(before[one.name], abs=tolerance[one.name])
    assert bench.snapshot.loop == "held"
    press_control(qtbot, bench, Qt.Key.Key_K)
    assert "no procedure is running" in panel.cancel_question.text()
    assert not panel.cancel_question.yes.isEnabled()


def test_the_gains_of_a_response_are_shown_in_the_units_that_people_read(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    file.write_text(
        '{"kind": "response", "station": "bottom", "created_ns": 1, "good": true, "words": "", '
        '"operating_point": {}, '
        '"session": "", "drops": [1, 2], "valid_days": 30.0, "schema": 1, "numbers": {"mains": '
        '{"z_m": '
        '"launch_frequency_hz", "y_m": "trap_y_m"}, "matrix": {"z_m": {"launch_frequency_hz": '
        '-651e-9}, "y_m": '
        '{"trap_y_m": null}}, "stderr": {"z_m": {"launch_frequency_hz": 8e-9}, "y_m": {"trap_y_m": '
        "null}}}}"
    )
    assert product_in_words(str(file)) == ["launch frequency → z −651.0(80) µm per kHz"]
    assert "not a product" in product_in_words(str(tmp_path / "none.json"))[0]


def test_a_failed_poke_is_shown_and_the_loop_refuses_to_be_closed(
    tmp_path: Path, qtbot: QtBot
) -> None:
    faults = tmp_path / "faults.toml"
    faults.write_text('[[fault]]\nkind = "actuator"\nname = "mirror_tilt_x_rad"\nfactor = -1.0\n')
    with StationBench(tmp_path, kept_in(tmp_path), faults=faults, start="open") as bench:
        qtbot.waitUntil(lambda: len(bench.snapshot.records) >= 2, timeout=PATIENCE_MS)
        bench.window.menu_actions.show_procedures()
        start(qtbot, bench, "poke")
        ended(qtbot, bench)
        assert "✖ poke FAILED" in said(bench.window.panels.of(ProceduresPanel))
        assert "mirror tilt x moves the wrong way" in said(bench.window.panels.of(ProceduresPanel))
        press_control(qtbot, bench, Qt.Key.Key_Return)
        qtbot.waitUntil(lambda: "not closed" in bench.snapshot.note, timeout=PATIENCE_MS)
        bench.drawn()
        assert "not closed: poke failed: mirror tilt x moves the wrong way" in said(
            bench.window.statusBar()
        )
        assert bench.snapshot.loop == "open"


def test_a_layout_of_before_there_were_procedures_is_laid_out_anew(
    tmp_path: Path, bench: StationBench
) -> None:
    from ui.window import layout

    settings = kept_in(tmp_path)
    settings.setValue("window/geometry", bench.window.saveGeometry())
    settings.setValue("window/state", QByteArray(bench.window.saveState(layout.VERSION - 1)))
    assert not layout.restore(bench.window, [], settings, "window")
    bench.window.reset_layout()
    assert not bench.window.docks["Procedures"].isHidden()
