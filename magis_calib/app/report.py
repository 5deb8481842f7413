"""`--report`: what happened in a run, as JSON (docs/contracts.md)."""

from __future__ import annotations

import cmath
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from magis_calib.benchmark.oracle import Ratio, ratios, read_truth
from magis_calib.config.station import Station
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.domain.serial import plain
from magis_calib.feedback.setpoint_history import controlled
from magis_calib.host.files import replace_text
from magis_calib.run.engine import Engine
from magis_calib.run.history import RunHistory
from magis_calib.state.history import History, column
from magis_calib.state.snapshot import Alarm, Counters, PastAlarm, Snapshot

LAST_DROPS = 15
HISTORY_TOLD = ("key", "text", "since_ns", "over_ns")


@dataclass(frozen=True, slots=True)
class Truth:
    """Where the simulated station wrote the truth, and how late its writes took effect."""

    path: Path
    delay: int


def build_report(
    engine: Engine, station: Station, drops: int | None, truth: Truth | None
) -> dict[str, Any]:
    """Return the report of a finished run.

    `truth` tells what really happened where that was simulated.
    """
    snapshot = engine.snapshot
    counts = engine.snapshot.counters
    bounds = _bounds(engine.history.history, station, truth) if truth else {}
    return {
        "schema": 1,
        "session": snapshot.session,
        "exit": _exit(engine, counts, drops),
        "drops": _picked(counts, "expected", "complete", "incomplete", "usable"),
        "frames": {
            "received": counts.frames,
            **_picked(counts, "stored", "not_stored", "lost", "duplicate"),
            "refused": counts.frames_refused,
        },
        "untold": dict(engine.history.untold.views),
        "recording": plain(snapshot.recording),
        "corrections": _picked(counts, "sent", "applied", "refused", "held"),
        "latency_s": _latencies(engine.history),
        "observables": {
            name: _observable(name, snapshot, bounds.get(name)) for name in OBSERVABLES
        },
        **_alarms(snapshot),
    }


def _exit(engine: Engine, counts: Counters, drops: int | None) -> str:
    """Say how the run ended; `drops` is how many it was asked for."""
    if engine.bad_end:
        return "fault"
    done = counts.complete + counts.incomplete
    return "completed" if drops is not None and done >= drops else "stopped"


def _picked(counts: Counters, *names: str) -> dict[str, int]:
    return {name: getattr(counts, name) for name in names}


def _bounds(history: History, station: Station, truth: Truth) -> dict[str, Ratio]:
    """Return the ratios to the best loop.

    None where a target was moved, for the bound knows of one target only.
    """
    targets = {name: station.loop.observables[name].target for name in OBSERVABLES}
    rows = history.rows
    if np.any(rows["targets"] != list(targets.values())):
        return {}
    kept = rows[rows["interferometer"]]
    measured = dict(
        zip(kept["drop_id"].tolist(), kept["values"][:, : len(OBSERVABLES)], strict=True)
    )
    return ratios(read_truth(truth.path), measured, history.fit_covariance, targets, truth.delay)


def write_report(path: Path, report: dict[str, Any]) -> None:
    """Write it whole or not at all. Raises `OSError`."""
    replace_text(path, json.dumps(plain(report), indent=1, allow_nan=False) + "\n")


def _latencies(history: RunHistory) -> dict[str, Any]:
    """Return percentiles of the duration of each stage (s)."""
    return {stage: _percentiles(list(seconds)) for stage, seconds in history.stage_s.items()}


def _percentiles(seconds: Sequence[float]) -> dict[str, float | None]:
    if not seconds:
        return {"p50": None, "p95": None, "p99": None, "max": None}
    p50, p95, p99 = (float(np.percentile(seconds, rank)) for rank in (50, 95, 99))
    return {"p50": p50, "p95": p95, "p99": p99, "max": max(seconds)}


def _alarms(snapshot: Snapshot) -> dict[str, Any]:
    """Everything that was wrong, oldest first; what stands at the end is over at None."""
    over = [_alarm(one, one.until_ns) for one in snapshot.past_alarms]
    standing = [
        {**_alarm(one, None), "acknowledged_by": one.acknowledged_by} for one in snapshot.alarms
    ]
    alarms = sorted([*over, *standing], key=lambda one: int(one["since_ns"]))
    history = [
        {"until_ns" if name == "over_ns" else name: one[name] for name in HISTORY_TOLD}
        for one in alarms
    ]
    return {"alarms": alarms, "alarm_history": history}


def _alarm(one: Alarm | PastAlarm, over_ns: int | None) -> dict[str, Any]:
    told = ("key", "severity", "text", "remedy", "since_ns")
    return {**{name: getattr(one, name) for name in told}, "over_ns": over_ns}


def _observable(name: str, snapshot: Snapshot, bound: Ratio | None) -> dict[str, Any]:
    measured = snapshot.history[snapshot.history["interferometer"]]
    values = [value for value in column(measured, name)[0].tolist() if math.isfinite(value)]
    mean, spread = _mean_and_std(name, values[-LAST_DROPS:])
    judged = next(
        (one for one in reversed(snapshot.records) if one.decision.expectation is not None), None
    )
    return {
        "unit": OBSERVABLES[name].unit,
        "target": snapshot.targets[name] if judged is None or name in controlled(judged) else None,
        "first": values[0] if values else None,
        "last_mean": mean,
        "last_std": spread,
        "variance_over_bound": bound.variance_over_bound if bound else None,
        "correctable_over_bound": bound.correctable_over_bound if bound else None,
    }


def _mean_and_std(name: str, values: Sequence[float]) -> tuple[float | None, float | None]:
    """Mean and standard deviation (ddof 1); circular for the phase."""
    if not values:
        return None, None
    centre = 0.0
    if name == "phase_rad":
        centre = cmath.phase(sum(cmath.exp(1j * value) for value in values))
        values = [math.remainder(value - centre, 2 * math.pi) for value in values]
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return centre + float(np.mean(values)), spread
