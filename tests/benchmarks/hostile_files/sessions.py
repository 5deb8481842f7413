"""Thirty hostile sessions, made of one of a simulated station."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import hdf5plugin
import numpy as np

from magis_calib.host.child import python_module

_FILTERS = hdf5plugin.FILTERS
DROPS = 5
Spoil = Callable[[Path], object]


def in_record(change: Callable[[dict[str, Any]], object]) -> Spoil:
    """Return what changes the third record."""
    return in_text("records", 2, change)


def in_text(name: str, place: int, change: Callable[[dict[str, Any]], object]) -> Spoil:
    """Return what changes a JSON text of the segment."""

    def spoil(segment: Path) -> None:
        with h5py.File(segment, "r+") as file:
            texts = file["entry"][name]
            table = json.loads(bytes(texts[place] if texts.shape else texts[()]))
            change(table)
            raw = np.bytes_(json.dumps(table).encode())
            if texts.shape:
                texts[place] = raw
                return
            del file["entry"][name]
            file["entry"].create_dataset(name, data=raw)

    return spoil


def raw_record(text: bytes) -> Spoil:
    """Return what puts another text in place of the third record."""

    def spoil(segment: Path) -> None:
        with h5py.File(segment, "r+") as file:
            file["entry/records"][2] = np.bytes_(text)

    return spoil


def replaced(name: str, **options: Any) -> Spoil:
    """Return what puts another dataset in place of this one."""

    def spoil(segment: Path) -> None:
        with h5py.File(segment, "r+") as file:
            kind = file["entry"][name].dtype
            del file["entry"][name]
            file["entry"].create_dataset(name, **{"dtype": kind, **options})

    return spoil


def rows(name: str, column: str, value: Any) -> Spoil:
    """Return what writes a value into a column of a table."""

    def spoil(segment: Path) -> None:
        with h5py.File(segment, "r+") as file:
            table = file["entry"][name][:]
            table[column] = value
            file["entry"][name][:] = table

    return spoil


def attribute(place: str, name: str, value: Any) -> Spoil:
    """Return what changes an attribute."""

    def spoil(segment: Path) -> None:
        with h5py.File(segment, "r+") as file:
            file[place].attrs[name] = value

    return spoil


def texts_for_numbers(segment: Path) -> None:
    """Make all numbers of the estimates texts."""
    with h5py.File(segment, "r+") as file:
        kind = file["entry/estimates"].dtype
        names = [(name, "S8", kind[name].shape) for name in kind.names]
        count = len(file["entry/estimates"])
        del file["entry/estimates"]
        file["entry"].create_dataset("estimates", data=np.zeros(count, np.dtype(names)))


def instead(make: Spoil) -> Spoil:
    """Return what puts another thing in place of the segment."""

    def spoil(segment: Path) -> None:
        segment.unlink()
        make(segment)

    return spoil


def far_apart(segment: Path) -> None:
    """Number the drops so that hundreds of millions lie between."""
    with h5py.File(segment, "r+") as file:
        kind = file["entry/announcements"].dtype
        told = np.zeros(5000, kind)
        told["drop_id"] = np.arange(5000) * 99_000
        del file["entry/announcements"]
        file["entry"].create_dataset("announcements", data=told)


ROWS = 10_000_000
SPOILED: dict[str, Spoil] = {
    "text-for-number": in_record(lambda one: one["estimate"]["values"].update(x_m="far")),
    "list-for-table": in_record(lambda one: one["estimate"].update(values=[1, 2])),
    "year-39381": in_record(lambda one: one.update(time_ns=39_381 * 31_557_600 * 10**9)),
    "before-1970": in_record(lambda one: one.update(time_ns=-(10**18))),
    "large-number": in_record(lambda one: one["decision"].update(effective_drop=10**400)),
    "no-decision": in_record(lambda one: one.pop("decision")),
    "unknown-field": in_record(lambda one: one["decision"].update(evil=1)),
    "outcome": in_record(lambda one: one["decision"].update(outcome="\x1b[2Jwon")),
    "observables": in_record(lambda one: one["estimate"]["values"].pop("x_m")),
    "verdicts": in_record(lambda one: one["decision"].update(verdicts=[1, "a", {}])),
    "stages": in_record(lambda one: one.update(stage_s={"fit": None, "\n": "a"})),
    "deep": raw_record(b'{"a":' * 9000),
    "not-json": raw_record(b"\xff\xfe{"),
    "a-list": raw_record(b"[1, 2, 3]"),
    "header": in_text("view_x/headers", 1, lambda one: one.update(drop_id="a", rows=-5)),
    "configuration": in_text("configuration", 0, lambda one: one.update(stations=[1])),
    "long-configuration": replaced("configuration", shape=(), dtype="S2000000000"),
    "texts-for-numbers": texts_for_numbers,
    "hollow-frames": replaced("frames", shape=(ROWS,), chunks=(64,)),
    "hollow-estimates": replaced("estimates", shape=(ROWS,), chunks=(64,)),
    "hollow-records": replaced("records", shape=(ROWS,), chunks=(1,)),
    "wide-records": replaced("records", shape=(5,), dtype="S1500000000"),
    "hollow-images": replaced("view_x/counts", shape=(5, 40_000, 40_000), chunks=(1, 2000, 2000)),
    "wide-chunks": replaced(
        "view_x/counts", shape=(5, 64, 64), chunks=(1, 30_000, 30_000),
        maxshape=(None, None, None), compression=1,
    ),
    "views": rows("frames", "view", b"q"),
    "places": rows("frames", "place", 10**12),
    "facts": attribute("entry/view_x", "rows", "many"),
    "identity": attribute("entry", "identity", "{[}"),
    "schema": attribute("entry", "schema", "two"),
    "far-apart": far_apart,
    "pipe": instead(os.mkfifo),
    "device": instead(lambda path: path.symlink_to("/dev/zero")),
}  # fmt: skip


def written(folder: Path) -> list[Path]:
    """Record a session, and return copies of it with something spoilt in each."""
    words = ["--simulate", "--auto", "--sensor", "small", "--interval", "0"]
    command = [*words, "--drops", str(DROPS), "--session-dir", str(folder / "good")]
    subprocess.run(
        python_module("magis_calib", *command), stdout=subprocess.DEVNULL, check=True, timeout=120
    )
    (good,) = (folder / "good").iterdir()
    found = []
    for name, spoil in SPOILED.items():
        copy = folder / name
        shutil.copytree(good, copy)
        spoil(copy / "segment-0001.h5")
        found.append(copy)
    return found
