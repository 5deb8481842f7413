"""The setpoints of one controller: refused, read back, in force for which drop."""

from __future__ import annotations

import math
from collections.abc import Mapping

from magis_calib.domain.control import Setpoints
from magis_calib.domain.limits import BrokenLimit, broken_limit
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.link.control_messages import ParameterMessage, Refusal
from simulators.instrument.numbers import ActuatorNumbers


class ParameterBank:
    """Absolute setpoints with their limits.

    A write becomes in force for one drop and all later ones.
    """

    def __init__(self, numbers: Mapping[str, ActuatorNumbers], start: Setpoints) -> None:
        self._numbers = dict(numbers)
        self._start = {name: start[name] for name in numbers}
        self.writes = 0
        """Writes that were done."""
        self.limit_violations = 0
        """Setpoints asked for outside their range or step limit."""
        self.power_cycle()

    def power_cycle(self, otherwise: Setpoints | None = None) -> None:
        """Go back to the setpoints of the start, or to others.

        What was not yet in force is forgotten. Counts go on.
        """
        self._commanded = self._start | {
            name: one for name, one in (otherwise or {}).items() if name in self._start
        }
        self._in_force = dict(self._commanded)
        self._pending: list[tuple[int, dict[str, float]]] = []

    def describe(self) -> dict[str, ParameterMessage]:
        """Return what the controller says about each parameter."""
        return {
            name: ParameterMessage(
                unit=ACTUATORS[name].unit,
                minimum=one.minimum,
                maximum=one.maximum,
                step_limit=one.step_limit,
                direction=1,
                resolution=one.resolution,
                readback_tolerance=2.0 * one.resolution,
                settle_time_s=one.settle_time_s,
            )
            for name, one in self._numbers.items()
        }

    def readback(self) -> dict[str, float]:
        """Return the commanded setpoints as the instrument resolves them."""
        return {
            name: round(value / self._numbers[name].resolution) * self._numbers[name].resolution
            for name, value in self._commanded.items()
        }

    def refusal(self, setpoints: Setpoints) -> Refusal | None:
        """Return why these are not accepted, None when all are; count every broken limit."""
        found = [
            broken_limit(name, value, self._numbers, self._commanded.get(name, math.nan))
            for name, value in setpoints.items()
        ]
        broken = [one for one in found if one is not None]
        self.limit_violations += sum(one.code in {"limit", "step"} for one in broken)
        return _refusal(broken[0]) if broken else None

    def write(self, setpoints: Setpoints, effective_drop: int) -> None:
        """Command these setpoints; they are in force from this drop on."""
        self.writes += 1
        self._commanded |= setpoints
        self._pending.append((effective_drop, dict(setpoints)))

    def latch(self, drop_id: int) -> dict[str, float]:
        """Return the setpoints in force for this drop. Drops are latched in rising order."""
        due = [setpoints for effective, setpoints in self._pending if effective <= drop_id]
        self._pending = [one for one in self._pending if one[0] > drop_id]
        for setpoints in due:
            self._in_force |= setpoints
        return dict(self._in_force)


def _refusal(broken: BrokenLimit) -> Refusal:
    return Refusal(
        code=broken.code, message=str(broken), name=broken.name, value=repr(float(broken.value))
    )
