"""Which files of a session's folder the program made, and what it says of them.

`session.json` names the session, its station and every segment that was begun. It, `final.json` and
`certificate.json` end with a checksum of what stands before it.
"""

from __future__ import annotations

import json
import os
import re
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magis_calib.domain.errors import SessionError
from magis_calib.domain.serial import to_json

SESSION, FINAL = "session.json", "final.json"
LOCK, HELD = "lock", "lock.held"
PART = ".part"
CHECKSUM = "checksum"
_SEGMENT = re.compile(r"segment-(\d{4,})\.h5")
_FOLDER = re.compile(r"\d{8}T\d{6}Z_(.+)_[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class Told:
    """What `session.json` says."""

    session: str
    """Name of the folder that it was written into: a copy has another one."""
    station: str
    segments: tuple[str, ...]


def segment_number(name: str) -> int | None:
    """Return the number of a segment by the name of its file; None for any other file."""
    found = _SEGMENT.fullmatch(name)
    return int(found[1]) if found else None


def segments_in(folder: Path) -> list[Path]:
    """Return the segments in a folder in their order; none where it is no folder."""
    found = [one for one in folder.glob("segment-*.h5") if segment_number(one.name) is not None]
    return sorted(found, key=lambda one: segment_number(one.name) or 0)


def strangers_in(folder: Path) -> list[str]:
    """Return the names of files that look like segments, and are none: copies, most of the time."""
    found = (one.name for one in folder.glob("segment-*.h5*"))
    return sorted(one for one in found if segment_number(one.removesuffix(PART)) is None)


def station_by_name(folder: Path) -> str:
    """Return the station in a folder's name; empty where the program would not have named it so."""
    found = _FOLDER.fullmatch(folder.name)
    return found[1] if found else ""


def cleared(folder: Path) -> Sequence[str]:
    """Remove the folder of a run that recorded nothing, but nothing that the program did not make.

    Return what is left in it. Raises `OSError`.
    """
    for path in folder.iterdir():
        begun = path.suffix == PART and segment_number(path.stem) is not None
        if (begun or path.name in (LOCK, HELD)) and path.is_file() and not path.is_symlink():
            path.unlink()
    left = sorted(one.name for one in folder.iterdir())
    if not left:
        folder.rmdir()
    return left


def told_of(folder: Path) -> Told | None:
    """Return what `session.json` says; None where there is none, as in older sessions.

    Raises `SessionError` where it is not as it was written.
    """
    if not (folder / SESSION).exists():
        return None
    table = read_sealed(folder / SESSION, sealed=True)
    try:
        return Told(table["session"], table["station"], tuple(map(str, table["segments"])))
    except (KeyError, TypeError) as error:
        raise SessionError(f"{folder / SESSION}: is not as it was written") from error


def tell(folder: Path, told: Told) -> None:
    """Write `session.json`. Raises `OSError`."""
    write_sealed(folder / SESSION, told)


def write_sealed(path: Path, value: Any) -> None:
    """Replace a file of JSON whose last entry is a checksum. Raises `OSError`."""
    table = json.loads(to_json(value))
    write_text(path, to_json({**table, CHECKSUM: _checksum(table)}))


def read_sealed(path: Path, *, sealed: bool) -> Mapping[str, Any]:
    """Return what `write_sealed` wrote; without `sealed` also what was written before it was there.

    Raises `SessionError` where it is not as it was written.
    """
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SessionError(f"{path}: cannot be read: {error}") from error
    if not isinstance(table, dict):
        raise SessionError(f"{path}: wanted a table of JSON, got another value")
    told = table.pop(CHECKSUM, None)
    if (sealed or told is not None) and told != _checksum(table):
        raise SessionError(f"{path}: is not as it was written: its checksum is another")
    return table


def _checksum(table: Mapping[str, Any]) -> str:
    return f"{zlib.crc32(to_json(table).encode()):08x}"


def write_text(path: Path, text: str) -> None:
    """Replace a file as a whole, or not at all, and bring it onto the disk. Raises `OSError`."""
    temporary = path.with_name(path.name + PART)
    write_new(temporary, text.encode())
    os.replace(temporary, path)
    sync_folder(path.parent)


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is no other's, in place of what a killed program left. Raises `OSError`."""
    path.unlink(missing_ok=True)
    with path.open("xb", buffering=0) as file:
        left = memoryview(content)
        while left:
            left = left[file.write(left) :]
        os.fsync(file.fileno())


def sync_folder(path: Path) -> None:
    """Bring the names in a folder onto the disk. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
