"""Watch a run without Qt: a live table on a terminal, one line per drop otherwise."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, utc_moment
from magis_calib.host.terminal import tell, visible
from magis_calib.state.commands import Command
from magis_calib.state.snapshot import Alarm, Snapshot

REFRESH_S = 0.2


class Watched(Protocol):
    """A run as its watcher sees it."""

    @property
    def snapshot(self) -> Snapshot:
        """The newest picture of the run."""

    def submit(self, command: Command) -> None:
        """Hand over a command."""

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the run has ended; return whether it has."""


def watch(engine: Watched) -> None:
    """Show the run until it has finished."""
    if sys.stdout.isatty():
        _watch_table(engine)
    else:
        _watch_lines(engine)


def drop_line(record: DropRecord) -> str:
    """Return one drop as a line: what was measured, what was done."""
    estimate = record.estimate
    values = "  ".join(
        f"{quantity.label} {quantity.with_error(estimate.values[name], estimate.stderr[name])} "
        f"{quantity.shown_unit}"
        for name, quantity in OBSERVABLES.items()
    )
    measured = values if estimate.usable else "unusable: " + "; ".join(estimate.reasons)
    waited = record.decision.received_to_applied_s
    took = f" in {waited * 1e3:.0f} ms" if waited is not None else ""
    return f"drop {record.drop_id}  {measured}  {record.decision.in_words()}{took}"


def status_table(snapshot: Snapshot) -> Group:
    """Return the whole run as tables for a terminal."""
    return Group(
        _headline(snapshot), _observables(snapshot), _actuators(snapshot), _footer(snapshot)
    )


def _watch_lines(engine: Watched) -> None:
    before: Snapshot | None = None
    finished = False
    while not finished:
        finished = engine.wait(REFRESH_S)
        snapshot = engine.snapshot
        for line in news(before, snapshot):
            tell(line)
        before = snapshot


def news(before: Snapshot | None, now: Snapshot) -> Iterator[str]:
    """Yield a line for everything that happened between two snapshots, in the order it is read."""
    turned = [f"loop {now.loop.upper()}"] if before is None or before.loop != now.loop else []
    if not now.finished:
        yield from turned
    yield from _new_drops(before, now)
    if now.procedure is not None and (before is None or before.procedure != now.procedure):
        yield now.procedure.in_words()
    yield from _alarm_news({alarm.key: alarm for alarm in before.alarms} if before else {}, now)
    if now.finished:
        yield from turned


def _new_drops(before: Snapshot | None, now: Snapshot) -> Iterator[str]:
    seen = {record.drop_id for record in before.records} if before else set()
    return (drop_line(record) for record in now.records if record.drop_id not in seen)


def _alarm_news(known: Mapping[str, Alarm], now: Snapshot) -> Iterator[str]:
    """Yield what came, who knows of it now, and what is over."""
    for alarm in now.alarms:
        if alarm.key not in known:
            yield f"ALARM {alarm.severity}: {alarm.text} — {alarm.remedy}"
        was_known = alarm.key in known and known[alarm.key].acknowledged_by
        if alarm.acknowledged_by and not was_known:
            yield f"acknowledged by {alarm.acknowledged_by}: {alarm.text}"
    standing = {alarm.key for alarm in now.alarms}
    yield from (f"over: {alarm.text}" for key, alarm in known.items() if key not in standing)


def _watch_table(engine: Watched) -> None:
    with Live(
        status_table(engine.snapshot), console=Console(), refresh_per_second=5, transient=False
    ) as live:
        while not engine.wait(REFRESH_S):
            live.update(status_table(engine.snapshot))
        live.update(status_table(engine.snapshot))


def _headline(snapshot: Snapshot) -> Text:
    age = "no drop yet"
    if snapshot.latest is not None and snapshot.latest_s is not None:
        age = f"drop {snapshot.latest.drop_id}  {time.monotonic() - snapshot.latest_s:.1f} s old"
    waiting = f"  waiting for drop {snapshot.waiting_for_drop}" if snapshot.waiting_for_drop else ""
    counts = snapshot.counters
    return Text(
        f"{snapshot.title} · {age} · loop {snapshot.loop.upper()}{waiting} · "
        f"{counts.lost} of {counts.received + counts.lost} frames lost · {counts.stored} stored · "
        f"{len(snapshot.alarms)} alarms",
        style="bold",
    )


def _observables(snapshot: Snapshot) -> Table:
    table = Table("observable", "measured", "target", "unit", "", box=None)
    for name in OBSERVABLES:
        table.add_row(*_observable(name, snapshot))
    return table


def _observable(name: str, snapshot: Snapshot) -> Iterator[str]:
    """Yield the cells of one observable's row."""
    quantity, target = OBSERVABLES[name], snapshot.targets[name]
    estimate = snapshot.latest.estimate if snapshot.latest else None
    value = estimate.values[name] if estimate else math.nan
    yield quantity.label
    yield quantity.with_error(value, estimate.stderr[name] if estimate else math.nan)
    yield quantity.shown(target)
    yield quantity.shown_unit
    yield _verdict(value - target, snapshot.tolerances[name])


def _verdict(away: float, tolerance: float) -> str:
    if math.isnan(away):
        return "–"
    return "ok" if abs(away) <= tolerance else "off"


def _actuators(snapshot: Snapshot) -> Table:
    table = Table("actuator", "setpoint", "read-back", "unit", box=None)
    moved = snapshot.latest.in_force if snapshot.latest else {}
    for state in snapshot.actuators:
        if state.name in moved and (state.setpoint or state.readback):
            shown = ACTUATORS[state.name]
            table.add_row(
                shown.label,
                shown.shown(state.setpoint),
                shown.shown(state.readback),
                shown.shown_unit,
            )
    return table


def _footer(snapshot: Snapshot) -> Group:
    lines = [Text(f"session {snapshot.session or 'not recorded'}")]
    lines += (
        [Text(snapshot.procedure.in_words(), style="bold")]
        if snapshot.procedure is not None
        else []
    )
    if snapshot.latest is not None:
        lines.append(Text(f"drop {snapshot.latest.drop_id}: {snapshot.latest.decision.in_words()}"))
    lines += [
        Text(visible(_alarm(alarm)), style="dim" if alarm.acknowledged_by else "yellow")
        for alarm in snapshot.alarms
    ]
    return Group(*lines)


def _alarm(alarm: Alarm) -> str:
    known = f" (acknowledged by {alarm.acknowledged_by})" if alarm.acknowledged_by else ""
    return (
        f"{alarm.severity.upper()} {utc_moment(alarm.since_ns)} {alarm.text} — "
        f"{alarm.remedy}{known}"
    )
