"""Signals end the program at any moment: within seconds, and without a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from magis_calib.host.child import HOME, python_module
from magis_calib.host.stopping import STOPS, interrupt_on_stops, on_stop

LONGEST_S = 15.0
"""Twice as long as it takes where nothing else goes on, and room for a busy machine."""


def test_each_of_them_does_the_deed_and_is_given_back() -> None:
    heard: list[int] = []
    before = [signal.getsignal(one) for one in STOPS]
    with on_stop(lambda: heard.append(1)):
        for number in STOPS:
            os.kill(os.getpid(), number)
    assert len(heard) == len(STOPS)
    assert [signal.getsignal(one) for one in STOPS] == before


def test_one_that_is_ignored_stays_so() -> None:
    before = {one: signal.getsignal(one) for one in STOPS}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
        interrupt_on_stops()
        with on_stop(lambda: pytest.fail("heard")):
            os.kill(os.getpid(), signal.SIGHUP)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
        heard: list[int] = []
        for _ in range(2):
            with on_stop(lambda: heard.append(1)):
                pass
        assert heard == [1], "an interruption that was swallowed is done later, once"
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


def begun(folder: Path, **streams: object) -> subprocess.Popen[bytes]:
    words = ["--simulate", "--auto", "--sensor", "small", "--interval", "0.3"]
    return subprocess.Popen(
        python_module("magis_calib", *words, "--session-dir", str(folder)),
        env={**os.environ, "PYTHONPATH": str(HOME)},
        **{"stdin": subprocess.DEVNULL, "stderr": subprocess.PIPE, **streams},
    )


@pytest.mark.station
@pytest.mark.parametrize("number", STOPS)
@pytest.mark.parametrize("after_s", [0.1, 0.5, 1.5])
def test_a_program_that_begins_ends_without_a_word(tmp_path, number, after_s: float) -> None:
    program = begun(tmp_path, stdout=subprocess.DEVNULL)
    time.sleep(after_s)
    program.send_signal(number)
    errors = program.communicate(timeout=LONGEST_S)[1]
    assert b"Traceback" not in errors
    assert b"Exception ignored" not in errors


@pytest.mark.station
@pytest.mark.parametrize("number", STOPS)
def test_a_run_that_nobody_reads_stops_cleanly(tmp_path: Path, number: signal.Signals) -> None:
    reading, writing = os.pipe()
    program = begun(tmp_path, stdout=writing)
    os.close(writing)
    try:
        assert b"loop" in os.read(reading, 4)  # the run has begun; nothing more is read
        time.sleep(1.0)
        program.send_signal(number)
        errors = program.communicate(timeout=LONGEST_S)[1]
    finally:
        os.close(reading)
        program.kill()
        program.wait()
    assert b"stopped: " in errors
    assert program.returncode == 0
