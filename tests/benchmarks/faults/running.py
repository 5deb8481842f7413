"""Runs one fault: good drops, drops with the fault, good drops again; real processes, small sensor."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magis_calib.domain.snapshot import DropRecord
from magis_calib.recording.reader import Session

FIRST, LAST, DROPS = 31, 40, 75
"""First and last drop with the fault, and all drops."""
INTERVAL_S = 0.5
LIMIT_S = 240.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is left of one run."""

    code: int
    said: str
    report: dict[str, Any]
    records: tuple[DropRecord, ...]
    violations: int
    """Of limits, counted inside the simulated controllers."""
    unexplained: tuple[int, ...]
    """Drops with neither a whole pair nor a reason."""

    def during(self) -> tuple[DropRecord, ...]:
        """Return the drops with the fault."""
        return tuple(one for one in self.records if FIRST <= one.drop_id <= LAST)

    def alarms(self) -> str:
        """Return all alarms in one text."""
        return "\n".join(one["text"] for one in self.report.get("alarm_history", ()))

    def until_corrected(self) -> int | None:
        """Return after how many good drops a correction was applied again; None for never."""
        after = (one.drop_id - LAST for one in self.records
                 if one.drop_id > LAST and one.decision.outcome == "applied")  # fmt: skip
        return next(after, None)


def run(faults: str, folder: Path) -> Seen:
    """Let the application meet these faults. Raises `subprocess.TimeoutExpired`."""
    folder.mkdir(parents=True)
    (folder / "faults.toml").write_text(faults)
    words = ["--simulate", "--auto", "--sensor", "small", "--seed", "3", "--drops", str(DROPS), "--interval",
             str(INTERVAL_S), "--faults", str(folder / "faults.toml"), "--session-dir", str(folder / "sessions"),
             "--report", str(folder / "report.json"), "--truth", str(folder / "truth.jsonl")]  # fmt: skip
    done = subprocess.run([sys.executable, "-m", "magis_calib", *words], capture_output=True, text=True,
                          timeout=LIMIT_S, check=False)  # fmt: skip
    time.sleep(0.5)
    report = json.loads((folder / "report.json").read_text())
    with Session(Path(report["session"])) as session:
        records = tuple(session.records)
    told = {one.drop_id: one for one in records}
    unexplained = [drop for drop in range(1, max(told, default=0) + 1)
                   if drop not in told or not (told[drop].complete or told[drop].estimate.reasons)]  # fmt: skip
    last = json.loads((folder / "truth.jsonl").read_text().splitlines()[-1])
    violations = sum(one["limit_violations"] for one in last["controllers"].values())
    return Seen(done.returncode, done.stdout + done.stderr, report, records, violations, tuple(unexplained))
