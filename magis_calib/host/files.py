"""Files of a user's: read within bounds, written in place of regular files only."""

from __future__ import annotations

import contextlib
import os
import stat
import tempfile
from pathlib import Path

TEXT_BYTES = 16_000_000
"""The largest text that is read: configurations, plans, products, lists."""


def read_bytes(path: Path, most_bytes: int) -> bytes:
    """Return what a regular file holds. Raises `OSError` for another thing, or a larger one."""
    # a pipe that nobody writes to would hold whoever opens it
    handle = _only_file(path, os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC))
    with os.fdopen(handle, "rb") as file:
        data = file.read(most_bytes + 1)
    if len(data) > most_bytes:
        raise OSError(f"wanted a file of at most {most_bytes / 1e6:g} MB")
    return data


def read_text(path: Path, most_bytes: int = TEXT_BYTES) -> str:
    """Return the text (UTF-8, with or without byte-order mark) of a regular file.

    Raises `OSError`, which also stands for other encodings.
    """
    try:
        return read_bytes(path, most_bytes).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise OSError(f"wanted a text in UTF-8, got another byte at {error.start}") from error


def refuse_other_than_file(path: Path, mode: int) -> None:
    """Raise `OSError` unless this is the mode of a regular file."""
    if stat.S_ISREG(mode):
        return
    kinds = {stat.S_IFLNK: "a link", stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe"}
    got = kinds.get(stat.S_IFMT(mode), "a device or socket")
    if stat.S_ISLNK(mode):
        got += f" to {os.readlink(path)}: name that file itself"
    raise OSError(f"wanted a regular file, got {got}")


def refuse_unwritable(path: Path) -> None:
    """Raise `OSError` where `replace_text` could not write."""
    folder = path.absolute().parent
    if not folder.is_dir():
        raise OSError(f"wanted an existing folder, got {folder}")
    if (known := _status(path)) is not None:
        refuse_other_than_file(path, known.st_mode)
    if not os.access(folder, os.W_OK):
        raise OSError(f"wanted a folder that may be written to, got {folder}")


def replace_text(path: Path, text: str, mode: int = 0o666) -> None:
    """Write a whole text or nothing, as `replace_bytes` does. Raises `OSError`."""
    replace_bytes(path, text.encode(errors="backslashreplace"), mode)


def replace_bytes(path: Path, data: bytes, mode: int = 0o666) -> None:
    """Write a whole file or nothing, in place of a regular file or as a new one of this mode.

    Mode and owner of what was there stay. Raises `OSError`.
    """
    known = _status(path)
    if known is not None:
        refuse_other_than_file(path, known.st_mode)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            _make_alike(file.fileno(), known, mode)
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise
    _sync(path.parent)


def open_to_append(path: Path) -> int:
    """Return a handle that appends to a regular file, made where there is none.

    Raises `OSError`.
    """
    return _opened(path, os.O_APPEND)


def open_anew(path: Path) -> int:
    """Return a handle that writes a regular file from its beginning. Raises `OSError`."""
    handle = _opened(path, 0)
    os.ftruncate(handle, 0)
    return handle


def _opened(path: Path, how: int) -> int:
    if (known := _status(path)) is not None:
        refuse_other_than_file(path, known.st_mode)
    flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return _only_file(path, os.open(path, flags | how, 0o666))


def _only_file(path: Path, handle: int) -> int:
    """Return the handle of a regular file; close that of another thing and raise `OSError`."""
    try:
        refuse_other_than_file(path, os.fstat(handle).st_mode)
    except OSError:
        os.close(handle)
        raise
    return handle


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def _make_alike(handle: int, known: os.stat_result | None, usual: int) -> None:
    """Give a new file the mode and owner of the one whose place it takes, or the usual mode."""
    if known is None:
        os.umask(mask := os.umask(0))
        os.fchmod(handle, usual & ~mask)
        return
    mine = os.fstat(handle)
    if (mine.st_uid, mine.st_gid) != (known.st_uid, known.st_gid):
        try:
            os.fchown(handle, known.st_uid, known.st_gid)
        except PermissionError as error:
            raise OSError("it belongs to somebody else, whose it could not stay") from error
    os.fchmod(handle, stat.S_IMODE(known.st_mode))


def _sync(folder: Path) -> None:
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
