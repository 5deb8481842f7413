"""A run that takes its time to stop says what it waits for; a second signal leaves it behind."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from magis_calib.app.stopping import LEFT_BEHIND, backlog
from magis_calib.host.child import HOME
from magis_calib.state.snapshot import Counters, Snapshot

PROGRAM = """
import os, signal, threading, time
from magis_calib.app.stopping import Stopping
from magis_calib.host.stopping import on_stop
from magis_calib.state.snapshot import Counters, Snapshot

class Slow:
    ended = threading.Event()
    snapshot = Snapshot("b", "B", "live", "", 0.0, "open", "", None,
                        counters=Counters(expected=9, complete=4, received=18, stored=11))
    def submit(self, command):
        print(type(command).__name__, flush=True)
    def wait(self, timeout_s=None):
        return self.ended.wait(timeout_s)

run = Slow()
stopping = Stopping(run)
with on_stop(stopping.heard):
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(2.5)
    SECOND
    run.ended.set()
stopping.ended()
print("ended", flush=True)
"""


@pytest.mark.parametrize("second", [False, True])
def test_a_backlog_is_told_and_may_be_left(second: bool) -> None:
    program = PROGRAM.replace("SECOND", "os.kill(os.getpid(), signal.SIGINT)" if second else "pass")
    said = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(HOME)},
        capture_output=True,
        text=True,
        check=False,
    )
    words = "7 frames are not stored yet and 5 drops have no outcome"
    assert f"stopping: {words}" in said.stderr
    assert (f"left behind: {words}" in said.stderr) == second
    assert said.stdout.split() == (["StopRun"] if second else ["StopRun", "ended"])
    assert said.returncode == (LEFT_BEHIND if second else 0)


def test_nothing_is_less_than_nothing() -> None:
    counters = Counters(received=2, stored=3, complete=2)
    snapshot = Snapshot("b", "B", "live", "", 0.0, "open", "", None, counters=counters)
    assert backlog(snapshot).startswith("0 frames are not stored yet and 0 drops")
