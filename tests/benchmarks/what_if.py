"""Does the what-if tell what a live run with other gains gives? `python -m tests.benchmarks.what_if
--folder NEW`

Two live runs with the same seed, one with the shipped gains and one with gain 0.3; the second is
predicted from the first. Prints the variance about target: happened, predicted, live, and predicted
over live.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import redirect_stdout
from pathlib import Path

from magis_calib.cli.main import main as magis_calib
from magis_calib.config.station import default_text
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.recording.reader import Session
from magis_calib.replay.changes import changed, read_changes
from magis_calib.replay.spreads import spreads
from magis_calib.replay.what_if import Otherwise, what_if

GAIN, WANTED, SETTLING_DROPS = 0.3, 0.1, 50


def live(folder: Path, config: Path, seed: int, drops: int) -> Path:
    """Run the simulated station and return the session."""
    words = [
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--interval",
        "0",
        "--seed",
        str(seed),
        "--drops",
        str(drops),
        "--config",
        str(config),
        "--session-dir",
        str(folder),
    ]
    with redirect_stdout(sys.stderr):
        code = magis_calib(words)
    if code != 0:
        raise RuntimeError(f"the run in {folder} failed")
    return next(folder.iterdir())


def predicted(path: Path, file: Path) -> list[Otherwise]:
    """Return what the changes in a file would have given."""
    from magis_calib.replay.player import recorded_station

    with Session(path) as session:
        recorded, changes = recorded_station(session)[1], read_changes(file)
        return list(what_if(recorded, changed(recorded, changes, file), changes, session.records))


def report(what: str, ours: list[Otherwise], theirs: list[Otherwise]) -> bool:
    """Print the variances and return whether every prediction is near enough."""
    print(
        f"{what}: variance about target "
        f"(SI)\n{'':20}{'happened':>12}{'predicted':>12}{'live':>12}{'ratio':>8}"
    )
    good = True
    for one, other in zip(spreads(ours), spreads(theirs), strict=True):
        happened, told, lived = (
            v.deviation**2 for v in (one.happened, one.predicted, other.happened)
        )
        good = good and abs(told / lived - 1) <= WANTED
        print(f"{one.name:20}{happened:12.4g}{told:12.4g}{lived:12.4g}{told / lived:8.3f}")
    return good


def main() -> int:
    """Run and compare; exit 1 where a variance is off by more than 10 %."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument(
        "--drops", type=int, default=2000, help="fewer leave the fits' own noise in the ratios"
    )
    arguments = parser.parse_args()
    folder: Path = arguments.folder
    folder.mkdir(parents=True)
    (folder / "shipped.toml").write_text(default_text(), encoding="utf-8")
    (folder / "other.toml").write_text(
        default_text().replace('gain = "auto"', f"gain = {GAIN}"), encoding="utf-8"
    )
    (folder / "gains.toml").write_text(
        "".join(f"observables.{name}.gain = {GAIN}\n" for name in OBSERVABLES)
    )
    (folder / "same.toml").write_text("")
    first, second = (
        live(folder / f"{name}-sessions", folder / f"{name}.toml", arguments.seed, arguments.drops)
        for name in ("shipped", "other")
    )
    ours, theirs = predicted(first, folder / "gains.toml"), predicted(second, folder / "same.toml")
    print(
        json.dumps(
            {"exact": not any(one.difference() for one in predicted(first, folder / "same.toml"))}
        )
    )
    whole = report("all drops", ours, theirs)
    return int(
        not (
            report(f"after {SETTLING_DROPS}", ours[SETTLING_DROPS:], theirs[SETTLING_DROPS:])
            and whole
        )
    )


if __name__ == "__main__":
    sys.exit(main())
