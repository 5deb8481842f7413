"""What a session holds as files that every program reads.

Tables as CSV or Parquet, images as TIFF.
"""

from __future__ import annotations

import contextlib
import csv
import os
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any, Literal

from PIL import Image

from magis_calib.domain.camera import Frame, View
from magis_calib.domain.errors import SessionError
from magis_calib.domain.serial import to_json
from magis_calib.recording.files import PART
from magis_calib.recording.reader import Session
from magis_calib.recording.tables import dataframe, flat

TableFormat = Literal["csv", "parquet"]
DESCRIPTION = 270
"""TIFF tag ImageDescription."""
UNFINISHED = ".export-unfinished"
"""File that names the session whose export is under way, or was killed."""


@contextlib.contextmanager
def exporting(session: Session, folder: Path) -> Iterator[None]:
    """Say in a folder that it is being exported into, as long as not all of it is there.

    A call that was killed is gone on with by the next one. Raises `SessionError` where the folder
    holds other files, `OSError`.
    """
    mark = folder / UNFINISHED
    name = session.path.resolve().name
    begun = mark.is_file() and mark.read_text(encoding="utf-8") in ("", name)
    if not begun and folder.exists() and any(folder.iterdir()):
        raise SessionError(f"{folder}: wanted a new or empty folder, got one with files")
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text(name, encoding="utf-8")
    for part in folder.glob(f"*{PART}"):
        part.unlink()
    yield
    mark.unlink()


def export_table(session: Session, name: str, folder: Path, kind: TableFormat) -> Path:
    """Write one table as `<folder>/<name>.<kind>`, SI; return the file.

    Raises `SessionError`, `OSError`.
    """
    file = folder / f"{name}.{kind}"
    part = _part_of(file)
    if kind == "csv":
        _write_csv(session, name, part)
    else:
        try:
            dataframe(session, name).to_parquet(part)
        except ImportError as error:
            raise SessionError(
                "Parquet needs pyarrow: pip install 'magis-calib[analysis]'"
            ) from error
    os.replace(part, file)
    return file


def export_images(
    session: Session, folder: Path, drops: Collection[int] | None, views: Collection[View]
) -> Iterator[Path]:
    """Write images as `<folder>/drop-<number>-<view>.tif`, counts as delivered; yield each file.

    `drops`: all where None. The frame's header and the camera's facts stand in the image
    description, as JSON. Raises `SessionError` where a frame is damaged, `OSError`.
    """
    for drop_id, view in session.frames:
        if view not in views or (drops is not None and drop_id not in drops):
            continue
        frame = session.frame_as_stored(drop_id, view)
        if frame is not None:
            yield _write_tiff(frame, folder / f"drop-{drop_id:06d}-{view}.tif")


def _write_tiff(frame: Frame, file: Path) -> Path:
    part = _part_of(file)
    tags = {DESCRIPTION: _description(frame)}
    Image.fromarray(frame.counts).save(part, format="TIFF", tiffinfo=tags)
    os.replace(part, file)
    return file


def _part_of(file: Path) -> Path:
    """Return the name of a file that is not whole yet."""
    return file.with_name(file.name + PART)


def _description(frame: Frame) -> str:
    """Return header and facts as JSON in ASCII, which is all that TIFF allows."""
    told = to_json({"header": frame.header, "facts": frame.facts})
    return told.encode("ascii", errors="backslashreplace").decode()


def _write_csv(session: Session, name: str, file: Path) -> None:
    columns = flat(session, name)
    with file.open("w", newline="", encoding="utf-8") as open_file:
        writer = csv.writer(open_file)
        writer.writerow(columns)
        writer.writerows(
            map(_cells, zip(*(values.tolist() for values in columns.values()), strict=True))
        )


def _cells(row: tuple[Any, ...]) -> list[Any]:
    """What there is not stays empty; numbers read back to the last bit."""
    return [
        "" if value != value else repr(value) if isinstance(value, float) else value
        for value in row
    ]
