"""Scrape a run's metrics without a pause: no fault may come of it, and no count may fall.

    python tests/benchmarks/scraper.py --drops 5000

starts the simulated station as fast as it goes, prints figures, and exits 1 where something broke.
"""

from __future__ import annotations

import argparse
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client.parser import text_string_to_metric_families

Counts = dict[tuple[str, ...], float]


def main() -> int:
    """Run, scrape, judge."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drops", type=int, default=500)
    drops: int = parser.parse_args().drops
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = int(found.getsockname()[1])
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        words = [sys.executable, "-m", "magis_calib", "--simulate", "--auto", "--sensor=small"]
        words += ["--interval=0", f"--drops={drops}", f"--metrics={port}", f"--report={report}"]
        words += [f"--session-dir={folder}/sessions"]
        run = subprocess.Popen(words, stdout=subprocess.DEVNULL)
        began_s = time.monotonic()
        scrapes, fallen = _scrape(port, run)
        took_s = time.monotonic() - began_s
        told = json.loads(report.read_text())
    faults = [one["text"] for one in told["alarms"] if one["key"] == "fault"]
    print(
        f"{told['drops']['complete']} drops in {took_s:.0f} s, {scrapes} scrapes, "
        f"{len(fallen)} counts fell, faults: {faults or 'none'}, exit {run.returncode}"
    )
    for line in fallen[:10]:
        print(line)
    good = not fallen and not faults and run.returncode == 0 and scrapes > 0
    return 0 if good and told["drops"]["complete"] == drops else 1


def _scrape(port: int, run: subprocess.Popen[bytes]) -> tuple[int, list[str]]:
    """Scrape until the run has ended; return how often, and every count that fell."""
    before: Counts = {}
    scrapes = 0
    fallen: list[str] = []
    while run.poll() is None:
        try:
            now = _counts(port)
        except OSError:  # not there yet, or no longer
            time.sleep(0.05)
            continue
        fallen += [
            f"{key}: {before[key]:g} -> {now.get(key, 0.0):g}"
            for key in before
            if now.get(key, 0.0) < before[key]
        ]
        before = now
        scrapes += 1
    return scrapes, fallen


def _counts(port: int) -> Counts:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        families = list(text_string_to_metric_families(answer.read().decode()))
    return {
        (one.name, *one.labels.values()): one.value
        for family in families
        if family.name.startswith("magis_") and family.type in ("counter", "histogram")
        for one in family.samples
    }


if __name__ == "__main__":
    raise SystemExit(main())
