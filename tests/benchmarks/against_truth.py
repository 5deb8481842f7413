"""Judge a recorded run by what really happened: `python tests/benchmarks/against_truth.py SESSION
TRUTH`.

Make one with, for example,
    magis-calib --simulate --auto --sensor small --drops 1000 --interval 0 --session-dir S --truth T
It prints, for each observable, the pulls of the estimates ((estimate - truth) / standard error) and
how far the station was from its target, in units of the best possible standard deviation of the
shipped station.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from magis_calib.config.loading import load_config, select_station
from magis_calib.domain.quantities import OBSERVABLES, wrap_error
from magis_calib.recording.reader import Session

LAST_DROPS = 15


def main(session_path: str, truth_path: str) -> None:
    """Print one line for each observable."""
    loop = select_station(load_config(None), None)[1].loop
    lines = [json.loads(line) for line in Path(truth_path).read_text(encoding="utf-8").splitlines()]
    truth = {line["drop_id"]: line["observables"] for line in lines if "drop_id" in line}
    with Session(Path(session_path)) as session:
        estimates = [record.estimate for record in session.records if record.estimate.usable]
    print(f"{len(truth)} drops, {len(estimates)} usable")
    for name, quantity in OBSERVABLES.items():
        pulls = np.array(
            [
                wrap_error(name, one.values[name] - truth[one.drop_id][name]) / one.stderr[name]
                for one in estimates
                if np.isfinite(one.values[name])
            ]
        )
        away = np.array(
            [
                wrap_error(name, drop[name] - loop.observables[name].target)
                for drop in truth.values()
            ]
        )
        away /= loop.observables[name].noise
        print(
            f"{quantity.label:3s} pulls: mean {pulls.mean():+.3f}, s.d. {pulls.std(ddof=1):.3f}, "
            f"within 4: {np.mean(np.abs(pulls) <= 4):.4f}; from target: first {away[0]:+.1f}, rms "
            f"of the last {LAST_DROPS} {np.sqrt(np.mean(away[-LAST_DROPS:] ** 2)):.2f} best "
            "possible s.d."
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
