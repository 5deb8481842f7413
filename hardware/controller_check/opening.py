"""The first words: hello and welcome, and heartbeats both ways."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

from hardware.controller_check.conversation import Conversation
from hardware.controller_check.subject import Subject
from hardware.finding import Finding, judged
from magis_calib.domain.errors import ConfigError
from magis_calib.link.headers import PROTOCOL_VERSION

GREETS = "answers a hello with a welcome"


def opening(subject: Subject) -> Iterator[Finding]:
    """Say hello. Raises `ConfigError` where somebody else has the lease."""
    first = subject.first
    to = subject.to
    subject.tell(f"waiting for {to.name} at {to.endpoint}")
    heard = first.heard
    first.hello(subject.patience_s, lambda: bool(heard.welcomes or heard.error("leased", 0)))
    if heard.error("leased", 0):
        raise ConfigError(f"{to.name} is not free: {heard.errors[-1].message}; end that run first")
    welcome = first.welcome
    yield judged(GREETS, welcome is not None, f"one within {subject.patience_s:g} s", _else(first))
    if welcome is None:
        return
    wanted = (to.station_name, to.name, PROTOCOL_VERSION)
    got = (welcome.station, welcome.controller, welcome.protocol)
    check = "welcome names its station, its controller and the version"
    yield judged(check, got == wanted, str(wanted), str(got))


def _else(first: Conversation) -> str:
    """Say what came in place of a welcome."""
    heard = first.heard
    said = [f"{one.code}: {one.message}" for one in heard.errors[-1:]]
    return first.problem or "; ".join([*said, *heard.unreadable[-1:]]) or "nothing"


def heartbeats(subject: Subject) -> Iterator[Finding]:
    """Say nothing but heartbeats for longer than a lease lasts without one."""
    first = subject.first
    links = subject.to.station.links
    subject.tell(f"welcome; heartbeats alone for {links.silent_after_s:g} s")
    heard = first.heard
    welcome = first.welcome
    assert welcome is not None  # asked before
    begun_s = time.monotonic()
    errors = len(heard.errors)
    first.listen(links.silent_after_s + links.heartbeat_s)
    times = [begun_s, *(at for at, _ in heard.beats if at > begun_s), time.monotonic()]
    longest_s = max(after - before for before, after in itertools.pairwise(times))
    yield judged(
        "heartbeats",
        len(times) > 2 and longest_s <= links.silent_after_s,
        f"one every {welcome.heartbeat_s:g} s, as its welcome says",
        f"{len(times) - 2} in {times[-1] - begun_s:.1f} s",
    )
    strange = {session for _, session in heard.beats} - {welcome.session}
    check = "heartbeats name the session of the welcome"
    yield judged(check, not strange, repr(welcome.session), f"{sorted(strange)}")
    said = [f"{one.code}: {one.message}" for one in heard.errors[errors:]]
    check = "heartbeats of the application keep its lease"
    yield judged(check, not said, "no error in answer to them", "; ".join(said[:1]))
