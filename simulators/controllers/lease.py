"""Who may write to a controller: one application, until it leaves, is silent or taken over."""

from __future__ import annotations

import datetime
import time
from dataclasses import dataclass, replace

from magis_calib.link.control_messages import ControllerHello


@dataclass(frozen=True, slots=True)
class Holder:
    """The application that has the lease."""

    identity: bytes
    session: str
    who: str
    """Its name in the list of keys."""
    user: str | None
    host: str | None
    process: int | None
    heard_s: float
    """Monotonic clock."""

    def __str__(self) -> str:
        """Say who it is."""
        if self.user is None:
            return f"{self.who}, session {self.session}"
        return (
            f"{self.user}@{self.host}, process {self.process} ({self.who}, session {self.session})"
        )

    def is_of(self, hello: ControllerHello) -> bool:
        """Tell whether the same user of the same host says hello."""
        return self.user is not None and (self.user, self.host) == (hello.user, hello.host)


class Lease:
    """Held by one application at a time; each of its messages renews it for `lasts_s`."""

    def __init__(self, lasts_s: float) -> None:
        self.lasts_s = lasts_s
        self.holder: Holder | None = None

    def held_by(self, identity: bytes, session: str | None = None) -> bool:
        """Tell whether this peer has it, and in this session, where one is given."""
        return (
            self.holder is not None
            and self.holder.identity == identity
            and session in (None, self.holder.session)
        )

    def grant(self, identity: bytes, who: str, hello: ControllerHello) -> None:
        """Give it to who says hello."""
        self.holder = Holder(
            identity, hello.session, who, hello.user, hello.host, hello.process, time.monotonic()
        )

    def renew(self) -> None:
        """The holder was heard."""
        if self.holder is not None:
            self.holder = replace(self.holder, heard_s=time.monotonic())

    def end(self) -> None:
        """Nobody has it from now on."""
        self.holder = None

    @property
    def left_s(self) -> float:
        """How much longer it lasts without another word of the holder."""
        return 0.0 if self.holder is None else self.holder.heard_s + self.lasts_s - time.monotonic()

    def in_words(self) -> str:
        """Say who has it until when."""
        if self.holder is None:
            return "leased to nobody"
        end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(
            seconds=max(self.left_s, 0.0)
        )
        return f"leased to {self.holder} until {end:%H:%M:%S} UTC"
