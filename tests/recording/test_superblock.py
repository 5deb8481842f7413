"""The superblock of a segment as HDF5 writes it."""

from __future__ import annotations

from pathlib import Path

import h5py
import pytest

from magis_calib.recording.segments.superblock import (
    SIZE,
    checksum,
    end_of_file,
    left_open,
    said_closed,
)


@pytest.fixture
def left(tmp_path: Path) -> Path:
    """A file as a killed writer leaves it."""
    path, copy = tmp_path / "written.h5", tmp_path / "left.h5"
    with h5py.File(path, "w", libver="v110") as file:
        numbers = file.create_dataset("numbers", (0,), "i4", maxshape=(None,), chunks=(4,))
        file.swmr_mode = True
        numbers.resize(9, axis=0)
        numbers[:] = range(9)
        file.flush()
        copy.write_bytes(path.read_bytes())
    assert not left_open(path.read_bytes()[:SIZE])
    assert end_of_file(path.read_bytes()[:SIZE]) == path.stat().st_size
    return copy


def test_the_checksum_is_that_of_hdf5(left: Path, tmp_path: Path) -> None:
    for path in (left, tmp_path / "written.h5"):
        head = path.read_bytes()[:SIZE]
        assert checksum(head[:44]) == int.from_bytes(head[44:], "little")


def test_a_file_that_a_killed_writer_left_is_opened_once_it_is_said_closed(left: Path) -> None:
    data = left.read_bytes()
    assert left_open(data[:SIZE])
    with pytest.raises(OSError, match="already open for write"):
        h5py.File(left, "r")
    left.write_bytes(said_closed(data[:SIZE], len(data)) + data[SIZE:])
    with h5py.File(left, "r") as file:
        assert file["numbers"][:].tolist() == list(range(9))


@pytest.mark.parametrize("head", [b"", b"\x89HDF", bytes(11)])
def test_what_is_too_short_is_not_open(head: bytes) -> None:
    assert not left_open(head)
