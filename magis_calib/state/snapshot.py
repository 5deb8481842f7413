"""What everyone may look at.

One frozen picture of the whole run, replaced after each drop and each second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from magis_calib.config.settings import LoopSettings
from magis_calib.domain.camera import ImagePair, View
from magis_calib.domain.control import SHADOW, Gain, Limits
from magis_calib.domain.devices import ActuatorState, LinkState
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import StationEstimate
from magis_calib.state.answer import Answer
from magis_calib.state.history import NO_HISTORY, HistoryRows
from magis_calib.state.matrix import MatrixState, MeasuredMatrix
from magis_calib.state.procedure import ProcedureState
from magis_calib.state.safety import SafetyChange, SafetyWord
from magis_calib.state.what_if import WhatIfState

LoopWord = Literal["open", "closed", "shadow", "held", "procedure", "fault", "stopped"]
"""open: the operator moves setpoints by hand. closed: corrections are sent. shadow: they are
decided and logged, not
sent. held: the operator paused corrections. procedure: one moves the setpoints, the loop sends
nothing. fault: something broke, corrections stopped. stopped: the run has ended."""

HOLD_WORDS: Mapping[LoopWord, str] = {
    "open": "the loop is open: the operator moves setpoints by hand",
    "held": "the operator holds the loop",
    "shadow": SHADOW,
    "procedure": "a procedure moves the setpoints",
}
"""Why nothing is sent where the operator wants it so."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is wrong now."""

    key: str
    severity: Literal["look", "act"]
    text: str
    remedy: str
    since_ns: int
    """UTC."""
    acknowledged_by: str = ""
    """Who knows of it; empty while nobody said so."""
    acknowledged_ns: int = 0


@dataclass(frozen=True, slots=True)
class PastAlarm:
    """One thing that was wrong and is over."""

    key: str
    severity: Literal["look", "act"]
    text: str
    remedy: str
    since_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class Counters:
    """Counts since the start of the run."""

    expected: int = 0
    """Drops announced."""
    complete: int = 0
    incomplete: int = 0
    usable: int = 0
    received: int = 0
    """Frames."""
    frames: int = 0
    """Frames that came in all: stored, not stored, refused or duplicates."""
    frames_refused: int = 0
    stored: int = 0
    not_stored: int = 0
    untold_x: int = 0
    """Interferometer drops of which view x told nothing."""
    untold_y: int = 0
    lost: int = 0
    late: int = 0
    """Frames that came after they had been given up for lost."""
    duplicate: int = 0
    malformed: Mapping[str, int] = field(default_factory=dict)
    """Frames refused, by error code."""
    sent: int = 0
    """Corrections."""
    applied: int = 0
    refused: int = 0
    held: int = 0


@dataclass(frozen=True, slots=True)
class RecordingState:
    """What was recorded so far, what is wrong with it now, and how long the disk lasts."""

    stored: int = 0
    """Frames."""
    not_stored: int = 0
    duplicate: int = 0
    """Frames that came again after they had been stored."""
    refused: int = 0
    """Frames with other pixels than are stored under their number."""
    problem: str = ""
    """Why nothing can be recorded now."""
    failure: str = ""
    """The newest problem, for some seconds after it is over."""
    gone: tuple[str, ...] = ()
    """What was told to be stored and is not as it was, in words."""
    waiting_bytes: int = 0
    """Of images that are not on the disk yet."""
    free_bytes: int | None = None
    hours_left: float | None = None
    """At the present pace; None while that is not known."""


@dataclass(frozen=True, slots=True, eq=False)
class ReplayState:
    """How a recording is played."""

    drops: tuple[int, ...]
    """All that were recorded, in the order of the run."""
    times_ns: tuple[int, ...]
    """UTC, trigger of each."""
    speed: float
    """Times real time; 0 while it is paused."""
    compared: int
    """Estimates that were set beside the recorded ones so far."""
    different: tuple[int, ...]
    """Drops whose estimate was not identical."""
    named: tuple[str, ...]
    """The first differences, by name, in words."""
    recorded: HistoryRows
    """The numbers of all drops as they were recorded."""
    supposed: WhatIfState | None
    """What would have been otherwise; None where nobody asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """The whole run at one moment. Readers keep a reference; nobody changes one."""

    station: str
    title: str
    mode: Literal["live", "replay"]
    session: str
    """Path of the session folder, or "" when nothing is recorded."""
    time_s: float
    """Monotonic clock when this snapshot was made: readers compute its age from it."""
    loop: LoopWord
    loop_detail: str
    waiting_for_drop: int | None
    """First drop that sees the newest setpoints, while it has not come."""
    safety: SafetyWord = "idle"
    """Whether anything may reach the hardware, with why, and how that came about (oldest change
    first; bounded).
    """
    safety_cause: str = ""
    safety_changes: tuple[SafetyChange, ...] = ()
    latest: DropRecord | None = None
    latest_s: float | None = None
    """Monotonic clock when `latest` was finished."""
    pair: ImagePair | None = None
    """Images of the latest complete drop, to be decimated by whoever draws them."""
    pair_estimate: StationEstimate | None = None
    """The estimate made from `pair`."""
    records: tuple[DropRecord, ...] = ()
    """The newest drops in full, oldest first; bounded."""
    history: HistoryRows = field(default_factory=lambda: NO_HISTORY)
    """The numbers of all drops."""
    links: tuple[LinkState, ...] = ()
    alarms: tuple[Alarm, ...] = ()
    past_alarms: tuple[PastAlarm, ...] = ()
    """Those that are over, oldest first; bounded."""
    counters: Counters = field(default_factory=Counters)
    recording: RecordingState | None = None
    """None where nothing is recorded."""
    actuators: tuple[ActuatorState, ...] = ()
    targets: Mapping[str, float] = field(default_factory=dict)
    gains: Mapping[str, Gain] = field(default_factory=dict)
    limits: Mapping[str, Limits] = field(default_factory=dict)
    """Targets, gains and limits in force.

    Of every observable, and of every actuator that the loop moves.
    """
    saved: LoopSettings | None = None
    """What the configuration says of the same."""
    reach: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Between which targets each observable can be brought, all others kept at theirs."""
    tolerances: Mapping[str, float] = field(default_factory=dict)
    defects: Mapping[View, str] = field(default_factory=dict)
    """File with the configured defect mask of each view; "" for none."""
    matrix: MatrixState | None = None
    """The response matrix in force, always the same object in a run."""
    measured: MeasuredMatrix | None = None
    """The newest measured one; another object once somebody has looked again."""
    configuration: str = ""
    """Path of the configuration file of a live run; empty where it runs as shipped."""
    procedure: ProcedureState | None = None
    replay: ReplayState | None = None
    """How the recording is played; None in a live run."""
    finished: bool = False
    note: str = ""
    """Answer to the last operator command, in words."""
    answer: Answer | None = None
    """The same with what may be concluded from it; None before the first."""
