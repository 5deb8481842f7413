"""The setpoints of one controller: what is refused, what is read back, and what is in force for which drop."""

from __future__ import annotations

import math
from collections.abc import Mapping

from magis_calib.domain.control import Setpoints
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.link.control_messages import ParameterMessage, Refusal
from simulators.plant_file import ActuatorNumbers

ROUNDING = 1e-9
"""Relative room for the rounding of a difference of two setpoints."""


class ParameterBank:
    """Absolute setpoints with their limits. A write becomes in force for one drop and all later ones."""

    def __init__(self, numbers: Mapping[str, ActuatorNumbers], start: Setpoints) -> None:
        self._numbers = dict(numbers)
        self._start = {name: start[name] for name in numbers}
        self.writes = 0
        """Writes that were done."""
        self.limit_violations = 0
        """Setpoints asked for outside their range or step limit."""
        self.power_cycle()

    def power_cycle(self) -> None:
        """Go back to the setpoints of the start; what was not yet in force is forgotten. The counts go on."""
        self._commanded = dict(self._start)
        self._in_force = dict(self._start)
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

    def judge(self, setpoints: Setpoints) -> Refusal | None:
        """Return why these setpoints are not accepted, None when all are, and count every violation of a limit."""
        refusals = [refusal for name, value in setpoints.items() if (refusal := self._judge_one(name, value))]
        self.limit_violations += sum(refusal.code in {"limit", "step"} for refusal in refusals)
        return refusals[0] if refusals else None

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

    def _judge_one(self, name: str, value: float) -> Refusal | None:
        one = self._numbers.get(name)
        if one is None:
            return _refusal(
                "unknown_name", name, value, f"no parameter of this name, known are {sorted(self._numbers)}"
            )
        if not math.isfinite(value):
            return _refusal("not_finite", name, value, "not a finite number")
        if not one.minimum <= value <= one.maximum:
            return _refusal("limit", name, value, f"outside its range [{one.minimum:g}, {one.maximum:g}]")
        step = value - self._commanded[name]
        if abs(step) > one.step_limit * (1.0 + ROUNDING) + ROUNDING * abs(value):
            return _refusal("step", name, value, f"a step of {step:g}, more than the limit of {one.step_limit:g}")
        return None


def _refusal(code: str, name: str, value: float, why: str) -> Refusal:
    return Refusal.model_validate(
        {"code": code, "message": f"{name} = {value:.10g}: {why}", "name": name, "value": repr(float(value))}
    )
