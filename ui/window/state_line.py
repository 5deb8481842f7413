"""The state line: what runs, how old it is, what the loop does, who is connected."""

from __future__ import annotations

from pathlib import PurePath

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from magis_calib.domain.devices import LinkState
from magis_calib.domain.drop_record import DropRecord
from magis_calib.state.snapshot import Counters, LoopWord, RecordingState, Snapshot
from ui.style.colours import ACT, DIM, INFO, LINE, LOOK, TEXT
from ui.style.format import LOOP_SHAPES, age, is_stale, latest_age
from ui.widgets.label import ElidedLabel

BACKED_UP_BYTES = 100_000_000
"""More than this waits to be recorded only where the disk does not keep up: a drop has some 25 MB.
"""


class Cell(QWidget):
    """A caption with one line under it."""

    def __init__(
        self, caption: str, sample: str = "", *, bold: bool = False, grows: bool = False
    ) -> None:
        """`caption` stands above; `sample`: the longest usual text, which fixes the width.

        `bold`: the line; `grows`: it takes the room that is left.
        """
        super().__init__()
        self.caption = ElidedLabel(larger_pt=-1.0, grows=grows)
        self.line = ElidedLabel(sample, bold=bold, grows=grows)
        self.caption.say(caption, DIM)
        column = QVBoxLayout(self)
        column.setContentsMargins(5, 1, 5, 1)
        column.setSpacing(0)
        column.addWidget(self.caption)
        column.addWidget(self.line)


