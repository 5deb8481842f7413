"""The procedures there are, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from magis_calib.domain.errors import ProcedureError
from magis_calib.feedback.procedures import optimise, plan, poke, response, rotation, scan
from magis_calib.feedback.procedures.asking import Place, Procedure


@dataclass(frozen=True, slots=True)
class Known:
    """One procedure: what it is for, how to begin it, and how many drops it takes."""

    summary: str
    begin: Callable[..., Procedure]
    drops: int
    beside_loop: bool = False
    """It runs beside the closed loop."""


KNOWN = {
    "response": Known("measure the response matrix of the loop's actuators", response.response, response.DROPS),
    "scan": Known("step one actuator over a range and find its best place", scan.scan, scan.POINTS * scan.DROPS_EACH),
    "calibrate": Known(
        "the whole run plan, to a certificate", plan.calibrate, plan.planned_drops(plan.default_plan(), ())
    ),
    "coriolis": Known("find the rotation compensation, at two interrogation times", rotation.coriolis, rotation.DROPS),
    "optimise": Known("hold the contrast at its best beside the loop", optimise.optimise, optimise.DROPS, True),
    "poke": Known("check every actuator against the matrix in force", poke.poke, poke.DROPS + poke.HARMLESS_DROPS),
}


def begin(name: str, place: Place, options: Mapping[str, Any]) -> tuple[Procedure, int]:
    """Return a procedure and its planned drops. Raises `ProcedureError` for an unknown name or option."""
    if name not in KNOWN:
        raise ProcedureError(f"procedure {name!r}: wanted one of {sorted(KNOWN)}")
    try:
        return KNOWN[name].begin(place, **options), _planned(name, options)
    except (TypeError, ValueError) as error:
        raise ProcedureError(f"procedure {name}: {error}") from error


def _planned(name: str, options: Mapping[str, Any]) -> int:
    """Return the drops it takes, as far as its options tell."""
    if name == "calibrate":
        return plan.planned_drops(options.get("plan") or plan.default_plan(), options.get("done", ()))
    if "points" in options or "drops_each" in options:
        return int(options.get("points", scan.POINTS) * options.get("drops_each", scan.DROPS_EACH))
    return int(options.get("drops", KNOWN[name].drops))
