"""Whether the controllers are as configured, stand where they were sent, and are ready."""

from __future__ import annotations

from collections.abc import Mapping

from magis_calib.config.station import Station
from magis_calib.domain.control import ParameterFacts, Setpoints
from magis_calib.domain.quantities import ACTUATORS

Status = Mapping[str, str | int | float | bool]


def disagreements(
    facts: Mapping[str, ParameterFacts], owners: Mapping[str, str], station: Station
) -> str:
    """Say where a controller describes a parameter otherwise than the configuration has it.

    `owners`: the controller that described each. Empty where they agree.
    """
    words = []
    for name, own in station.loop.actuators.items():
        told = facts.get(name)
        if told is None:
            words.append(f"no controller describes {name}")
            continue
        if owners[name] != station.owners[name]:
            words.append(f"{name}: described by {owners[name]}, wanted {station.owners[name]}")
        if told.unit != ACTUATORS[name].unit:
            words.append(f"{name}: unit {told.unit!r}, wanted {ACTUATORS[name].unit!r}")
        if told.direction != own.direction:
            words.append(f"{name}: direction {told.direction:+d}, wanted {own.direction:+d}")
        if not (told.minimum <= own.minimum and own.maximum <= told.maximum):
            words.append(
                f"{name}: range [{told.minimum:g}, {told.maximum:g}], wanted it to hold the loop's "
                f"[{own.minimum:g}, {own.maximum:g}] {told.unit}"
            )
    return f"a controller disagrees with the configuration: {'; '.join(words)}" if words else ""


def strayed(
    setpoints: Setpoints, readback: Setpoints, facts: Mapping[str, ParameterFacts]
) -> dict[str, str]:
    """Return the actuators whose read-back is off by more than their tolerance, each in words."""
    found = {}
    for name, value in setpoints.items():
        got = readback.get(name)
        if name not in facts:
            found[name] = f"no controller describes {name}"
            continue
        within = facts[name].readback_tolerance
        if got is None or not abs(got - value) <= within:
            shown = ACTUATORS[name]
            there = "nothing" if got is None else shown.shown(got, within)
            wanted = (
                f"{shown.shown(value, within)} ± {shown.shown(within, within)} {shown.shown_unit}"
            ).rstrip()
            found[name] = f"{shown.label} reads {there}, wanted {wanted}"
    return found


def elsewhere(station: Station, readback: Setpoints, facts: Mapping[str, ParameterFacts]) -> str:
    """Say where the station stands elsewhere than where its matrix was made."""
    words = []
    for name, value in station.made_at.get(station.loop.matrix, {}).items():
        got = readback.get(name)
        shown = ACTUATORS[name]
        if got is None or not abs(got - value) <= facts[name].readback_tolerance:
            there = "is not told" if got is None else f"reads {shown.shown(got)}"
            words.append(
                f"{shown.label} {there}, wanted {shown.shown(value)} {shown.shown_unit}".rstrip()
            )
    named = f"matrix {station.loop.matrix!r} is of another operating point: {'; '.join(words)}"
    return f"{named}; go back there, or measure the response here" if words else ""


def not_ready(statuses: Mapping[str, Status]) -> str:
    """Say which controller is busy with something else or has lost its lock."""
    words = [
        f"{name.replace('_', ' ')}: {status['state']}"
        for name, status in statuses.items()
        if status.get("state", "ready") != "ready"
    ]
    words += [
        f"{name.replace('_', ' ')} is not locked"
        for name, status in statuses.items()
        if status.get("locked", True) is not True
    ]
    return "; ".join(words)
