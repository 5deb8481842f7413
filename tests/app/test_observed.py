"""What a run tells those who watch it from outside: metrics, and a log in lines of JSON."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from magis_calib.recording.reader import Session
from tests.app.test_whole_runs import magis_calib, started

pytestmark = pytest.mark.station

DASHBOARD = Path(__file__).parents[2] / "docs" / "examples" / "grafana.json"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return found.getsockname()[1]


def scraped(port: int) -> dict[str, dict[tuple[str, ...], float]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(text):
        found.setdefault(family.name if family.type != "counter" else f"{family.name}_total", {})
        for one in family.samples:
            labels = dict(sorted(one.labels.items()))
            found.setdefault(one.name, {})[tuple(labels.values())] = one.value
    return found


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """The newest scrape of a run, what it logged, and its report."""
    folder, port = tmp_path_factory.mktemp("watched"), free_port()
    words = [
        "-m",
        "magis_calib",
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--interval",
        "0.3",
        "--seed",
        "7",
        "--metrics",
        str(port),
        "--log-file",
        str(folder / "log.jsonl"),
        "--session-dir",
        str(folder / "s"),
        "--report",
        str(folder / "r.json"),
    ]
    with started(*words) as process:
        end_s = time.monotonic() + 60
        found: dict[str, dict[tuple[str, ...], float]] = {}
        while found.get("magis_newest_drop", {}).get((), 0) < 6:
            assert time.monotonic() < end_s
            time.sleep(0.3)
            try:
                found = scraped(port)
            except urllib.error.URLError:
                continue
        process.send_signal(signal.SIGTERM)
        process.stdout.read()
        process.wait(30)
    lines = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return found, lines, json.loads((folder / "r.json").read_text())


def test_metrics_say_what_the_run_does(watched) -> None:
    found, _, report = watched
    assert 12 <= found["magis_frames_total"]["stored",] <= report["frames"]["stored"]
    assert found["magis_frames_total"]["lost",] == 0
    assert 6 <= found["magis_drops_total"]["usable",] <= report["drops"]["usable"]
    assert found["magis_loop_state"]["closed",] == 1
    assert sum(found["magis_loop_state"].values()) == sum(found["magis_safety_state"].values()) == 1
    assert found["magis_link_up"]["camera x",] == found["magis_link_up"]["laser",] == 1
    assert found["magis_newest_drop_age_seconds"][()] < 10
    count = found["magis_stage_seconds_count"]["received_to_applied",]
    assert found["magis_stage_seconds_bucket"]["+Inf", "received_to_applied"] == count > 0
    assert found["magis_disk_free_bytes"][()] > 0
    assert all(value >= 0 for value in found["magis_queue_bytes"].values())
    assert abs(found["magis_observable"]["z_m",]) < 1e-3


def test_every_metric_of_the_dashboard_is_there(watched) -> None:
    found, _, _ = watched
    dashboard = json.loads(DASHBOARD.read_text())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    assert len(asked) > 8
    named = {
        name for expression in asked for name in re.findall(r"\b(?:magis|process)_\w+", expression)
    }
    assert not named - set(found), "named on the dashboard, not exported"
    families = {
        re.sub(r"_(bucket|sum|count|created)$", "", name)
        for name in found
        if name.startswith("magis_")
    }
    assert (
        not families
        - {re.sub(r"_(bucket|sum|count)$", "", name) for name in named}
        - {"magis_snapshot_age_seconds"}
    )


def test_the_log_is_lines_of_json_with_the_drop_that_each_is_about(watched) -> None:
    _, lines, report = watched
    assert all(
        set(line) >= {"time", "level", "logger", "thread", "drop_id", "message"} for line in lines
    )
    times = [line["time"] for line in lines]
    assert all(time.endswith("+00:00") for time in times)
    said = {
        line["drop_id"]: line["message"] for line in lines if line["message"].startswith("drop ")
    }
    with Session(Path(report["session"])) as session:
        outcomes = {one.drop_id: one.decision.outcome for one in session.records}
    assert set(said) == set(outcomes) >= {1, 2, 3, 4, 5, 6}
    assert [
        said[drop].startswith(f"drop {drop} {outcome}") for drop, outcome in outcomes.items()
    ] == [True] * len(said)
    assert any(line["drop_id"] is None for line in lines)


def test_a_taken_port_is_a_clear_refusal(tmp_path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = magis_calib(
            "--simulate",
            "--auto",
            "--drops",
            "1",
            "--metrics",
            str(port),
            "--session-dir",
            str(tmp_path),
        )
    assert said.returncode == 2
    assert f"--metrics {port}: cannot listen on 127.0.0.1:{port}" in said.stderr
