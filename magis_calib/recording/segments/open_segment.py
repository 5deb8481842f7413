"""The segment that is being written."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

from magis_calib.domain.errors import SessionError
from magis_calib.recording.files import PART, sync_folder, write_new
from magis_calib.recording.segments.superblock import SIZE, end_of_file, left_open


class OpenSegment:
    """Appends to the datasets of one file. Raises as HDF5 and the system do.

    Its datasets stay open: what a dataset still holds when it is closed HDF5 writes then, and h5py
    tells nobody where that fails. Held open, `flush` tells. Rows come onto the disk after what they
    speak of.
    """

    def __init__(self, path: Path, image: bytes) -> None:
        """Write a file of this content; it bears its name only from when others can read it."""
        self.path = path
        begun = path.with_name(path.name + PART)
        write_new(begun, image)
        try:
            self._file = _appending(begun)
            begun.rename(path)
        except BaseException:
            begun.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
        self._datasets = _growing(self._file)
        self._unwritten: set[str] = set()
        self._waiting: list[tuple[str, Any]] = []
        self._rows = {name: int(one.shape[0]) for name, one in self._datasets.items()}
        self._descriptor: int = self._file.id.get_vfd_handle()
        self.footprint = Footprint.of(os.fstat(self._descriptor))

    @property
    def size_bytes(self) -> int:
        """How long the file is."""
        return os.fstat(self._descriptor).st_size

    def append(self, name: str, value: Any) -> int:
        """Append an image or a text to a dataset and return its place."""
        place = self._put(name, value)
        self._unwritten.add(name)
        self.footprint = Footprint.of(os.fstat(self._descriptor))
        return place

    def append_row(self, name: str, row: Any) -> None:
        """Append a row to a table, with the next commit."""
        self._waiting.append((name, row))

    def commit(self) -> None:
        """Bring everything that was appended onto the disk."""
        self._flush(self._unwritten)
        self._unwritten = set()
        for name, row in self._waiting:
            self._put(name, row)
        self._flush({name for name, _ in self._waiting})
        self._waiting = []
        self._file.flush()
        os.fsync(self._descriptor)
        self.footprint = Footprint.of(os.fstat(self._descriptor))

    def _flush(self, names: set[str]) -> None:
        """Write what these datasets hold, each before its new size.

        The flush of a whole file goes on after a failure, and would write the sizes.
        """
        for name in names:
            self._datasets[name].flush()

    def _put(self, name: str, value: Any) -> int:
        dataset, place = self._datasets[name], self._rows[name]
        dataset.resize(place + 1, axis=0)
        dataset[place] = value
        self._rows[name] = place + 1
        return place

    def touched(self) -> str:
        """Say what somebody else did to the file since it was written to; empty for nothing."""
        return self.footprint.other(self.path, self._descriptor)

    def close(self) -> Footprint:
        """Close what was committed, and look whether it was; return what the file looks like."""
        self._datasets = {}
        self._file.close()
        found = Footprint.of(self.path.stat())
        with self.path.open("rb") as file:
            head = file.read(SIZE)
        if left_open(head) or end_of_file(head) != found.size_bytes:
            end_without_hdf5()
            raise SessionError(f"{self.path}: could not be closed: what it holds can be read")
        return found

    def abandon(self) -> None:
        """Give the file up after a failure: it stays as it is on the disk."""
        end_without_hdf5()
        with contextlib.suppress(OSError, RuntimeError, ValueError):
            self._write_no_more()  # before the datasets go, which write what they hold
            self._datasets = {}
            self._file.close()

    def _write_no_more(self) -> None:
        """Let HDF5 write to nowhere: it would bring half of what it holds into the file."""
        nowhere = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        os.dup2(nowhere, self._descriptor)
        os.close(nowhere)


@dataclass(frozen=True, slots=True)
class Footprint:
    """By what one sees that a file is the same, and was not written to."""

    device: int
    inode: int
    size_bytes: int
    written_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Footprint:
        """Return that of a file."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    def other(self, path: Path, descriptor: int | None = None) -> str:
        """Say what became of the file that stood at `path`; empty where it is as it was.

        `descriptor`: of whoever holds it open.
        """
        try:
            now = Footprint.of(path.stat())
        except OSError:
            return "is not there any more" if descriptor is None else _whereabouts(descriptor)
        if (now.device, now.inode) != (self.device, self.inode):
            return "was replaced by another file"
        if now.size_bytes < self.size_bytes:
            return f"was cut from {self.size_bytes} to {now.size_bytes} bytes"
        return "" if now == self else "was written to by somebody else"


def _whereabouts(descriptor: int) -> str:
    """Say what became of an open file that has lost its name."""
    if not os.fstat(descriptor).st_nlink:
        return "was deleted"
    return f"was moved to {os.readlink(f'/proc/self/fd/{descriptor}')}"


def _appending(path: Path) -> h5py.File:
    """Open a file so that others can read it from the first moment on."""
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_LATEST)
    access.set_file_locking(False, True)  # the session has a lock, and some disks have none
    flags = h5py.h5f.ACC_RDWR | h5py.h5f.ACC_SWMR_WRITE
    return h5py.File(h5py.h5f.open(os.fsencode(path), flags, access))


def _growing(file: h5py.File) -> dict[str, h5py.Dataset]:
    """Return all datasets that can grow, by name."""
    found: dict[str, h5py.Dataset] = {}

    def look(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and None in item.maxshape:
            found[name] = item

    file.visititems(look)
    return found


@functools.cache
def end_without_hdf5() -> None:
    """Let this process end without libhdf5's own farewell, whatever its exit code.

    After a file could not be flushed libhdf5 2.0 tries to close it once more when the process ends,
    and crashes there. What on_exit(3) is given last is called first, with the exit code: here
    _exit(2). Does nothing without glibc.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "on_exit"):
        library.on_exit(getattr(library, "_exit"), None)  # noqa: B009 - a function of libc
