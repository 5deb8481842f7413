"""What `magis-calib check` looks at, one function each."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import os
import resource
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement

from hardware.controller import ControllerClient
from magis_calib.domain.config import Station
from magis_calib.domain.control import ParameterFacts
from magis_calib.domain.errors import ConfigError, ControllerError
from magis_calib.feedback.readiness import disagreements
from magis_calib.locks.keyring import ALLOWED, OWN, Keyring
from magis_calib.locks.lock import open_lock

Verdict = Literal["ok", "warn", "fail"]
PAIR_BYTES, DROPS_HZ = 25_200_000, 3.0
"""Two frames of 2048 x 3072 pixels, and the pace to keep up with."""
PROBE_BYTES = 256_000_000
LEAST_HOURS = 8.0
LEAST_HANDLES = 4096
STA_UNSYNC, TIME_ERROR, STATUS_AT = 0x0040, 5, 40
"""Of adjtimex(2) and its struct timex, on 64-bit Linux."""
WAIT_S = 3.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of the table."""

    what: str
    found: str
    wanted: str
    verdict: Verdict
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at."""

    name: str
    station: Station
    keys: Path
    folder: Path
    """Where sessions are recorded."""


def all_findings(asked: Asked) -> Iterator[Finding]:
    """Look at everything; what cannot even be looked at is a finding, too."""
    for check in CHECKS:
        try:
            yield from check(asked)
        except Exception as error:  # a check that breaks must not hide the others
            what = check.__name__.strip("_").replace("_", " ")
            yield Finding(what, f"{type(error).__name__}: {error}", "to be looked at", "fail", "tell the developers")


def _versions(asked: Asked) -> Iterator[Finding]:
    found = f"Python {sys.version.split()[0]}, magis-calib {importlib.metadata.version('magis-calib')}"
    yield Finding("versions", found, "Python 3.11 or newer", "ok")
    for line in importlib.metadata.requires("magis-calib") or []:
        need = Requirement(line)
        if need.marker is not None and not any(need.marker.evaluate({"extra": extra}) for extra in ("", "gui")):
            continue
        try:
            version = importlib.metadata.version(need.name)
        except importlib.metadata.PackageNotFoundError:
            yield Finding(need.name, "not installed", str(need.specifier) or "any", "fail", f"pip install '{need}'")
            continue
        if not need.specifier.contains(version, prereleases=True):
            yield Finding(need.name, version, str(need.specifier), "fail", f"pip install '{need}'")


def _window(asked: Asked) -> Iterator[Finding]:
    code = ("from PySide6.QtGui import QGuiApplication; import PySide6; app = QGuiApplication([]); "
            "print(PySide6.__version__, app.platformName())")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=False)
    good = done.returncode == 0
    found = done.stdout.strip() if good else (done.stderr.strip().splitlines() or ["no answer"])[-1][:120]
    remedy = "without a display use --auto; else pip install 'magis-calib[gui]' and packaging/system-libraries.sh"
    yield Finding("Qt", found, "a window system", "ok" if good else "warn", "" if good else remedy)


def _ports(asked: Asked) -> Iterator[Finding]:
    for name in ("camera", "telemetry"):
        endpoint = getattr(asked.station.links, name)
        if not endpoint.startswith("tcp://"):
            continue
        host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("" if host == "*" else host, int(port)))
            except OSError as error:
                yield Finding(f"port of {name}", f"{endpoint}: {error.strerror}", "free", "fail",
                              "is another magis-calib running? `ss -tlnp` names who has it")  # fmt: skip
                continue
        yield Finding(f"port of {name}", f"{endpoint} is free", "free", "ok")


def _keys(asked: Asked) -> Iterator[Finding]:
    if asked.station.links.sockets == "plain":
        yield Finding("keys", 'links.sockets = "plain"', "curve", "warn", "only for tests: docs/security.md")
        return
    try:
        keyring = Keyring.at(asked.keys)
        for name in OWN:
            if name == "application" or (keyring.folder / f"{name}.key").exists():
                keyring.pair(name)
    except ConfigError as error:
        yield Finding("keys", str(error), "secrets of mode 600 and a list", "fail", "magis-calib keys make")
        return
    people = ", ".join(f"{party.name} ({party.role})" for party in keyring.parties().values())
    yield Finding("keys", f"{keyring.folder / ALLOWED}: {people}", "those who belong", "ok")


def _clock(asked: Asked) -> Iterator[Finding]:
    words = ctypes.create_string_buffer(512)  # struct timex, with room
    state = ctypes.CDLL(None, use_errno=True).adjtimex(words)
    status = ctypes.c_int.from_buffer(words, STATUS_AT).value
    good = 0 <= state != TIME_ERROR and not status & STA_UNSYNC
    found = f"{'' if good else 'not '}synchronised, {time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC"
    yield Finding("clock", found, "synchronised: requests carry deadlines", "ok" if good else "warn",
                  "" if good else "start chrony or systemd-timesyncd on all machines")  # fmt: skip


def _disk(asked: Asked) -> Iterator[Finding]:
    probe, block = asked.folder / ".speed", os.urandom(1_000_000)
    try:
        asked.folder.mkdir(parents=True, exist_ok=True)
        began_s = time.monotonic()
        with probe.open("wb") as file:
            for _ in range(PROBE_BYTES // len(block)):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        pace = PROBE_BYTES / (time.monotonic() - began_s)
    except OSError as error:
        yield Finding("disk", f"{asked.folder}: {error.strerror}", "to be written", "fail", "another --session-dir")
        return
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)
    need, free = PAIR_BYTES * DROPS_HZ, shutil.disk_usage(asked.folder).free
    fast: Verdict = "ok" if pace > 2 * need else "warn" if pace > need else "fail"
    yield Finding("disk speed", f"{pace / 1e6:.0f} MB/s, {asked.folder}", f"{need / 1e6:.0f} MB/s for {DROPS_HZ:g} Hz",
                  fast, "" if fast == "ok" else "record onto a faster disk: --session-dir")  # fmt: skip
    hours = free / (PAIR_BYTES / 60.0) / 3600.0
    roomy: Verdict = "ok" if hours > LEAST_HOURS else "warn"
    yield Finding("disk space", f"{free / 1e9:.0f} GB: {hours:.0f} h at a drop a minute", f"{LEAST_HOURS:g} h", roomy,
                  "" if roomy == "ok" else "magis-calib session prune removes old images")  # fmt: skip


def _limits_of_this_process(asked: Asked) -> Iterator[Finding]:
    handles = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    enough: Verdict = "ok" if handles >= LEAST_HANDLES else "warn"
    yield Finding("file handles", str(handles), f"{LEAST_HANDLES} or more", enough,
                  "" if enough == "ok" else "ulimit -Hn; /etc/security/limits.conf")  # fmt: skip
    cores = len(os.sched_getaffinity(0))
    yield Finding("processor cores", str(cores), "2 or more", "ok" if cores >= 2 else "warn")


def _controllers(asked: Asked) -> Iterator[Finding]:
    """Ask both without a hello: whoever has their leases keeps them."""
    lock, links = open_lock(asked.station.links, asked.keys), asked.station.links
    known: dict[str, ParameterFacts] = {}
    try:
        for name in ("laser", "drop_system"):
            client = ControllerClient(lock, name, getattr(links, name), asked.name, f"check-{os.getpid()}", links,
                                      asks_only=True)  # fmt: skip
            try:
                told = _described(client)
            finally:
                client.close()
            if isinstance(told, str):
                yield Finding(name, told, "running", "warn", "start it; magis-sim is one for tests")
                continue
            known |= told
            limits = ", ".join(f"{one.name} [{one.minimum:g}, {one.maximum:g}] {one.unit}" for one in told.values())
            yield Finding(name, limits, "running", "ok")
    finally:
        lock.close()
    if known and (wrong := disagreements(known, asked.station)):
        remedy = "mend the configuration, or the controller"
        yield Finding("controllers' limits", wrong, "as configured", "fail", remedy)


def _described(client: ControllerClient) -> Mapping[str, ParameterFacts] | str:
    """Return what a controller describes, or why it does not."""
    end_s = time.monotonic() + WAIT_S
    while True:
        try:
            return client.describe()
        except ControllerError as error:
            if time.monotonic() > end_s:
                return client.link().detail or str(error)


CHECKS: Sequence[Callable[[Asked], Iterator[Finding]]] = (
    _versions, _window, _ports, _keys, _clock, _disk, _limits_of_this_process, _controllers,
)  # fmt: skip
