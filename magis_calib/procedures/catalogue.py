"""The procedures there are: a new one is a module with its `SPEC`, and a line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from magis_calib.domain.errors import ProcedureError
from magis_calib.procedures import coriolis, optimise, plan, poke, response, scan
from magis_calib.procedures.protocol import Procedure, ProcedureSpec, StartingPoint

KNOWN: dict[str, ProcedureSpec] = {
    spec.name: spec
    for spec in (
        plan.SPEC,
        response.SPEC,
        poke.SPEC,
        optimise.SPEC,
        *scan.SPECS,
        coriolis.SPEC,
    )
}


def begin(name: str, place: StartingPoint, options: Mapping[str, Any]) -> tuple[Procedure, int]:
    """Return a procedure and its planned drops.

    Raises `ProcedureError` for an unknown name or option.
    """
    if name not in KNOWN:
        raise ProcedureError(f"procedure {name!r}: wanted one of {sorted(KNOWN)}")
    spec = KNOWN[name]
    try:
        return spec.begin(place, **options), spec.planned(options)
    except (TypeError, ValueError) as error:
        raise ProcedureError(f"procedure {name}: {error}") from error
