"""A matrix measured in the window is promoted in the window: asked first, written, noted with who
did it.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from window_bench import StationBench, kept_in, said, wait_until

from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import default_text
from magis_calib.host.user import login_name
from magis_calib.products.store import JOURNAL, read_product
from magis_calib.state.commands import StartProcedure
from ui.panels.matrix.panel import MatrixPanel

pytestmark = pytest.mark.station

PATIENCE_MS = 60_000
BOTH = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("promotion")


@pytest.fixture(scope="module")
def own(folder: Path) -> Path:
    file = folder / "own.toml"
    file.write_text(default_text(), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def bench(qapp: QApplication, folder: Path, own: Path) -> Iterator[StationBench]:
    with StationBench(folder, kept_in(folder), config_file=own) as bench:
        wait_until(lambda: len(bench.snapshot.records) >= 3, "three drops")
        yield bench


@pytest.fixture(scope="module")
def product(bench: StationBench) -> Path:
    """A response measured in this run, as soon as the run itself knows of it."""
    assert bench.snapshot.measured is None
    bench.engine.submit(StartProcedure("response", {"drops": 32}))
    wait_until(lambda: bench.snapshot.measured is not None, "the measured matrix")
    assert bench.snapshot.procedure.good, bench.snapshot.procedure.words
    return Path(bench.snapshot.measured.product)


def ask(qtbot: QtBot, bench: StationBench) -> str:
    """Ask by the keyboard; return the question."""
    bench.drawn()
    qtbot.keyClick(bench.window, Qt.Key.Key_M, BOTH)
    assert bench.window.panels.of(MatrixPanel).question.isVisible()
    return bench.window.panels.of(MatrixPanel).question.text()


def test_without_a_measured_matrix_the_question_says_what_to_do(
    bench: StationBench, qtbot: QtBot
) -> None:
    assert (
        "no measured matrix of this station is among the products: run the procedure response"
        in ask(qtbot, bench)
    )
    assert not bench.window.panels.of(MatrixPanel).question.yes.isEnabled()


def test_the_matrix_just_measured_stands_beside_the_one_in_force(
    bench: StationBench, product: Path, qtbot: QtBot
) -> None:
    bench.window.bring_up("Matrix")
    panel, numbers = bench.window.panels.of(MatrixPanel), read_product(product).numbers
    force = bench.drawn().matrix
    assert "nominal" in said(panel)
    qtbot.keyClick(panel.tabs, Qt.Key.Key_Right)
    assert f"response_{product.name.partition('_')[0]}" in said(panel)
    qtbot.keyClick(panel.tabs, Qt.Key.Key_Right)
    for row, (observable, elements) in enumerate(force.values.items()):
        for column, (actuator, value) in enumerate(elements.items()):
            away = (numbers["matrix"][observable][actuator] - value) / numbers["stderr"][
                observable
            ][actuator]
            shown = panel.table.item(row, column).text().removeprefix("▲ ").replace("−", "-")
            assert float(shown) == pytest.approx(away, abs=0.051)
    panel.tabs.setCurrentIndex(0)


def test_a_no_leaves_the_file_as_it_was(
    bench: StationBench, product: Path, own: Path, qtbot: QtBot
) -> None:
    before, question = own.read_bytes(), bench.window.panels.of(MatrixPanel).question
    text = ask(qtbot, bench)
    assert f"put response_{product.name.partition('_')[0]} (measured by response in drops " in text
    assert f"product {product.name}) in place of nominal, for station bottom?" in text
    assert f"Written into {own}, in force from the next start on" in text
    assert question.no.hasFocus()
    qtbot.keyClick(question.no, Qt.Key.Key_Space)
    assert not question.isVisible()
    drop = bench.snapshot.records[-1].drop_id
    qtbot.waitUntil(lambda: bench.snapshot.records[-1].drop_id > drop + 1, timeout=PATIENCE_MS)
    assert own.read_bytes() == before
    assert not (product.parent / JOURNAL).exists()


def test_a_yes_puts_it_in_force_from_the_next_start_on(
    bench: StationBench, product: Path, own: Path, qtbot: QtBot
) -> None:
    before, name = own.read_text().splitlines(), f"response_{product.name.partition('_')[0]}"
    ask(qtbot, bench)
    qtbot.keyClick(bench.window.panels.of(MatrixPanel).question.yes, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: bench.snapshot.note.startswith("promoted by"), timeout=PATIENCE_MS)
    assert (
        f"matrix {name!r} is in force for station bottom, before it was 'nominal'"
        in bench.snapshot.note
    )
    assert "the next start uses the new one" in bench.snapshot.note
    _, station = select_station(load_config(own), None)
    assert station.loop.matrix == name
    force, found = station.matrices[name], read_product(product).numbers["matrix"]
    mains = {one: told.actuator for one, told in station.loop.observables.items()}
    assert {one: force[one][main] for one, main in mains.items()} == {
        one: found[one][main] for one, main in mains.items()
    }
    difference = difflib.ndiff(before, own.read_text().splitlines())
    assert len([line for line in difference if line.startswith("- ")]) == 1, "the rest stays"
    (line,) = (product.parent / JOURNAL).read_text().splitlines()
    told = json.loads(line)
    assert (told["product"], told["who"], told["configuration"]) == (
        product.name,
        login_name(),
        str(own),
    )


def test_afterwards_this_run_keeps_its_matrix_and_says_so(
    bench: StationBench, product: Path, qtbot: QtBot
) -> None:
    qtbot.waitUntil(lambda: bench.snapshot.measured.promoted, timeout=PATIENCE_MS)
    assert bench.drawn().matrix.name == "nominal"
    assert "in force from the next start on" in ask(qtbot, bench)
    assert not bench.window.panels.of(MatrixPanel).question.yes.isEnabled()
    panel = bench.window.panels.of(MatrixPanel)
    panel.tabs.setCurrentIndex(1)
    assert "✓ promoted: in force from the next start on" in said(panel)
    assert "promoted by" in bench.window._status._note.text()
