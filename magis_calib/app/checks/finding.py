"""What `magis-calib check` says about one thing that it looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from magis_calib.config.station import Station

CheckOutcome = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table."""

    what: str
    found: str
    wanted: str
    verdict: CheckOutcome
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at."""

    name: str
    station: Station
    keys: Path
    folder: Path
    """Where sessions are recorded."""


Check = Callable[[Asked], Iterator[Finding]]
"""Looks at something; its name says at what."""
