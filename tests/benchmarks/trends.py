"""How fast the trends are panned and zoomed with 24 hours of drops at 1 Hz: `python -m
tests.benchmarks.trends`

Run it on a screen; a virtual one, or QT_QPA_PLATFORM=offscreen, will do. Prints how long moving and
drawing all charts of a page took; exit 1 where the 95th percentile is 50 ms or more.
"""

from __future__ import annotations

import sys
import time

import numpy as np
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from magis_calib.domain.control import Decision
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import unusable_station
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.state.history import HistoryRows
from magis_calib.state.snapshot import Snapshot
from ui.panels.trends.panel import TrendsPanel
from ui.style.theme import dress

DROPS, WANTED_MS = 86_400, 50.0


def a_day() -> Snapshot:
    """Return a snapshot with a day of drops: random walks with noise, and gaps."""
    rng = np.random.default_rng(1)
    rows = HistoryRows.zeros(DROPS)
    rows["drop_id"][:] = np.arange(1, DROPS + 1)
    walk = np.cumsum(rng.normal(0, 0.05, rows["values"].shape), axis=0) + rng.normal(
        0, 1, rows["values"].shape
    )
    rows["values"][:], rows["stderr"][:] = 1e-5 * walk, 2e-6
    rows["values"][rng.random(DROPS) < 0.01] = np.nan
    newest = DropRecord(
        DROPS,
        0,
        "interferometer",
        True,
        unusable_station(DROPS, "made up"),
        Decision(DROPS, 0, "held", "made up"),
        {},
        {},
    )
    return Snapshot(
        "bottom",
        "Bottom station",
        "live",
        "",
        0.0,
        "closed",
        "",
        None,
        latest=newest,
        records=(newest,),
        history=rows,
        targets=dict.fromkeys(OBSERVABLES, 0.0),
        tolerances=dict.fromkeys(OBSERVABLES, 1e-5),
    )


def main() -> int:
    """Measure and print; return the exit code."""
    app = QApplication([])
    dress(app)
    panel, snapshot = TrendsPanel(QSettings("none", "none")), a_day()
    panel.resize(1200, 420)
    panel.show()
    panel.refresh(snapshot, 0.0)
    panel.zoom_or_move("zoom", 1e9, DROPS / 2)
    took_ms = []
    for number in range(200):
        began_s = time.perf_counter()
        turn = number % 20
        if turn < 8:
            panel.zoom_or_move("zoom", 0.6, DROPS * 0.4)
        elif turn < 12:
            panel.step("move", 0.2)
        else:
            panel.zoom_or_move("zoom", 1.9, DROPS * 0.4)
        panel.refresh(snapshot, 0.0)
        app.processEvents()
        took_ms.append(1e3 * (time.perf_counter() - began_s))
    p50, p95, most = (float(np.percentile(took_ms, rank)) for rank in (50, 95, 100))
    print(
        f"{DROPS} drops, six charts: pan or zoom, drawn: p50 {p50:.1f} ms, p95 {p95:.1f} ms (< "
        f"{WANTED_MS:g}), longest {most:.1f} ms"
    )
    return int(p95 >= WANTED_MS)


if __name__ == "__main__":
    sys.exit(main())
