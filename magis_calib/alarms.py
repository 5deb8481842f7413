"""What is wrong now, and since when."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from magis_calib.domain.snapshot import Alarm, LinkState

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One condition that holds at this moment."""

    severity: Literal["look", "act"]
    text: str
    remedy: str


class AlarmList:
    """Remembers since when each trouble stands; logs each coming and going once."""

    def __init__(self) -> None:
        """Begin with nothing wrong."""
        self.alarms: tuple[Alarm, ...] = ()

    def update(self, troubles: Mapping[str, Trouble]) -> tuple[Alarm, ...]:
        """Replace what is wrong by what is wrong now, first come first."""
        standing = {alarm.key: alarm for alarm in self.alarms}
        for key in standing.keys() - troubles.keys():
            log.info("over: %s", standing[key].text)
        for key in troubles.keys() - standing.keys():
            log.info("%s (%s)", troubles[key].text, troubles[key].remedy)
        now_ns = time.time_ns()
        found = [
            Alarm(key, one.severity, one.text, one.remedy, standing[key].since_ns if key in standing else now_ns)
            for key, one in troubles.items()
        ]
        self.alarms = tuple(sorted(found, key=lambda alarm: alarm.since_ns))
        return self.alarms


def link_troubles(links: tuple[LinkState, ...], since_start_s: float, patience_s: float) -> dict[str, Trouble]:
    """Return a trouble for each peer that is not there; one that never spoke gets `patience_s` to appear."""
    return {
        f"link {link.name}": Trouble(
            "act", f"{link.name.replace('_', ' ')}: {link.detail}", "start it, or check its cable and address"
        )
        for link in links
        if not link.connected and (link.age_s is not None or since_start_s > patience_s)
    }
