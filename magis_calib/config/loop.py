"""The loop's part of the configuration: targets, gains, ranges, demands on a matrix."""

from __future__ import annotations

from typing import Any, Literal, Self

import numpy as np
from pydantic import field_validator, model_validator

from magis_calib.config.fields import Finite, Positive, Strict, same_names
from magis_calib.domain.estimate import Array
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES

GAIN_ABOVE, GAIN_BELOW = 0.0, 2.0
"""A fixed gain lies between: at the ends a loop does nothing, or no longer settles."""
LEAST_STRENGTH_RATIO = 0.1
"""Smallest over largest singular value of a scaled response matrix that may be used."""


class ObservableConfig(Strict):
    """How one observable is controlled; all but the gain, a ratio, in its own unit (SI)."""

    target: Finite
    reference: Finite
    tolerance: Positive
    gain: float | Literal["auto"] = "auto"
    """Share of an innovation that is believed; "auto" learns it from drift and noise."""
    noise: Positive
    actuator: str

    @field_validator("gain", mode="before")
    @classmethod
    def _stable(cls, gain: object) -> object:
        number = isinstance(gain, (int, float)) and not isinstance(gain, bool)
        if gain == "auto" or (number and GAIN_ABOVE < gain < GAIN_BELOW):  # type: ignore[operator]
            return gain
        raise ValueError(
            f'wanted "auto" or a number greater than {GAIN_ABOVE:g} and less than {GAIN_BELOW:g}, '
            f"got {gain!r}"
        )


class ActuatorConfig(Strict):
    """What the loop may do with one actuator, in its own unit (SI)."""

    nominal: Finite
    minimum: Finite
    maximum: Finite
    step_cap: Positive
    direction: Literal[1, -1] = 1
    """Sign of the motion for a rising setpoint when the matrix was made.

    The controller must say the same.
    """
    excursion: Positive | Literal["range"] = "range"
    """Largest distance from the point that the operator approved last; "range": the range is the
    only limit.
    """

    @model_validator(mode="after")
    def _range_holds_nominal(self) -> Self:
        if not self.minimum <= self.nominal <= self.maximum:
            raise ValueError(
                f"nominal {self.nominal:g} must lie in [minimum, maximum] = "
                f"[{self.minimum:g}, {self.maximum:g}]"
            )
        return self


class LoopConfig(Strict):
    """Targets, gains, ranges and the matrix in force."""

    matrix: str = "nominal"
    start: Literal["closed", "open", "shadow"] = "closed"
    on_stop: Literal["keep", "start", "last_good"] = "keep"
    observables: dict[str, ObservableConfig]
    actuators: dict[str, ActuatorConfig]

    @model_validator(mode="before")
    @classmethod
    def _knows_the_older_word(cls, table: Any) -> Any:
        """Read `restore_on_stop`, which stands in sessions recorded before there was `on_stop`."""
        if not isinstance(table, dict) or not isinstance(table.get("restore_on_stop"), bool):
            return table
        rest = {name: value for name, value in table.items() if name != "restore_on_stop"}
        return {"on_stop": "start" if table["restore_on_stop"] else "keep", **rest}

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        same_names("loop.observables", set(self.observables), set(OBSERVABLES))
        unknown = sorted(set(self.actuators) - set(ACTUATORS))
        if unknown:
            raise ValueError(f"loop.actuators: unknown {unknown}, known are {sorted(ACTUATORS)}")
        mains = [one.actuator for one in self.observables.values()]
        if sorted(mains) != sorted(self.actuators):
            raise ValueError(
                f"each actuator must be the main one of exactly one observable: wanted "
                f"{sorted(self.actuators)}, got {sorted(mains)}"
            )
        return self

    def refuse_far_targets(self, response: Array) -> None:
        """Raise `ValueError` where a target needs an actuator outside its range, undisturbed."""
        away = np.array(
            [
                self.observables[name].target - self.observables[name].reference
                for name in OBSERVABLES
            ]
        )
        for (name, one), step in zip(
            self.actuators.items(), np.linalg.solve(response, away), strict=True
        ):
            if not one.minimum <= one.nominal + step <= one.maximum:
                raise ValueError(
                    f"loop.observables: targets out of reach, they need {name} = "
                    f"{one.nominal + step:.6g}, wanted [{one.minimum:g}, {one.maximum:g}]"
                )

    def refuse_singular(self, name: str, response: Array) -> None:
        """Raise `ValueError` where this matrix hardly moves some combination of observables."""
        left, strengths, _ = np.linalg.svd(self.scaled(response))
        # not "<=": a matrix of zeros is singular, too
        if not strengths[-1] > LEAST_STRENGTH_RATIO * strengths[0]:
            weakest = list(OBSERVABLES)[int(np.argmax(np.abs(left[:, -1])))]
            raise ValueError(
                f"matrices.{name}: singular: the actuators move {weakest} too little, wanted the "
                f"weakest combination at least {LEAST_STRENGTH_RATIO:g} of the strongest after "
                f"scaling, got {strengths[-1] / max(strengths[0], 1e-300):.2g}"
            )

    def scaled(self, response: Array) -> Array:
        """Return a response in units of the noise and of the motions that make as much of each."""
        noise = np.array([self.observables[name].noise for name in OBSERVABLES])
        order = list(self.actuators)
        unit = np.ones(len(self.actuators))
        for row, observable in enumerate(OBSERVABLES):
            column = order.index(self.observables[observable].actuator)
            gain = abs(response[row, column])
            unit[column] = noise[row] / gain if gain > 0 else 1.0
        scaled: Array = response * unit[None, :] / noise[:, None]
        return scaled
