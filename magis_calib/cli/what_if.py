"""What `replay --what-if` prints, writes and draws."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from magis_calib.config.station import Station
from magis_calib.domain.errors import ConfigError
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES
from magis_calib.domain.serial import to_json
from magis_calib.figures.what_if import draw
from magis_calib.host.files import replace_text
from magis_calib.recording.reader import Session
from magis_calib.replay.changes import changed, read_changes
from magis_calib.replay.player import recorded_station
from magis_calib.replay.spreads import held_in_words, motions, spreads
from magis_calib.replay.what_if import Otherwise, what_if


def answer(session: Session, file: Path, plot: Path | None, numbers: Path | None) -> int:
    """Predict, print the table, write what is asked for.

    Exit 1 where the recorded gains do not give what happened.
    """
    recorded = recorded_station(session)[1]
    changes = read_changes(file)
    station = changed(recorded, changes, file)
    drops = list(what_if(recorded, station, changes, session.records, session.restarts))
    if not drops:
        print("no drop of this session has known setpoints: nothing to predict")
        return 1
    print(table(drops, recorded))
    differs = next((words for one in drops if (words := one.difference())), "")
    print(
        f"first difference from what happened: {differs}"
        if differs
        else "reproduces what happened exactly"
    )
    try:
        if numbers is not None:
            replace_text(numbers, to_json(_numbers(session, drops, recorded, differs)) + "\n")
        if plot is not None:
            draw(drops, recorded, f"{session.path.absolute().name}: what if {file.name}").savefig(
                plot, dpi=110
            )
    except (OSError, ValueError) as error:
        raise ConfigError(f"{plot or numbers}: cannot be written: {error}") from error
    same = (
        station.loop == recorded.loop
        and station.response().tolist() == recorded.response().tolist()
    )
    return int(bool(differs) and same and all(map(changes.leave, session.records)))


def table(drops: Sequence[Otherwise], station: Station) -> str:
    """Return observables and setpoints as a table for people."""
    lines = [
        f"{len(drops)} drops",
        f"{'about target':16}{'happened: mean':>16}{'deviation':>12}"
        f"{'predicted: mean':>18}{'deviation':>12}  unit",
    ]
    for one in spreads(drops):
        shown = OBSERVABLES[one.name]
        mean, deviation = shown.shown(one.happened.mean), shown.shown(one.happened.deviation)
        lines.append(
            f"{shown.label:16}{mean:>16}{deviation:>12}{shown.shown(one.predicted.mean):>18}"
            f"{shown.shown(one.predicted.deviation):>12}  {shown.shown_unit}"
        )
    lines.append(f"{'motion a drop':22}{'happened: rms':>22}{'predicted: rms':>30}  unit")
    for moved in motions(drops, list(station.loop.actuators)):
        shown = ACTUATORS[moved.name]
        lines.append(
            f"{shown.label:22}{shown.shown(moved.happened):>22}{shown.shown(moved.predicted):>30}"
            f"  {shown.shown_unit}"
        )
    held = held_in_words(drops)
    return "\n".join([*lines, held] if held else lines)


def _numbers(
    session: Session, drops: Sequence[Otherwise], station: Station, differs: str
) -> dict[str, object]:
    return {
        "schema": 1,
        "session": str(session.path.absolute()),
        "exact": not differs,
        "first_difference": differs,
        "observables": spreads(drops),
        "motions": motions(drops, list(station.loop.actuators)),
        "drops": [
            {
                "drop_id": one.record.drop_id,
                "held": one.hold,
                "happened": {
                    "setpoints": one.record.in_force,
                    "values": one.record.estimate.values,
                },
                "predicted": {"setpoints": one.in_force, "values": one.estimate.values},
            }
            for one in drops
        ],
    }
