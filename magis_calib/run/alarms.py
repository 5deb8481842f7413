"""What is wrong now, since when, what to do about it, and who knows of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal

from magis_calib.domain.control import Decision
from magis_calib.domain.devices import LinkState, Oddity
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.rules import RULES, Rule
from magis_calib.state.answer import Refusal
from magis_calib.state.snapshot import HOLD_WORDS, Alarm, PastAlarm, RecordingState

log = logging.getLogger(__name__)

HISTORY_KEPT = 500
REJECTED_IN_A_ROW = 3
"""A single drop may be rejected by a gate; this many are a loop that does not go on.

A hold is told at once.
"""
LOOP_ALARMS = frozenset({"fault", "loop", "correction"})
"""Those that mean: corrections are wanted, and do not reach the hardware."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One condition that holds at this moment."""

    severity: Literal["look", "act"]
    text: str
    remedy: str


class AlarmList:
    """Remembers since when each trouble stands and who knows of it.

    Logs each coming and going once.
    """

    def __init__(self) -> None:
        """Begin with nothing wrong."""
        self.alarms: tuple[Alarm, ...] = ()
        self.past: tuple[PastAlarm, ...] = ()
        """Those that are over, oldest first; bounded."""
        self._writing = threading.Lock()  # who publishes updates, the worker acknowledges

    def update(self, troubles: Mapping[str, Trouble]) -> tuple[Alarm, ...]:
        """Replace what is wrong by what is wrong now, first come first."""
        with self._writing:
            return self._updated(troubles)

    def _updated(self, troubles: Mapping[str, Trouble]) -> tuple[Alarm, ...]:
        standing = {alarm.key: alarm for alarm in self.alarms}
        now_ns = time.time_ns()
        for key in standing.keys() - troubles.keys():
            log.info("over: %s", standing[key].text)
            self.past = (*self.past[1 - HISTORY_KEPT :], _over(standing[key], now_ns))
        found = [_alarm(key, one, standing.get(key), now_ns) for key, one in troubles.items()]
        self.alarms = tuple(sorted(found, key=lambda alarm: alarm.since_ns))
        return self.alarms

    def acknowledge(self, key: str, who: str) -> str:
        """Note that somebody knows of this alarm, of all for an empty key.

        It ends when the trouble does.
        """
        if not who:
            return Refusal("not acknowledged: wanted the name of who knows of it")
        with self._writing:
            return self._acknowledged(key, who)

    def _acknowledged(self, key: str, who: str) -> str:
        fresh = [one for one in self.alarms if key in ("", one.key) and not one.acknowledged_by]
        if not fresh:
            return (
                f"no alarm {key!r} waits to be acknowledged"
                if key
                else "no alarm waits to be acknowledged"
            )
        now_ns = time.time_ns()
        self.alarms = tuple(
            replace(one, acknowledged_by=who, acknowledged_ns=now_ns) if one in fresh else one
            for one in self.alarms
        )
        for one in fresh:
            log.info("acknowledged by %s: %s", who, one.text)
        return f"acknowledged by {who}: {', '.join(one.key.replace('_', ' ') for one in fresh)}"


def _alarm(key: str, trouble: Trouble, before: Alarm | None, now_ns: int) -> Alarm:
    """Return the alarm of a trouble, with what was known of it before; log it where it is new."""
    if before is None:
        log.info("%s (%s)", trouble.text, trouble.remedy)
        return Alarm(key, trouble.severity, trouble.text, trouble.remedy, now_ns)
    return replace(before, severity=trouble.severity, text=trouble.text, remedy=trouble.remedy)


def _over(alarm: Alarm, now_ns: int) -> PastAlarm:
    return PastAlarm(
        alarm.key, alarm.severity, alarm.text, alarm.remedy, alarm.since_ns, until_ns=now_ns
    )