class StateLine(QWidget):
    """The strip on top of the window. Emits `alarms_wanted` when the alarm count is clicked."""

    alarms_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._station = Cell("station", bold=True, grows=True)
        self._drop = Cell("newest drop", "drop 123456 · 59 min")
        self._loop = Cell("loop", "◆ LOOP PROCEDURE", bold=True)
        self._waiting = Cell("next", "waiting for drop 12345")
        self._frames = Cell("frames", "▲ 0 of 123456 lost")
        self._alarms = _alarms_button()
        self._alarms.clicked.connect(self.alarms_wanted)
        self._lamps: dict[str, Cell] = {}
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(2, 0, 4, 0)
        self._row.setSpacing(0)
        for cell in (self._station, self._drop, self._loop, self._waiting):
            self._row.addWidget(cell, 1 if cell is self._station else 0)
            self._row.addWidget(_divider())
        self._links_at = self._row.count()
        for widget in (_divider(), self._frames, _divider(), self._alarms):
            self._row.addWidget(widget)

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Write the state line anew."""
        self._say_station(snapshot)
        self._say_drop(snapshot, now_s)
        self._say_loop(snapshot)
        self._say_links(snapshot, now_s - snapshot.time_s)
        self._say_frames(snapshot.counters, snapshot.recording)
        self._say_alarms(snapshot)

    def _say_station(self, snapshot: Snapshot) -> None:
        name = PurePath(snapshot.session).name or "not recording"
        self._station.caption.say(
            ("REPLAY of " if snapshot.mode == "replay" else "") + name,
            INFO if snapshot.mode == "replay" else DIM,
            snapshot.session,
        )
        self._station.line.say(snapshot.title or snapshot.station)

    def _say_drop(self, snapshot: Snapshot, now_s: float) -> None:
        if snapshot.latest is None:
            self._drop.line.say("– no drop yet", DIM, "the first drop has not been evaluated")
            return
        stale = is_stale(snapshot, now_s)
        old = age(latest_age(snapshot, now_s))
        made_for = _made_for(snapshot.latest)
        self._drop.caption.say(
            "▲ newest drop is late" if stale else made_for,
            LOOK if stale else DIM,
            f"{made_for}: what the newest drop is for, and its interrogation time",
        )
        self._drop.line.say(
            f"drop {snapshot.latest.drop_id} · {old}",
            LOOK if stale else TEXT,
            "number of the newest evaluated drop and its age",
        )

    def _say_loop(self, snapshot: Snapshot) -> None:
        if snapshot.mode == "replay":
            self._say_replay(snapshot)
        else:
            self._loop.caption.say("run ended" if snapshot.finished else "loop", DIM)
            hover = "\n".join(filter(None, (snapshot.safety_cause, snapshot.loop_detail)))
            self._loop.line.say(*_loop_words(snapshot), hover)
        waiting = None if snapshot.finished else snapshot.waiting_for_drop
        text = "–" if waiting is None else f"waiting for drop {waiting}"
        hover = "the first drop that sees the newest setpoints"
        self._waiting.line.say(text, DIM if waiting is None else TEXT, hover)

    def _say_replay(self, snapshot: Snapshot) -> None:
        ended = "recording ended" if snapshot.finished else f"loop {snapshot.loop}"
        self._loop.caption.say(ended, DIM)
        hover = f"a recording; no hardware is moved\n{snapshot.loop_detail}"
        self._loop.line.say("▶ REPLAY", INFO, hover)

    def _say_links(self, snapshot: Snapshot, since_snapshot_s: float) -> None:
        for link in snapshot.links:
            if link.name not in self._lamps:
                lamp = self._lamps[link.name] = Cell(link.name.replace("_", " "), "✖ 59 min")
                self._row.insertWidget(self._links_at, lamp)
                self._links_at += 1
            self._say_lamp(self._lamps[link.name], link, since_snapshot_s)

    def _say_lamp(self, lamp: Cell, link: LinkState, since_snapshot_s: float) -> None:
        seconds = None if link.age_s is None else link.age_s + since_snapshot_s
        last = "never heard" if seconds is None else f"last word {age(seconds)} ago"
        word = "connected" if link.connected else "NOT connected"
        colour = TEXT if link.connected else LOOK
        shape = "●" if link.connected else "✖"
        lamp.line.say(
            f"{shape} {age(seconds)}", colour, f"{link.name}: {word}, {last}\n{link.detail}"
        )
        lamp.caption.say(lamp.caption.text(), DIM if link.connected else LOOK)

    def _say_frames(self, counters: Counters, recording: RecordingState | None) -> None:
        self._frames.caption.say(*_recording_caption(recording), disk_words(recording))
        total = counters.received + counters.lost
        lost = counters.lost + counters.not_stored
        self._frames.line.say(
            f"{'▲ ' if lost else ''}{lost} of {total} lost",
            ACT if lost else TEXT,
            counted(counters),
        )

    def _say_alarms(self, snapshot: Snapshot) -> None:
        count = len(snapshot.alarms)
        act = any(alarm.severity == "act" for alarm in snapshot.alarms)
        shape = "✖ " if act else "▲ " if count else ""
        text = f"{shape}{count or 'no'} alarm{'' if count == 1 else 's'}"
        if text != self._alarms.text():
            self._alarms.setText(text)
            colour = ACT if act else LOOK if count else DIM
            self._alarms.setStyleSheet(
                f"QPushButton {{ color: {colour}; font-weight: bold; padding: 6px 4px; }}"
            )


def _loop_words(snapshot: Snapshot) -> tuple[str, str]:
    """Return what the loop does, and its colour: a closed one may be held, or stand on a fault."""
    word: LoopWord = snapshot.loop
    if snapshot.loop == "closed" and snapshot.safety in ("held", "fault"):
        word = "held" if snapshot.safety == "held" else "fault"
    shape, colour = LOOP_SHAPES[word]
    unasked = word == "held" and snapshot.loop == "closed"
    return f"{shape} LOOP {word.upper()}", LOOK if unasked else colour


def _recording_caption(recording: RecordingState | None) -> tuple[str, str]:
    """Return text and colour: what waits to be written, or how long the disk lasts."""
    if recording is not None and recording.waiting_bytes > BACKED_UP_BYTES:
        return f"▲ {recording.waiting_bytes / 1e6:.0f} MB to write", LOOK
    hours = recording.hours_left if recording is not None else None
    return ("frames" if hours is None else f"frames · disk {hours:.0f} h"), DIM


def disk_words(recording: RecordingState | None) -> str:
    """Write how much waits to be recorded, and how long the disk lasts."""
    if recording is None:
        return "nothing is recorded"
    free = (
        f"{recording.free_bytes / 1e9:.1f} GB free"
        if recording.free_bytes is not None
        else "free space not known"
    )
    left = (
        f"{recording.hours_left:.1f} h at this pace"
        if recording.hours_left is not None
        else "pace not yet known"
    )
    return (
        f"disk: {free}, {left}\n{recording.waiting_bytes / 1e6:.0f} MB of images wait to be written"
    )


def counted(counters: Counters) -> str:
    """Write all counters, one group a line."""
    refused = (
        ", ".join(f"{count} {code}" for code, count in sorted(counters.malformed.items())) or "none"
    )
    return (
        f"frames: {counters.received} received, {counters.stored} stored, {counters.not_stored} "
        f"not stored, "
        f"{counters.lost} lost, {counters.duplicate} sent twice\nframes refused: {refused}\n"
        f"drops: {counters.expected} announced, {counters.complete} complete, "
        f"{counters.incomplete} incomplete, "
        f"{counters.usable} usable\ncorrections: {counters.sent} sent, {counters.applied} applied, "
        f"{counters.refused} refused, {counters.held} held"
    )


def _alarms_button() -> QPushButton:
    button = QPushButton()
    button.setFlat(True)
    button.setToolTip("show the alarms")
    button.setMinimumWidth(button.fontMetrics().horizontalAdvance("▲ 12 alarms") + 22)
    return button


def _divider() -> QFrame:
    line = QFrame()
    line.setFrameShape(QFrame.Shape.VLine)
    line.setStyleSheet(f"color: {LINE};")
    return line


def _made_for(record: DropRecord) -> str:
    """Name the sequence type of a drop, and the interrogation time where that is known."""
    words = record.sequence_type.replace("_", " ")
    seconds = record.in_force.get("interrogation_time_s")
    return words if seconds is None else f"{words} · T {1e3 * seconds:.4g} ms"
