"""What `replay --what-if` prints, writes and draws."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from magis_calib.cli.replay_run import recorded_station
from magis_calib.domain.config import Station
from magis_calib.domain.errors import ConfigError
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, Quantity, wrap_error
from magis_calib.recording.reader import Session
from magis_calib.recording.serial import to_json
from magis_calib.replay.changes import changed, read_changes
from magis_calib.replay.tally import held_in_words, motions, spreads
from magis_calib.replay.what_if import Otherwise, what_if


def answer(session: Session, file: Path, plot: Path | None, numbers: Path | None) -> int:
    """Predict, print the table, write what is asked for; exit 1 where the recorded gains do not give what happened."""
    recorded = recorded_station(session)[1]
    changes = read_changes(file)
    station = changed(recorded, changes, file)
    drops = list(what_if(recorded, station, changes, session.records, session.restarts))
    if not drops:
        print("no drop of this session has known setpoints: nothing to predict")
        return 1
    print(table(drops, recorded))
    differs = next((words for one in drops if (words := one.difference())), "")
    print(f"first difference from what happened: {differs}" if differs else "reproduces what happened exactly")
    try:
        if numbers is not None:
            numbers.write_text(to_json(_numbers(session, drops, recorded, differs)) + "\n", encoding="utf-8")
        if plot is not None:
            draw(drops, recorded, f"{session.path.absolute().name}: what if {file.name}").savefig(plot, dpi=110)
    except (OSError, ValueError) as error:
        raise ConfigError(f"{plot or numbers}: cannot be written: {error}") from error
    same = station.loop == recorded.loop and station.response().tolist() == recorded.response().tolist()
    return int(bool(differs) and same and all(map(changes.leave, session.records)))


def table(drops: Sequence[Otherwise], station: Station) -> str:
    """Return observables and setpoints as a table for people."""
    lines = [f"{len(drops)} drops", f"{'about target':16}{'happened: mean':>16}{'deviation':>12}"
             f"{'predicted: mean':>18}{'deviation':>12}  unit"]  # fmt: skip
    for one in spreads(drops):
        shown = OBSERVABLES[one.name]
        mean, deviation = shown.shown(one.happened.mean), shown.shown(one.happened.deviation)
        lines.append(f"{shown.label:16}{mean:>16}{deviation:>12}{shown.shown(one.predicted.mean):>18}"
                     f"{shown.shown(one.predicted.deviation):>12}  {shown.shown_unit}")  # fmt: skip
    lines.append(f"{'motion a drop':22}{'happened: rms':>22}{'predicted: rms':>30}  unit")
    for moved in motions(drops, list(station.loop.actuators)):
        shown = ACTUATORS[moved.name]
        lines.append(f"{shown.label:22}{shown.shown(moved.happened):>22}{shown.shown(moved.predicted):>30}"
                     f"  {shown.shown_unit}")  # fmt: skip
    held = held_in_words(drops)
    return "\n".join([*lines, held] if held else lines)


def draw(drops: Sequence[Otherwise], station: Station, title: str) -> Figure:
    """Draw observables and setpoints, predicted over what happened."""
    actuators = list(station.loop.actuators)
    figure = Figure(figsize=(12, 2.1 * len(OBSERVABLES)), layout="constrained")
    figure.suptitle(title)
    cells = figure.subplots(max(len(OBSERVABLES), len(actuators)), 2, squeeze=False, sharex=True)
    for axes, (name, shown) in zip(cells[:, 0], OBSERVABLES.items(), strict=False):
        _curves(axes, shown, drops, _around_target(name, False), _around_target(name, True))
        axes.axhline(drops[-1].targets[name] * shown.shown_scale, color="0.5", linewidth=0.8)
    for axes, name in zip(cells[:, 1], actuators, strict=False):
        _curves(axes, ACTUATORS[name], drops, _setpoint(name, False), _setpoint(name, True))
    for axes in cells[-1]:
        axes.set_xlabel("drop")
    cells[0, 0].legend(loc="upper right")
    return figure


def _curves(
    axes: Axes, shown: Quantity, drops: Sequence[Otherwise],
    happened: Callable[[Otherwise], float], predicted: Callable[[Otherwise], float],
) -> None:  # fmt: skip
    at = [one.record.drop_id for one in drops]
    for label, values, colour in (("happened", happened, "0.6"), ("predicted", predicted, "C0")):
        axes.plot(at, [values(one) * shown.shown_scale for one in drops], label=label, linewidth=1.0, color=colour)
    axes.set_ylabel(f"{shown.label} ({shown.shown_unit})" if shown.shown_unit else shown.label)


def _setpoint(name: str, predicted: bool) -> Callable[[Otherwise], float]:
    """Return what reads a setpoint off a drop."""
    return lambda one: (one.in_force if predicted else one.record.in_force)[name]


def _around_target(name: str, predicted: bool) -> Callable[[Otherwise], float]:
    """Return what reads an observable off a drop; a phase is shown on its target's turn."""

    def value(one: Otherwise) -> float:
        estimate, target = one.estimate if predicted else one.record.estimate, one.targets[name]
        found = estimate.values[name]
        return target + wrap_error(name, found - target) if found == found else found

    return value


def _numbers(session: Session, drops: Sequence[Otherwise], station: Station, differs: str) -> dict[str, object]:
    return {
        "schema": 1,
        "session": str(session.path.absolute()),
        "exact": not differs,
        "first_difference": differs,
        "observables": spreads(drops),
        "motions": motions(drops, list(station.loop.actuators)),
        "drops": [
            {"drop_id": one.record.drop_id, "held": one.hold, "happened": {"setpoints": one.record.in_force,
             "values": one.record.estimate.values}, "predicted": {"setpoints": one.in_force,
             "values": one.estimate.values}}
            for one in drops
        ],
    }  # fmt: skip
