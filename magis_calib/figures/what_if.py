"""What a what-if predicts, drawn beside what happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from magis_calib.config.station import Station
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, Quantity, wrap_error
from magis_calib.replay.what_if import Otherwise


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
    axes: Axes,
    shown: Quantity,
    drops: Sequence[Otherwise],
    happened: Callable[[Otherwise], float],
    predicted: Callable[[Otherwise], float],
) -> None:
    at = [one.record.drop_id for one in drops]
    for label, values, colour in (("happened", happened, "0.6"), ("predicted", predicted, "C0")):
        axes.plot(
            at,
            [values(one) * shown.shown_scale for one in drops],
            label=label,
            linewidth=1.0,
            color=colour,
        )
    axes.set_ylabel(f"{shown.label} ({shown.shown_unit})" if shown.shown_unit else shown.label)


def _setpoint(name: str, predicted: bool) -> Callable[[Otherwise], float]:
    """Return what reads a setpoint off a drop."""
    return lambda one: (one.in_force if predicted else one.record.in_force)[name]


def _around_target(name: str, predicted: bool) -> Callable[[Otherwise], float]:
    """Return what reads an observable off a drop; a phase is shown on its target's turn."""

    def value(one: Otherwise) -> float:
        estimate = one.estimate if predicted else one.record.estimate
        target = one.targets[name]
        found = estimate.values[name]
        return target + wrap_error(name, found - target) if found == found else found

    return value
