"""The controllers of a station: where each is, what it owns, and which of them announces drops."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import Field

from magis_calib.config.fields import Endpoint, Strict
from magis_calib.domain.quantities import ACTUATORS

ControllerName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
TAKEN = frozenset({"application", "camera", "observer", "telemetry"})
"""Names of other peers and sockets: a controller's name is also that of its key."""

OLDER_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "laser": (
        "mirror_tilt_x_rad",
        "mirror_tilt_y_rad",
        "timing_asymmetry_s",
        "final_pulse_phase_rad",
        "pulse_area",
        "detuning_hz",
        "coriolis_rate_x_rad_per_s",
        "coriolis_rate_y_rad_per_s",
        "interrogation_time_s",
    ),
    "drop_system": (
        "trap_x_m",
        "trap_y_m",
        "launch_tilt_x_rad",
        "launch_tilt_y_rad",
        "launch_frequency_hz",
        "focus_m",
    ),
}
"""Who has what, where files from before the table of controllers do not say it."""
OLDER_ANNOUNCER = "drop_system"


class ControllerConfig(Strict):
    """One controller: where it is, and what it owns."""

    endpoint: Endpoint
    parameters: Annotated[tuple[str, ...], Field(min_length=1)]
    announces_drops: bool = False
    """One controller of a station does: a drop's outcome is told to it, too."""


def with_older_names(station: Any) -> Any:
    """Return a station's table with the controllers of older files as the table that they are now.

    Those had an address each in `links`, and a `controller` with each actuator of the loop. Raises
    `ValueError` where both ways are mixed, with what to type instead.
    """
    endpoints, owners = _older(station)
    if not endpoints and not owners:
        return station
    usual = {one: name for name, parameters in OLDER_PARAMETERS.items() for one in parameters}
    owners_of_all = usual | owners
    if "controllers" in station:
        raise ValueError(_replacement(endpoints, owners_of_all))
    for actuator, name in owners.items():
        if name not in endpoints:
            raise ValueError(
                f"links: no address of {name!r}, the controller of loop.actuators.{actuator}; got "
                f"those of {sorted(endpoints)}"
            )
    return _rewritten(station, endpoints, owners_of_all)


def refuse_shared(controllers: Mapping[str, ControllerConfig]) -> None:
    """Raise `ValueError` unless each parameter is known and owned once, and one announces drops."""
    if taken := sorted(TAKEN & controllers.keys()):
        raise ValueError(f"controllers: {taken} name something else: wanted another name")
    owned = [name for one in controllers.values() for name in one.parameters]
    unknown = sorted(set(owned) - set(ACTUATORS))
    if unknown:
        raise ValueError(f"controllers: unknown {unknown}, known are {sorted(ACTUATORS)}")
    twice = sorted({name for name in owned if owned.count(name) > 1})
    if twice:
        raise ValueError(f"controllers: {twice} are named twice: each parameter has one owner")
    announcing = [name for name, one in controllers.items() if one.announces_drops]
    if len(announcing) != 1:
        raise ValueError(
            f"controllers: wanted announces_drops = true with exactly one, got {announcing}"
        )


def _older(station: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what an older file says: addresses by controller, owners by actuator."""
    links = _table(station, "links")
    actuators = _table(_table(station, "loop"), "actuators")
    endpoints = {name: links[name] for name in OLDER_PARAMETERS if name in links}
    owners = {
        name: one["controller"]
        for name, one in actuators.items()
        if isinstance(one, dict) and "controller" in one
    }
    return endpoints, owners


def _table(parent: Any, name: str) -> dict[str, Any]:
    """Return a table within another one; empty where there is none, or something else."""
    found = parent.get(name) if isinstance(parent, dict) else None
    return found if isinstance(found, dict) else {}


def _rewritten(
    station: Mapping[str, Any], endpoints: Mapping[str, Any], owners: Mapping[str, str]
) -> dict[str, Any]:
    """Return the table as it would be written now."""
    controllers = {
        name: {
            "endpoint": endpoint,
            "parameters": _owned(name, owners),
            "announces_drops": name == OLDER_ANNOUNCER,
        }
        for name, endpoint in endpoints.items()
    }
    links, loop = _table(station, "links"), _table(station, "loop")
    actuators = {
        name: _without(one, {"controller"}) for name, one in _table(loop, "actuators").items()
    }
    return {
        **station,
        "controllers": controllers,
        "links": _without(links, set(endpoints)),
        "loop": {**loop, "actuators": actuators},
    }


def _without(table: Any, names: Collection[str]) -> Any:
    if not isinstance(table, dict):
        return table
    return {name: value for name, value in table.items() if name not in names}


def _replacement(endpoints: Mapping[str, Any], owners: Mapping[str, str]) -> str:
    """Return what to leave out of a file that has both ways, and what to type instead."""
    tables = [
        f'[stations.….controllers.{name}]\nendpoint = "{endpoint}"\n'
        f"parameters = {_owned(name, owners)}".replace("'", '"')
        for name, endpoint in endpoints.items()
    ]
    old = [f"links.{name}" for name in endpoints]
    return "\n".join(
        [f"leave out {', '.join([*old, 'controller in loop.actuators'])}: it is now", *tables]
    )


def _owned(name: str, owners: Mapping[str, str]) -> list[str]:
    return [one for one, owner in owners.items() if owner == name]