def link_troubles(
    links: tuple[LinkState, ...], since_start_s: float, patience_s: float
) -> dict[str, Trouble]:
    """Return a trouble for each peer that is not there.

    One that never spoke gets `patience_s` to appear.
    """
    return {
        f"link {link.name}": Trouble(
            "act",
            f"{link.name.replace('_', ' ')}: {link.detail}",
            "start it, or check its cable and address",
        )
        for link in links
        if not link.connected and (link.age_s is not None or since_start_s > patience_s)
    }


def answer_troubles(oddities: Mapping[str, Oddity]) -> dict[str, Trouble]:
    """Return a trouble for each controller that said what is not as agreed, by its name."""
    remedy = "magis-calib check-controller NAME shows what it says; docs/protocol.md what it may"
    return {
        f"answers {name}": Trouble("look" if one.harmless else "act", one.words, remedy)
        for name, one in oddities.items()
    }


def blind_troubles(blind: Mapping[str, str], closed: bool) -> dict[str, Trouble]:
    """Return a trouble for each view or observable that tells nothing any more.

    `closed`: corrections are wanted; else nobody is harmed by it.
    """
    remedy = "look at the picture, the camera and its settings; magis-calib check-driver helps"
    return {
        f"blind {name}": Trouble("act" if closed else "look", words, remedy)
        for name, words in blind.items()
    }


def decision_troubles(
    records: Sequence[DropRecord], closed: bool, closed_after: int
) -> dict[str, Trouble]:
    """Return what is wrong with the newest decisions; what the operator wants held is not wrong.

    `closed`: corrections are wanted, since after the drop `closed_after`.
    """
    latest = records[-1].decision if records else None
    if latest is not None and latest.outcome in ("refused", "half_applied", "unverified"):
        return {"correction": _failed(latest)}
    newest = _newest(records, closed_after)
    unwanted = [one.outcome == "held" and one.code not in HOLD_WORDS for one in newest]
    if not (closed and newest and unwanted[0]):
        return {}
    stopping = _stopping(newest[0])
    at_once = any(rule.kind == "hold" for rule in stopping)
    if at_once or (all(unwanted) and len(newest) == REJECTED_IN_A_ROW):
        return {"loop": _stuck(newest[0], stopping)}
    return {}


def _failed(decision: Decision) -> Trouble:
    text = f"drop {decision.drop_id}: {decision.in_words()}"
    return Trouble("act", text, "compare setpoints and read-backs; the next drop tries again")


def _newest(records: Sequence[DropRecord], closed_after: int) -> list[Decision]:
    """Return the decisions on the newest drops that the closed loop might have acted on."""
    judged = (
        one for one in reversed(records) if one.complete and one.sequence_type == "interferometer"
    )
    newest = islice(judged, REJECTED_IN_A_ROW)
    return [one.decision for one in newest if one.drop_id > closed_after]


def _stopping(decision: Decision) -> list[Rule]:
    """Return the rules that this decision did not pass."""
    return [RULES[one.rule] for one in decision.verdicts if not one.passed and one.rule in RULES]


def _stuck(decision: Decision, stopping: Sequence[Rule]) -> Trouble:
    remedy = "; ".join([*(rule.way_out for rule in stopping[:1]), "magis-calib why tells more"])
    return Trouble("act", f"the loop does not correct: {decision.reason}", remedy)


def recording_troubles(state: RecordingState, warn_hours: float) -> dict[str, Trouble]:
    """Return what is wrong with recording now, or soon will be."""
    found = {}
    if problem := state.problem or state.failure:
        remedy = "free the disk or choose another --session-dir"
        found["recording"] = Trouble("act", f"not recorded: {problem}", remedy)
    elif state.hours_left is not None and state.hours_left < warn_hours:
        text = f"the disk lasts for {state.hours_left:.1f} h more at this pace"
        remedy = "free the disk: magis-calib session prune removes old images"
        found["disk"] = Trouble("look", text, remedy)
    if state.gone:
        remedy = "find who touches the files of a running session; magis-calib session check"
        found["recorded"] = Trouble("act", f"recorded and gone: {'; '.join(state.gone)}", remedy)
    return found
