"""Blindness: views and observables that tell nothing, drop after drop."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from magis_calib.domain.camera import VIEWS
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import OBSERVABLES

BLIND_AFTER = 3
"""Drops in a row without a word are no chance."""


@dataclass(frozen=True, slots=True)
class Silence:
    """How long one of them has told nothing."""

    drops: int
    """In a row."""
    why: str


@dataclass(frozen=True, slots=True)
class Untold:
    """What told nothing of the interferometer drops so far. Replaced with each drop."""

    views: Mapping[str, int] = field(default_factory=lambda: dict.fromkeys(VIEWS, 0))
    """Drops of which each view told nothing."""
    silences: Mapping[str, Silence] = field(default_factory=dict)
    """Of views ("view x") and observables, those that told nothing of the newest drop."""
    told: frozenset[str] = frozenset()
    """Observables that were ever told: of others nobody expects a word."""

    def with_drop(self, record: DropRecord) -> Untold:
        """Return it with one more drop."""
        if not record.complete or record.sequence_type != "interferometer":
            return self
        silent = _silent_views(record)
        views = {view: count + (view in silent) for view, count in self.views.items()}
        named = {f"view {view}": why for view, why in silent.items()}
        if not silent:
            named |= self._silent_observables(record)
        told = {name for name in OBSERVABLES if math.isfinite(record.estimate.values[name])}
        return Untold(views, self._longer(named), self.told | told)

    def blind(self) -> dict[str, str]:
        """Return what has told nothing for too long, by what is blind, in words."""
        return {
            name: f"{name} has told nothing for {one.drops} drops: {one.why}"
            for name, one in self.silences.items()
            if one.drops >= BLIND_AFTER
        }

    def _silent_observables(self, record: DropRecord) -> dict[str, str]:
        """Return the observables that are not told any more though both views tell something."""
        estimate = record.estimate
        why = "; ".join(estimate.reasons) or "no view measures it"
        missing = (name for name in OBSERVABLES if not math.isfinite(estimate.values[name]))
        return {OBSERVABLES[name].label: why for name in missing if name in self.told}

    def _longer(self, silent: Mapping[str, str]) -> dict[str, Silence]:
        before = {name: one.drops for name, one in self.silences.items()}
        return {name: Silence(before.get(name, 0) + 1, why) for name, why in silent.items()}


def _silent_views(record: DropRecord) -> dict[str, str]:
    """Return the views that tell nothing of a drop, with the reason."""
    estimate = record.estimate
    silent: dict[str, str] = {}
    for view in VIEWS:
        doubt = record.doubts.get(f"view {view}", record.doubts.get("drop"))
        if doubt is not None:
            silent[view] = doubt
            continue
        found = estimate.views.get(view)
        if found is None or not found.usable:
            own = found.reasons if found is not None else estimate.reasons
            silent[view] = "; ".join(own) or "no estimate"
    return silent
