"""What the operator may change of the loop while it runs, as it is and as configured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from magis_calib.config.loop import ActuatorConfig, LoopConfig, ObservableConfig
from magis_calib.domain.control import Gain, Limits


@dataclass(frozen=True, slots=True)
class LoopSettings:
    """Targets and gains by observable, limits by actuator (SI)."""

    targets: Mapping[str, float]
    gains: Mapping[str, Gain]
    limits: Mapping[str, Limits]
    nominal: Mapping[str, float]
    """Setpoints about which the matrix is linear: every range holds them. Never changed."""

    @classmethod
    def of(cls, loop: LoopConfig) -> Self:
        """Return what stands in a configuration."""
        return cls(
            {name: one.target for name, one in loop.observables.items()},
            {name: one.gain for name, one in loop.observables.items()},
            {name: Limits.of(one) for name, one in loop.actuators.items()},
            {name: one.nominal for name, one in loop.actuators.items()},
        )


def adjusted(
    loop: LoopConfig, gains: Mapping[str, Gain], limits: Mapping[str, Limits]
) -> LoopConfig:
    """Return this configuration with other gains and limits, which were found valid before."""
    if not gains and not limits:
        return loop
    observables: dict[str, ObservableConfig] = {
        name: loop.observables[name].model_copy(update={"gain": gain})
        for name, gain in gains.items()
    }
    actuators: dict[str, ActuatorConfig] = {
        name: loop.actuators[name].model_copy(update=one.table()) for name, one in limits.items()
    }
    return loop.model_copy(
        update={
            "observables": {**loop.observables, **observables},
            "actuators": {**loop.actuators, **actuators},
        }
    )
