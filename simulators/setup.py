"""What a simulated station is made from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from magis_calib.config.station import Station
from simulators.instrument.numbers import PlantNumbers
from simulators.options import SimulationOptions

SPOOL_BYTES = 400_000_000


@dataclass(frozen=True, slots=True)
class StationSetup:
    """Everything a simulated station is made from."""

    name: str
    config: Station
    options: SimulationOptions
    numbers: PlantNumbers
    drops: int | None = None
    first_drop: int = 1
    spool_bytes: int = SPOOL_BYTES
    keys: Path | None = None
    """Folder of keys; None for that of this user."""
    only: frozenset[str] | None = None
    """Names of the controllers and cameras that are simulated; None for all of them."""

    def has(self, name: str) -> bool:
        """Whether this controller or camera is simulated here."""
        return self.only is None or name in self.only
