"""Position first, then wavevector, then phase: what comes later depends on what was before."""

from __future__ import annotations

from collections.abc import Mapping

from magis_calib.config.loop import LoopConfig
from magis_calib.domain.quantities import CLOSING_ORDER, OBSERVABLES


class StageOrder:
    """Closes each stage when those before are within tolerance; a closed one stays closed."""

    def __init__(self, loop: LoopConfig) -> None:
        """Begin with the first stage closed."""
        self._tolerance = {name: one.tolerance for name, one in loop.observables.items()}
        self._closed = 1

    def not_yet(self, errors: Mapping[str, float]) -> dict[str, str]:
        """Return the observables of stages still open, with the reason, by their errors."""
        while self._closed < len(CLOSING_ORDER) and not self._away(errors, self._closed):
            self._closed += 1
        if self._closed == len(CLOSING_ORDER):
            return {}
        reason = f"waits until {', '.join(self._away(errors, self._closed))} is within tolerance"
        return {
            name: reason
            for stage in CLOSING_ORDER[self._closed :]
            for name in stage
            if name in errors
        }

    def _away(self, errors: Mapping[str, float], stages: int) -> list[str]:
        """Return labels of the observables of the first stages that are out of tolerance."""
        names = [name for stage in CLOSING_ORDER[:stages] for name in stage if name in errors]
        return [
            OBSERVABLES[name].label for name in names if abs(errors[name]) > self._tolerance[name]
        ]
