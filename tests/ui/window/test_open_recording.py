"""Another recording is opened beside a run, in a window of its own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from keyboard import opened, type_file
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog
from window_bench import StationBench, kept_in, wait_until

from ui.window.open_recording import replay_apart

pytestmark = pytest.mark.station


@pytest.fixture(scope="module")
def bench(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StationBench]:
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    folder: Path = tmp_path_factory.mktemp("open")
    with StationBench(folder, kept_in(folder)) as bench:
        wait_until(lambda: len(bench.snapshot.records) >= 3, "three drops")
        yield bench


def replaying(session: str) -> list[int]:
    """Return the processes that replay this session."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().decode().split("\0")
        except OSError:
            continue
        if "replay" in words and session in words:
            found.append(int(process.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="needs the list of processes")
def test_a_recording_is_replayed_beside_the_run_that_goes_on(bench: StationBench) -> None:
    session = bench.snapshot.session
    bench.window.open_recording()
    assert not opened(bench, QFileDialog).isModal()
    type_file(bench, session)
    try:
        wait_until(lambda: replaying(session), "the replay to begin")
        drops = bench.snapshot.counters.complete
        wait_until(lambda: bench.snapshot.counters.complete > drops, "the run to go on")
        bench.drawn()
        assert "in a window of its own" in bench.window._status._note.text()
    finally:
        for process in replaying(session):
            os.kill(process, signal.SIGTERM)
        wait_until(lambda: not replaying(session), "the replay to end")


def test_what_is_no_recording_is_said(tmp_path: Path) -> None:
    assert replay_apart(str(tmp_path)) == (
        f"▲ {tmp_path}: not a recording: wanted a folder with segment-*.h5 in it"
    )
