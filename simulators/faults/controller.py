"""What one controller does wrong at the moment."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from magis_calib.domain.control import Setpoints
from magis_calib.link.control_messages import ParameterMessage, Refusal
from simulators.faults.active import Cut, Faults
from simulators.faults.kinds import (
    ActsLate,
    Clamps,
    ControllerDiesAfterCheck,
    ControllerRestart,
    ControllerSilent,
    ControllerSlow,
    KnowsNoDrops,
    OfController,
    ReadsMore,
    ReadsOff,
    ReadsOld,
    Refuses,
    UnitChanged,
    Unlocked,
)


class Misbehaviour:
    """What one controller does wrong at the moment, which is that of the newest drop."""

    def __init__(self, faults: Faults, controller: str, newest_drop: Callable[[], int]) -> None:
        self._faults = faults
        self._controller = controller
        self._newest_drop = newest_drop

    @property
    def silent(self) -> bool:
        """It answers nothing and sends no heartbeat."""
        return self._does(ControllerSilent, self._newest_drop())

    @property
    def dies_after_check(self) -> bool:
        """It is gone when a committed write arrives."""
        return self._does(ControllerDiesAfterCheck, self._newest_drop())

    @property
    def locked(self) -> bool:
        """What a controller with a lock says of it."""
        return not self._faults.active(Unlocked, self._newest_drop())

    def refusal(self) -> Refusal | None:
        """Return what every write is answered with, if so."""
        if not self._does(Refuses, self._newest_drop()):
            return None
        return Refusal(code="busy", message=f"{self._controller} cannot move now")

    def clamped(self, setpoints: Setpoints) -> dict[str, float]:
        """Return what becomes of these setpoints on their way."""
        found = dict(setpoints)
        for fault in self._faults.active(Clamps, self._newest_drop()):
            if fault.name in found:
                found[fault.name] = min(max(found[fault.name], fault.minimum), fault.maximum)
        return found

    def misread(self, readback: Mapping[str, float]) -> dict[str, float]:
        """Return what is told in place of this read-back."""
        found = dict(readback)
        for fault in self._faults.active(ReadsOff, self._newest_drop()):
            if fault.name in found:
                found[fault.name] += fault.size
        if self._does(ReadsMore, self._newest_drop()):
            found["shutter"] = 1.0
        return found

    def told_after_write(
        self, before: Mapping[str, float], after: Mapping[str, float]
    ) -> dict[str, float]:
        """Return the read-back that stands in the answer to a write."""
        return dict(before if self._does(ReadsOld, self._newest_drop()) else after)

    @property
    def knows_drops(self) -> bool:
        """It says from which drop on a write takes effect."""
        return not self._does(KnowsNoDrops, self._newest_drop())

    @property
    def late_drops(self) -> int:
        """How many drops later than it says a write takes effect."""
        return int(self._does(ActsLate, self._newest_drop()))

    def described(self, parameters: dict[str, ParameterMessage]) -> dict[str, ParameterMessage]:
        """Return what is told in place of this description."""
        units = {
            fault.name: fault.unit
            for fault in self._faults.active(UnitChanged, self._newest_drop())
        }
        return {
            name: one.model_copy(update={"unit": units[name]}) if name in units else one
            for name, one in parameters.items()
        }

    @property
    def delay_s(self) -> float:
        """How much later it answers."""
        slow = self._faults.active(ControllerSlow, self._newest_drop())
        return max(
            (fault.delay_s for fault in slow if fault.controller == self._controller), default=0.0
        )

    @property
    def cut(self) -> Cut:
        """Which ways nothing passes between it and the application."""
        return self._faults.cut(self._controller, self._newest_drop())

    def clock_ns(self) -> int:
        """Return how wrong its clock is."""
        return self._faults.clock_ns(self._newest_drop())

    def restarts(self, drop_id: int) -> dict[str, float] | None:
        """Return the setpoints that are not nominal after a power cycle just before this drop.

        None for none.
        """
        cycles = [
            fault
            for fault in self._faults.active(ControllerRestart, drop_id)
            if fault.controller == self._controller
        ]
        return (
            {name: value for fault in cycles for name, value in fault.setpoints.items()}
            if cycles
            else None
        )

    def _does(self, kind: type[OfController], drop_id: int) -> bool:
        return any(
            fault.controller == self._controller for fault in self._faults.active(kind, drop_id)
        )
