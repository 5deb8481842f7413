"""What the operator changes of the loop in a run: judged, in force at once, told in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from magis_calib.config.fields import Strict
from magis_calib.config.station import Station
from magis_calib.domain.control import Gain, Limits, ParameterFacts, Setpoints, gain_in_words
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, Quantity
from magis_calib.feedback.loop import Loop
from magis_calib.feedback.target_range import out_of_reach
from magis_calib.state.answer import Refusal
from magis_calib.state.commands import SetGain, SetLimits, SetTarget

LIMIT_WORDS = {
    "minimum": "minimum",
    "maximum": "maximum",
    "step_cap": "step cap",
    "excursion": "excursion",
}


def tuned(
    command: SetTarget | SetGain | SetLimits,
    loop: Loop,
    commanded: Setpoints,
    facts: Mapping[str, ParameterFacts],
) -> str:
    """Do what was asked, or nothing.

    Return in words what is in force now, or what was wanted and what was got.
    """
    match command:
        case SetTarget(name, value):
            return _aim(name, value, loop, commanded, facts)
        case SetGain(name, gain):
            return _regain(name, gain, loop)
        case SetLimits(name, limits):
            return _limit(name, limits, loop, commanded, facts)


def station_in_force(station: Station, loop: Loop) -> Station:
    """Return the station with the targets, gains and limits in force."""
    observables = {
        name: one.model_copy(update={"target": loop.targets[name]})
        for name, one in loop.config.observables.items()
    }
    return station.model_copy(
        update={"loop": loop.config.model_copy(update={"observables": observables})}
    )


def limits_in_words(shown: Quantity, before: Limits, after: Limits) -> str:
    """Write which limits of an actuator change, from what to what."""
    return ", ".join(
        _limit_in_words(shown, label, getattr(before, name), getattr(after, name))
        for name, label in LIMIT_WORDS.items()
        if getattr(before, name) != getattr(after, name)
    )


def _limit_in_words(shown: Quantity, label: str, was: float | str, now: float | str) -> str:
    change = f"{_written(shown, was)} → {_written(shown, now)}"
    return f"{label} {change} {shown.shown_unit}".rstrip()


def _aim(
    name: str, value: float, loop: Loop, commanded: Setpoints, facts: Mapping[str, ParameterFacts]
) -> str:
    refusal = _unknown(name, OBSERVABLES) or out_of_reach(name, value, loop, commanded, facts)
    if refusal:
        return Refusal(f"target not set: {refusal}")
    before = loop.targets[name]
    shown = OBSERVABLES[name]
    loop.targets[name] = value
    return (
        f"target of {shown.label} {shown.shown(before)} → {shown.shown(value)} {shown.shown_unit}"
    )


def _regain(name: str, gain: Gain, loop: Loop) -> str:
    refusal = _unknown(name, OBSERVABLES) or _invalid(loop.config.observables[name], {"gain": gain})
    if refusal:
        return Refusal(f"gain not set: {refusal}")
    before = loop.config.observables[name].gain
    loop.adjust({**loop.gains, name: gain}, loop.limits)
    return f"gain of {OBSERVABLES[name].label} {gain_in_words(before)} → {gain_in_words(gain)}"


def _limit(
    name: str, limits: Limits, loop: Loop, commanded: Setpoints, facts: Mapping[str, ParameterFacts]
) -> str:
    actuators = loop.config.actuators
    refusal = _unknown(name, actuators) or _invalid(actuators[name], limits.table())
    refusal = refusal or _cannot_be(limits, ACTUATORS[name], commanded.get(name), facts.get(name))
    if refusal:
        return Refusal(f"limits not set: {refusal}")
    before = Limits.of(actuators[name])
    loop.adjust(loop.gains, {**loop.limits, name: limits})
    shown = ACTUATORS[name]
    return f"limits of {shown.label}: {limits_in_words(shown, before, limits) or 'as they were'}"


def _cannot_be(
    limits: Limits, shown: Quantity, stands: float | None, device: ParameterFacts | None
) -> str:
    """Say why these limits cannot be in force now, at this setpoint and with this controller."""
    asked = f"[{shown.shown(limits.minimum)}, {shown.shown(limits.maximum)}]"
    unit = f" {shown.shown_unit}".rstrip()
    if device is None or stands is None:
        return f"{shown.label}: its controller has not described it yet"
    if not limits.minimum < limits.maximum:
        return f"{shown.label}: wanted minimum < maximum, got {asked}{unit}"
    if not device.minimum <= limits.minimum <= limits.maximum <= device.maximum:
        return (
            f"{shown.label}: wanted within the controller's [{shown.shown(device.minimum)}, "
            f"{shown.shown(device.maximum)}], got {asked}{unit}"
        )
    near = device.readback_tolerance
    if not limits.minimum - near <= stands <= limits.maximum + near:
        return (
            f"{shown.label} stands at {shown.shown(stands)}: wanted limits that hold it, got "
            f"{asked}{unit}"
        )
    if limits.step_cap > device.step_limit:
        return (
            f"{shown.label}: wanted a step cap of at most the controller's "
            f"{shown.shown(device.step_limit)}, got "
            f"{shown.shown(limits.step_cap)}{unit}"
        )
    return ""


def _unknown(name: str, known: Mapping[str, Any]) -> str:
    return "" if name in known else f"wanted one of {', '.join(known)}, got {name!r}"


def _invalid(table: Strict, changes: Mapping[str, object]) -> str:
    """Say what the configuration would not accept; empty where it would."""
    try:
        type(table).model_validate({**table.model_dump(), **changes})
    except ValidationError as error:
        return "; ".join(map(_explain, error.errors()))
    return ""


def _explain(item: Any) -> str:
    message = item["msg"].removeprefix("Value error, ")
    got = "" if item["type"] == "value_error" else f", got {item['input']!r}"
    where = f"{item['loc'][0]}: " if item["loc"] else ""
    return f"{where}{message}{got}"


def _written(shown: Quantity, value: float | str) -> str:
    return value if isinstance(value, str) else shown.shown(value)
