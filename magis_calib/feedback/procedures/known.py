"""The procedures there are, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from magis_calib.domain.errors import ProcedureError
from magis_calib.feedback.procedures import poke, response
from magis_calib.feedback.procedures.asking import Place, Procedure


@dataclass(frozen=True, slots=True)
class Known:
    """One procedure: what it is for, how to begin it, and how many drops it takes."""

    summary: str
    begin: Callable[..., Procedure]
    drops: int
    moves: str = "every actuator of the loop a little to both sides, and back at the end"
    """What moves, for whoever is asked before it begins."""


KNOWN = {
    "response": Known("measure the response matrix of the loop's actuators", response.response, response.DROPS),
    "poke": Known("check every actuator against the matrix in force", poke.poke, poke.DROPS + poke.HARMLESS_DROPS),
}


def begin(name: str, place: Place, options: Mapping[str, Any]) -> tuple[Procedure, int]:
    """Return a procedure and its planned drops. Raises `ProcedureError` for an unknown name or option."""
    if name not in KNOWN:
        raise ProcedureError(f"procedure {name!r}: wanted one of {sorted(KNOWN)}")
    try:
        return KNOWN[name].begin(place, **options), int(options.get("drops", KNOWN[name].drops))
    except (TypeError, ValueError) as error:
        raise ProcedureError(f"procedure {name}: {error}") from error
