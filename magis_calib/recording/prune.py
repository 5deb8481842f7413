"""Remove the raw images of old sessions; estimates, decisions, headers and checksums stay."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

from magis_calib.domain.errors import SessionError
from magis_calib.recording.files import PART, sync_folder, write_new
from magis_calib.recording.listing import Listed
from magis_calib.recording.lock import SessionLock
from magis_calib.recording.proof import differing_in
from magis_calib.recording.reader import segment_paths
from magis_calib.recording.segments.segment import FAILURES, Segment
from magis_calib.recording.segments.sums import ABOUT, ROW, about_crc32, renewed

PRUNED = "pruned"
"""Value of a segment's attribute `raw` once its images were removed."""


@dataclass(frozen=True, slots=True)
class Prunable:
    """One session that is old enough: what its images take, or why it is left alone."""

    path: Path
    age_s: float
    image_bytes: int
    left_alone: str = ""

    def in_words(self) -> str:
        """Say it in one line."""
        what = self.left_alone or f"{self.image_bytes / 1e6:.1f} MB of images"
        return f"{self.path.name}  {self.age_s / 86400.0:.1f} days old  {what}"


def prunable(listed: Listed) -> Prunable:
    """Look what could be removed of a session.

    Raises `SessionError` where it cannot be read after all.
    """
    if listed.problem:
        return Prunable(listed.path, listed.age_s, 0, f"left alone: {listed.problem}")
    if not listed.closed:
        return Prunable(listed.path, listed.age_s, 0, "left alone: not closed")
    size = sum(_image_bytes(one) for one in segment_paths(listed.path))
    return Prunable(listed.path, listed.age_s, size, "" if size else "has no images any more")


def prune(path: Path) -> int:
    """Remove the images of a closed session; return the bytes freed.

    Each segment is replaced whole or not at all.

    Raises `SessionError` where the session is in use or a segment cannot be rewritten.
    """
    lock = SessionLock(path)
    try:
        return sum(_without_images(one) for one in segment_paths(path) if _image_bytes(one))
    finally:
        lock.release()


def _image_bytes(segment: Path) -> int:
    try:
        with h5py.File(segment, "r", locking=False) as file:
            views = [group for name, group in file["entry"].items() if name.startswith("view_")]
            return sum(int(one["counts"].id.get_storage_size()) for one in views if "counts" in one)
    except FAILURES as error:
        raise SessionError(f"{segment}: cannot be read: {error}") from error


def _without_images(segment: Path) -> int:
    """Write the segment anew without its images, and put it in the old one's place with the old
    one's age.
    """
    _refuse_damaged(segment)
    part = segment.with_name(segment.name + PART)
    before = segment.stat().st_size
    try:
        write_new(part, _image(segment))
        shutil.copystat(segment, part)
        after = part.stat().st_size
        os.replace(part, segment)
        sync_folder(segment.parent)
    except FAILURES as error:
        part.unlink(missing_ok=True)
        raise SessionError(f"{segment}: its images cannot be removed: {error}") from error
    return before - after


def _refuse_damaged(path: Path) -> None:
    """Raise `SessionError` where rows or texts are not as written: new checksums would hide it."""
    segment = Segment(path)
    try:
        if found := next(differing_in(segment), ""):
            raise SessionError(
                f"{path}: not as it was written: {found}; magis-calib session repair"
            )
    finally:
        segment.close()


def _image(segment: Path) -> bytes:
    """Return the content of a file without images; it is made in memory."""
    with (
        h5py.File(segment, "r", locking=False) as old,
        h5py.File("pruned", "w", driver="core", backing_store=False, libver="v110") as new,
    ):
        _copy(old, new)
        new.flush()
        image: bytes = new.id.get_file_image()
    return image


def _copy(old: h5py.File, new: h5py.File) -> None:
    """Copy everything but the images, and what points to them."""
    entry = new.create_group("entry")
    for source, target in ((old, new), (old["entry"], entry)):
        _copy_attributes(source, target, without="default")
    entry.attrs["raw"] = PRUNED
    for name, item in old["entry"].items():
        if name.startswith("view_"):
            view = entry.create_group(name)
            _copy_attributes(item, view)
            for key in item.keys() - {"counts"}:
                old.copy(item[key], view, key)
        elif name != "latest":
            old.copy(item, entry, name)
    if "frames" in entry:
        table = entry["frames"][:]
        table["counts_crc32"] = 0
        entry["frames"][:] = renewed(table) if ROW in table.dtype.names else table
    if ABOUT in old.attrs:
        new.attrs[ABOUT] = np.uint32(about_crc32(new))


def _copy_attributes(source: h5py.Group, target: h5py.Group, without: str = "") -> None:
    for name, value in source.attrs.items():
        if name != without:
            target.attrs[name] = value
