"""What the core asks of the world.

The Protocols that hardware clients, replay and simulators fulfil.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from magis_calib.domain.camera import (
    CameraFacts,
    DropAnnouncement,
    Frame,
    IncompleteDrop,
    SequenceType,
    View,
)
from magis_calib.domain.control import ParameterFacts, Setpoints, WriteAnswer
from magis_calib.domain.errors import WireError


@dataclass(frozen=True, slots=True)
class CameraJoined:
    """A camera said hello, for the first time or again."""

    view: View
    camera: str
    session: str
    facts: CameraFacts


@dataclass(frozen=True, slots=True)
class BadMessage:
    """A message that was answered with an error and skipped."""

    error: WireError
    view: View | None
    of_frame: bool = False
    """It was a frame, of which nothing is kept."""


@dataclass(frozen=True, slots=True)
class SourceEnded:
    """No more drops will come (a recording was read to its end)."""


SourceEvent = Frame | CameraJoined | BadMessage | DropAnnouncement | IncompleteDrop | SourceEnded


class FrameSource(Protocol):
    """Where frames come from. `receive` is called by one thread.

    `stored`, `not_stored` and `refused` by any.
    """

    def receive(self, timeout_s: float) -> SourceEvent | None:
        """Return the next event, or None after the timeout."""

    def stored(self, frame: Frame) -> None:
        """Tell the sender that this frame is safe: it may forget it."""

    def not_stored(self, frame: Frame, reason: str) -> None:
        """Tell the sender that this frame will not be kept, and why."""

    def refused(self, frame: Frame, error: WireError) -> None:
        """Tell the sender that this frame cannot be used, and why."""

    def links(self) -> Sequence[LinkState]:
        """Say which cameras are there."""

    def close(self) -> None:
        """Stop receiving and release what is held."""


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something that is not as agreed in docs/protocol.md."""

    words: str
    harmless: bool
    """It was left out, and nothing else comes of it."""


class Controller(Protocol):
    """A device whose setpoints can be moved.

    Every call blocks up to its deadline, then raises `Silent`.
    """

    name: str

    def describe(self) -> Mapping[str, ParameterFacts]:
        """Ask for the parameters with their limits."""

    def read(self) -> Setpoints:
        """Ask for the read-back of every parameter."""

    def status(self) -> Mapping[str, str | int | float | bool]:
        """Ask for the state words of the device."""

    def check(self, setpoints: Setpoints) -> None:
        """Ask whether a write of these would be accepted; raises `Refused`. Nothing moves."""

    def write(self, setpoints: Setpoints) -> WriteAnswer:
        """Move to these absolute setpoints, all or nothing.

        Raises `Refused`, or `Silent` or `Garbled` where nobody knows whether it was done.
        """

    def late_writes(self) -> Sequence[tuple[Setpoints, WriteAnswer]]:
        """Return writes that raised `Silent` and were answered since, each once. Never blocks."""

    def newest_drop(self) -> int:
        """Return the last drop that it announced, 0 for none. Never blocks."""

    def oddity(self) -> Oddity | None:
        """Return what it said lately that is not as agreed; None for nothing. Never blocks."""

    def session(self) -> str | None:
        """The controller's own session id, None before its first word.

        A new one means that it restarted.
        """

    def link(self) -> LinkState:
        """Say whether it is there."""

    def close(self) -> None:
        """Release the connection."""


class DropSystem(Protocol):
    """Who announces drops and wants to know when each is over."""

    def announcements(self) -> Sequence[DropAnnouncement]:
        """Return the drops announced since the last call. Never blocks."""

    def done(self, drop_id: int) -> None:
        """Say that the outcome of this drop is known. Never blocks."""

    def sequence(self, sequence_type: SequenceType) -> int:
        """Have all drops that are not announced yet made for this, until it is changed.

        Return the first of them.

        Blocks up to its deadline; raises `Refused` or `Silent`. When every application has left,
        drops are for the interferometer again.
        """


@dataclass(frozen=True, slots=True)
class LinkState:
    """Whether one peer is there."""

    name: str
    """ "camera x", "laser", "drop_system"."""
    connected: bool
    age_s: float | None
    """Since its last word; None when it never spoke."""
    detail: str
    """What it is, or what to do about its absence."""


@dataclass(frozen=True, slots=True)
class ActuatorState:
    """One actuator of a controller.

    What was asked for, what it reads, and how far it may go (SI).
    """

    name: str
    controller: str
    setpoint: float
    readback: float
    minimum: float
    maximum: float
    step_limit: float
    readback_tolerance: float
