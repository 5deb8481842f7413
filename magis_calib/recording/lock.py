"""Who writes a session: one program at a time."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import re
import socket
from pathlib import Path

from magis_calib.domain.errors import SessionError
from magis_calib.recording.files import HELD, LOCK

NO_LOCKS = frozenset({errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS})
"""What flock(2) answers where the file system has no locks."""


class SessionLock:
    """Says that somebody writes a session. It falls when its holder ends, however that happens.

    Where the file system has no locks, a file that names its holder stands in; a later program on
    the same machine sees that its holder is gone.
    """

    def __init__(self, path: Path) -> None:
        """Take it. Raises `SessionError` where somebody else holds it."""
        self._held: Path | None = None
        try:
            path.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file = os.open(path / LOCK, flags, 0o666)
        except OSError as error:
            raise SessionError(f"{path}: cannot make the session folder: {error}") from error
        try:
            self._take(path)
        except BaseException:
            os.close(self._file)
            raise
        with contextlib.suppress(OSError):  # the lock holds even where a full disk takes no name
            os.ftruncate(self._file, 0)
            os.pwrite(self._file, _me().encode(), 0)

    def release(self) -> None:
        """Let go."""
        if self._held is not None:
            self._held.unlink(missing_ok=True)
            self._held = None
        with contextlib.suppress(OSError):
            os.close(self._file)

    def _take(self, path: Path) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in NO_LOCKS:
                self._held = _stand_in(path / HELD)
                return
            if error.errno != errno.EWOULDBLOCK:
                raise SessionError(f"{path}: cannot be locked: {error.strerror}") from error
            owner = os.pread(self._file, 200, 0).decode(errors="replace").strip() or "somebody"
            raise SessionError(f"{path}: is being written by {owner}") from error


def locks_work(folder: Path) -> bool:
    """Whether the file system of a folder has locks. Raises `OSError`."""
    probe = folder / f".{LOCK}-{os.getpid()}"
    descriptor = os.open(probe, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in NO_LOCKS:
            return False
        raise
    finally:
        os.close(descriptor)
        probe.unlink(missing_ok=True)
    return True


def _stand_in(path: Path) -> Path:
    """Make the file that stands in for a lock. Raises `SessionError`."""
    for _ in range(2):
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(_me())
            return path
        except FileExistsError:
            _remove_if_left(path)
        except OSError as error:
            raise SessionError(f"{path}: cannot be made: {error.strerror}") from error
    raise SessionError(f"{path.parent}: is being written by somebody")


def _remove_if_left(path: Path) -> None:
    """Remove the stand-in of a holder that is gone. Raises `SessionError` where it may be there."""
    try:
        owner = path.read_text(encoding="utf-8")
    except OSError:
        return
    if not _is_gone(owner):
        raise SessionError(
            f"{path.parent}: is being written by {owner.partition(' begun')[0] or 'somebody'} "
            f"(this file system has no locks: remove {path} if nobody writes)"
        )
    taken = path.with_name(f"{path.name}-{os.getpid()}")
    with contextlib.suppress(OSError):
        path.rename(taken)
        taken.unlink()


def _is_gone(owner: str) -> bool:
    """Whether who is named so ran on this machine, and runs no more."""
    named = _OWNER.fullmatch(owner)
    if named is None or named["host"] != socket.gethostname():
        return False
    return named["begun"] != _begun(int(named["process"]))


_OWNER = re.compile(r"process (?P<process>\d+) on (?P<host>.+) begun (?P<begun>\w+)")


def _me() -> str:
    pid = os.getpid()
    return f"process {pid} on {socket.gethostname()} begun {_begun(pid)}"


def _begun(process: int) -> str:
    """Return when a process began, in ticks since the machine did; "gone" where it is not there."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return "gone"
