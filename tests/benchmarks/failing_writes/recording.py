"""A process that records 20 drops again and again, each time with another call to its disk failing.

It is started with fail_nth.c loaded before the C library, and forks for each line that it is sent.
What ends a fork is Python's own end of a process, with libhdf5's farewell.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from magis_calib.config.recording import Recording
from magis_calib.domain.camera import DropAnnouncement
from magis_calib.domain.control import Decision
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import unusable_station
from magis_calib.recording.recorder import CameraNews, Recorder
from magis_calib.recording.writer import SessionWriter
from magis_calib.run.alarms import recording_troubles
from tests.pictures import SMALL, frame

DROPS = 20
FACTS = replace(SMALL, rows=64, columns=96)
KINDS = ("write", "pwrite", "fsync", "ftruncate")


def record(path: Path) -> dict[str, Any]:
    """Record 20 drops in two segments; return what the drivers and the operator were told."""
    stored: dict[str, str] = {}
    not_stored: dict[str, str] = {}
    recorder = Recorder(
        lambda: SessionWriter(path, "bottom", "{}", {}, Recording(compression="none")),
        lambda one: stored.update({_name(one): one.header.checksum}),
        lambda one, reason: not_stored.update({_name(one): reason}),
        lambda one, error: not_stored.update({_name(one): str(error)}),
    )
    alarms: list[str] = []
    rng = np.random.default_rng(1)
    facts = FACTS
    for drop in range(1, DROPS + 1):
        if drop in (1, DROPS // 2):
            facts = replace(facts, gain=0.25 + drop / 100)
            for view in ("x", "y"):
                recorder.take(CameraNews(view, facts))
        counts = rng.integers(0, 60_000, (2, facts.rows, facts.columns), np.uint16)
        items = [
            DropAnnouncement(drop, "interferometer", 7),
            *(frame(counts[at], view, drop, facts) for at, view in enumerate("xy")),
            _outcome(drop),
        ]
        for item in items:
            recorder.take(item)
            alarms += _alarms(recorder)
        recorder.settle()
        alarms += _alarms(recorder)
    recorder.close({"counters": {}})
    alarms += _alarms(recorder)
    return {"stored": stored, "not_stored": not_stored, "alarms": sorted(set(alarms))}


def _alarms(recorder: Recorder) -> list[str]:
    return [one.text for one in recording_troubles(recorder.state, 0.0).values()]


def _name(one: Any) -> str:
    return f"{one.header.view}/{one.header.drop_id}"


def _outcome(drop: int) -> DropRecord:
    decision = Decision(drop, 5, "held", "a test", effective_drop=None)
    return DropRecord(
        drop, drop, "interferometer", True, unusable_station(drop, "a test"), decision, {}, {}
    )


def main() -> None:
    """Fork for each line of JSON: a folder, a kind, which call of it, how many, and the errno."""
    library = ctypes.CDLL(os.environ["LD_PRELOAD"])
    for line in sys.stdin:
        folder, kind, nth, times, errno = json.loads(line)
        child = os.fork()
        if not child:
            library.fail_nth(ctypes.c_int(kind), ctypes.c_long(nth), ctypes.c_long(times), errno)
            told = record(Path(folder) / "session")
            told["failed"] = library.calls_failed()
            told["calls"] = [library.calls_seen(kind) for kind in range(len(KINDS))]
            library.fail_nth(-1, 0, 0, 0)
            (Path(folder) / "told.json").write_text(json.dumps(told))
            return
        status = os.waitpid(child, 0)[1]
        print(json.dumps(os.waitstatus_to_exitcode(status)), flush=True)


if __name__ == "__main__":
    main()
