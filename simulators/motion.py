"""Where the actuators really are, which their read-back need not tell."""

from __future__ import annotations

from collections.abc import Mapping

from magis_calib.domain.control import Setpoints


class TrueMotion:
    """Every actuator stands where it was told to, except while a fault has hold of it."""

    def __init__(self, start: Setpoints) -> None:
        self._told = dict(start)
        self._stands = dict(start)

    def move(self, setpoints: Setpoints, factors: Mapping[str, float]) -> dict[str, float]:
        """Move by `factors` times the change of the setpoints, absolutely where there is no factor; return the places.

        The setpoints are those in force, one call for each drop.
        """
        for name, told in setpoints.items():
            if name in factors:
                self._stands[name] += factors[name] * (told - self._told[name])
            else:
                self._stands[name] = told
        self._told = dict(setpoints)
        return dict(self._stands)
