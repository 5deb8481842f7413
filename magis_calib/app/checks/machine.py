"""Whether this machine is as `magis-calib` needs it: one function for each thing to look at."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement

from magis_calib.app.checks.finding import Asked, Check, CheckOutcome, Finding
from magis_calib.recording.lock import locks_work

PAIR_BYTES = 25_200_000
DROPS_HZ = 3.0
"""Two frames of 2048 x 3072 pixels, and the pace to keep up with."""
PROBE_BYTES = 256_000_000
LEAST_HOURS = 8.0
LEAST_HANDLES = 4096
STA_UNSYNC, TIME_ERROR, STATUS_AT = 0x0040, 5, 40
"""Of adjtimex(2) and its struct timex, on 64-bit Linux."""


def _versions(asked: Asked) -> Iterator[Finding]:
    found = (
        f"Python {sys.version.split()[0]}, magis-calib {importlib.metadata.version('magis-calib')}"
    )
    yield Finding("versions", found, "Python 3.11 or newer", "ok")
    for line in importlib.metadata.requires("magis-calib") or []:
        need = Requirement(line)
        unfit = _unfit(need) if _wanted_here(need) else ""
        if unfit:
            wanted = str(need.specifier) or "any"
            yield Finding(need.name, unfit, wanted, "fail", f"pip install '{need}'")


def _wanted_here(need: Requirement) -> bool:
    marker = need.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", "gui"))


def _unfit(need: Requirement) -> str:
    """Return the version that is there, or that none is; empty where it is as needed."""
    try:
        version = importlib.metadata.version(need.name)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
    return "" if need.specifier.contains(version, prereleases=True) else version


def _window(asked: Asked) -> Iterator[Finding]:
    code = (
        "from PySide6.QtGui import QGuiApplication; import PySide6; app = QGuiApplication([]); "
        "print(PySide6.__version__, app.platformName())"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, timeout=30, check=False
    )
    good = done.returncode == 0
    found = (
        done.stdout.strip()
        if good
        else (done.stderr.strip().splitlines() or ["no answer"])[-1][:120]
    )
    remedy = (
        "without a display use --auto; else pip install 'magis-calib[gui]' and "
        "packaging/system-libraries.sh"
    )
    yield Finding("Qt", found, "a window system", "ok" if good else "warn", "" if good else remedy)


def _clock(asked: Asked) -> Iterator[Finding]:
    words = ctypes.create_string_buffer(512)  # struct timex, with room
    state = ctypes.CDLL(None, use_errno=True).adjtimex(words)
    status = ctypes.c_int.from_buffer(words, STATUS_AT).value
    good = 0 <= state != TIME_ERROR and not status & STA_UNSYNC
    found = (
        f"{'' if good else 'not '}synchronised, "
        f"{time.strftime('%Y-%m-%d %H:%M:%S', time.gmtime())} UTC"
    )
    yield Finding(
        "clock",
        found,
        "synchronised: requests carry deadlines",
        "ok" if good else "warn",
        "" if good else "start chrony or systemd-timesyncd on all machines",
    )


def _disk(asked: Asked) -> Iterator[Finding]:
    try:
        pace_bytes_per_s = _bytes_per_s(asked.folder)
    except OSError as error:
        yield Finding(
            "disk",
            f"{asked.folder}: {error.strerror}",
            "to be written",
            "fail",
            "another --session-dir",
        )
        return
    yield _disk_speed(asked.folder, pace_bytes_per_s)
    yield _disk_space(asked.folder)
    yield _locks(asked.folder)


def _bytes_per_s(folder: Path) -> float:
    """Write into this folder as fast as it goes, and leave nothing there. Raises `OSError`."""
    probe = folder / ".speed"
    block = os.urandom(1_000_000)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        began_s = time.monotonic()
        with probe.open("wb") as file:
            for _ in range(PROBE_BYTES // len(block)):
                file.write(block)
            file.flush()
            os.fsync(file.fileno())
        return PROBE_BYTES / (time.monotonic() - began_s)
    finally:
        with contextlib.suppress(OSError):
            probe.unlink(missing_ok=True)


def _disk_speed(folder: Path, pace_bytes_per_s: float) -> Finding:
    need = PAIR_BYTES * DROPS_HZ
    fast: CheckOutcome = (
        "ok" if pace_bytes_per_s > 2 * need else "warn" if pace_bytes_per_s > need else "fail"
    )
    return Finding(
        "disk speed",
        f"{pace_bytes_per_s / 1e6:.0f} MB/s, {folder}",
        f"{need / 1e6:.0f} MB/s for {DROPS_HZ:g} Hz",
        fast,
        "" if fast == "ok" else "record onto a faster disk: --session-dir",
    )


def _disk_space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    hours = free / (PAIR_BYTES / 60.0) / 3600.0
    roomy: CheckOutcome = "ok" if hours > LEAST_HOURS else "warn"
    return Finding(
        "disk space",
        f"{free / 1e9:.0f} GB: {hours:.0f} h at a drop a minute",
        f"{LEAST_HOURS:g} h",
        roomy,
        "" if roomy == "ok" else "magis-calib session prune removes old images",
    )


def _locks(folder: Path) -> Finding:
    """Say whether one program at a time can be held to write a session."""
    if locks_work(folder):
        return Finding("file locks", f"work, {folder}", "one writer a session", "ok")
    found = f"this file system has none, {folder}: a file stands in"
    remedy = "let one machine write here, or mount it with locks"
    return Finding("file locks", found, "one writer a session", "warn", remedy)


def _limits_of_this_process(asked: Asked) -> Iterator[Finding]:
    handles = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    enough: CheckOutcome = "ok" if handles >= LEAST_HANDLES else "warn"
    yield Finding(
        "file handles",
        str(handles),
        f"{LEAST_HANDLES} or more",
        enough,
        "" if enough == "ok" else "ulimit -Hn; /etc/security/limits.conf",
    )
    cores = len(os.sched_getaffinity(0))
    yield Finding("processor cores", str(cores), "2 or more", "ok" if cores >= 2 else "warn")


MACHINE_CHECKS: Sequence[Check] = (_versions, _window, _clock, _disk, _limits_of_this_process)
