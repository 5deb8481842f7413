"""What a run is made of: sources of frames, movers of actuators, recorders and listeners."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from magis_calib.actuators.moves import MoveResult
from magis_calib.config.station import Station
from magis_calib.domain.camera import DropAnnouncement, Frame, ImagePair
from magis_calib.domain.control import Setpoints
from magis_calib.domain.devices import ActuatorState, DropSystem, FrameSource, LinkState, Oddity
from magis_calib.domain.drop_record import DropRecord
from magis_calib.feedback.loop import Loop
from magis_calib.link.frame_checks import FrameChecks
from magis_calib.pipeline import Actuators, Estimator
from magis_calib.recording.continuation import Earlier
from magis_calib.recording.recorder import Recorder
from magis_calib.state.commands import StartProcedure, Suppose
from magis_calib.state.safety import Safety
from magis_calib.state.snapshot import ReplayState, Snapshot


class TelemetrySink(Protocol):
    """Where snapshots are published for dashboards."""

    def publish(self, snapshot: Snapshot) -> None:
        """Send this snapshot to whoever listens. Never blocks."""

    def close(self) -> None:
        """Release the socket."""


class OperatedActuators(Actuators, Protocol):
    """Actuators as a whole run needs them: asked, moved by hand, and read at the end."""

    def prepare(self) -> bool:
        """Make sure that the controllers are known."""

    def oddities(self) -> Mapping[str, Oddity]:
        """Return what controllers said lately that is not as agreed, by controller."""

    def accept(self) -> None:
        """Take the actuators where they stand: the operator closes the loop there."""

    def by_hand(self, name: str, value: float) -> str:
        """Move one actuator for the operator; return in words what became of it."""

    def waiting_for_drop(self) -> int | None:
        """Return the first drop that sees the newest setpoints, while it has not come."""

    def states(self) -> tuple[ActuatorState, ...]:
        """Return every actuator with setpoint, read-back and limits."""

    def restore(self) -> MoveResult:
        """Go back to the setpoints of the start, in steps."""

    def go_to(self, goal: Setpoints, words: str) -> MoveResult:
        """Go to these setpoints, in steps that every controller allows; `words` name them."""

    def final_readback(self) -> Setpoints:
        """Ask the controllers once more where they stand."""

    def final_status(self) -> Mapping[str, Mapping[str, str | int | float | bool]]:
        """Ask the controllers for their state words."""


class PictureChecks(Protocol):
    """Who judges whether pictures are of their drop: as they come, or as a recording says."""

    again: str
    """Why drop numbers say nothing any more; empty while they do."""

    def announced(self, drop: DropAnnouncement) -> None:
        """Take in the plan of a drop."""

    def awaits(self, drop_id: int) -> bool:
        """Tell whether drops are announced, and this one was not yet."""

    def take(self, frame: Frame, now_ns: int) -> None:
        """Take in a new frame. `now_ns`: UTC."""

    def doubts(self, pair: ImagePair) -> Mapping[str, str]:
        """Return why a pair must not be acted upon, by what is concerned; empty for nothing."""


class Player(Protocol):
    """Plays a recording. May be called by any thread."""

    def set_speed(self, factor: float) -> None:
        """Play this many times real time; 0 is a pause."""

    def step(self) -> None:
        """Pause after one more drop."""

    def jump(self, drop_id: int) -> str:
        """Go on with this drop; return in words what becomes of it."""

    def suppose(self, request: Suppose) -> str:
        """Begin to predict what would have been otherwise; return in words what becomes of it."""

    def state(self) -> ReplayState:
        """Return how it plays now."""


@dataclass(frozen=True, slots=True, eq=False)
class Components:
    """What a run is made of."""

    name: str
    """Of the station."""
    station: Station
    source: FrameSource
    actuators: OperatedActuators
    links: Callable[[], tuple[LinkState, ...]]
    safety: Safety = field(default_factory=Safety)
    """Lets writes pass, or not; that of the actuators."""
    recorder: Recorder | None = None
    drop_system: DropSystem | None = None
    telemetry: TelemetrySink | None = None
    mode: Literal["live", "replay"] = "live"
    session: str = ""
    """Path of the recording that is replayed; a live run learns its own from the recorder."""
    drops: int | None = None
    """Stop after this many drops."""
    player: Player | None = None
    """Of a replay."""
    estimator: Estimator | None = None
    """Makes the estimates; None: every pair is fitted."""
    loop: Loop | None = None
    """One that has learned from earlier drops; None: begin with one that knows nothing."""
    before: Sequence[DropRecord] = ()
    """Earlier drops to be shown with those of the run."""
    procedure: StartProcedure | None = None
    """Begun as soon as the controllers are known; the run stops when it has ended."""
    products: Path | None = None
    """Folder that procedures leave their results in; None: they are only told."""
    configuration: Path | None = None
    """The file that it came from; None: as shipped, or of a recording."""
    checks: PictureChecks = field(default_factory=FrameChecks)
    """Judges whether pictures are of their drop."""
    earlier: Earlier | None = None
    """What the session holds that this run goes on with; None: it begins its own."""
    observe: Callable[[DropRecord], None] | None = None
    """Told of every finished drop, in the worker thread."""
