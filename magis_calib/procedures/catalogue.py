"""The procedures there are, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from magis_calib.domain.errors import ProcedureError
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.procedures import coriolis as rotation
from magis_calib.procedures import optimise, plan, poke, response, scan
from magis_calib.procedures.protocol import Procedure, StartingPoint


@dataclass(frozen=True, slots=True)
class ProcedureSpec:
    """One procedure: what it is for, how to begin it, and how many drops it takes."""

    summary: str
    begin: Callable[..., Procedure]
    drops: int
    beside_loop: bool = False
    """It runs beside the closed loop."""
    moves: str = "every actuator of the loop a little to both sides, and back at the end"
    """What moves, for whoever is asked before it begins."""


def _scan(name: str) -> ProcedureSpec:
    one = scan.SCANS[name]
    moves = f"{ACTUATORS[one.actuator].label} over a range, and back at the end"
    return ProcedureSpec(
        one.summary, partial(scan.scan, name=name), scan.POINTS * scan.DROPS_EACH, moves=moves
    )


KNOWN = {
    "calibrate": ProcedureSpec(
        "walk through the run plan, to a certificate",
        plan.calibrate,
        0,
        moves="every actuator, as the plan says; what good steps find is kept",
    ),
    "response": ProcedureSpec(
        "measure the response matrix of the loop's actuators", response.response, response.DROPS
    ),
    "poke": ProcedureSpec(
        "check every actuator against the matrix in force",
        poke.poke,
        poke.DROPS + poke.HARMLESS_DROPS,
    ),
    "optimise": ProcedureSpec(
        "hold the contrast at its best beside the loop",
        optimise.optimise,
        optimise.DROPS,
        beside_loop=True,
        moves="the pulse area a little to both sides of the best, which it stays at",
    ),
    **{f"scan_{name}": _scan(name) for name in scan.SCANS},
    "scan_coriolis": ProcedureSpec(
        "find the rotation compensation, at two interrogation times",
        rotation.coriolis,
        rotation.DROPS,
        moves="interrogation time and Coriolis rate y, and back at the end",
    ),
}


def begin(name: str, place: StartingPoint, options: Mapping[str, Any]) -> tuple[Procedure, int]:
    """Return a procedure and its planned drops.

    Raises `ProcedureError` for an unknown name or option.
    """
    if name not in KNOWN:
        raise ProcedureError(f"procedure {name!r}: wanted one of {sorted(KNOWN)}")
    try:
        return KNOWN[name].begin(place, **options), _planned(name, options)
    except (TypeError, ValueError) as error:
        raise ProcedureError(f"procedure {name}: {error}") from error


def _planned(name: str, options: Mapping[str, Any]) -> int:
    """Return the drops it takes, as far as its options tell."""
    if name == "calibrate":
        return plan.planned_drops(
            options.get("plan") or plan.default_plan(), options.get("done", ())
        )
    if "drops_each" in options:
        points = (
            2 * rotation.POINTS if name == "scan_coriolis" else options.get("points", scan.POINTS)
        )
        return int(points * options["drops_each"])
    return int(options.get("drops", KNOWN[name].drops))
