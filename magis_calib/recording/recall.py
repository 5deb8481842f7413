"""One drop out of a session with its images, read by a child.

A damaged file cannot crash or hang who asks.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from magis_calib.domain.camera import VIEWS, CameraFacts, Frame, FrameHeader, View
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import SessionError
from magis_calib.domain.serial import plain, record_from_json, to_json
from magis_calib.host.child import BEGUN, python_module, say_begun, why_not_begun
from magis_calib.recording.reader import Session

PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Recalled:
    """What a session holds of one drop."""

    record: DropRecord
    frames: Mapping[View, Frame]
    """Those that were kept whole."""


def recall(session: Path, drop_id: int, patience_s: float = PATIENCE_S) -> Recalled:
    """Return one drop, also of a session that is being written. Blocks; raises `SessionError`."""
    command = python_module("magis_calib.recording.recall", str(session), str(drop_id))
    try:
        done = subprocess.run(command, capture_output=True, check=False, timeout=patience_s)
        begun, _, rest = done.stdout.partition(b"\n")
        head, _, pixels = rest.partition(b"\n")
        if begun.decode(errors="replace") != BEGUN:
            raise SessionError(f"{session}: {why_not_begun(done.stderr.decode(errors='replace'))}")
        told = json.loads(head)
    except subprocess.TimeoutExpired:
        raise SessionError(
            f"{session}: reading drop {drop_id} did not end within {patience_s:g} s"
        ) from None
    except (OSError, ValueError) as error:
        raise SessionError(f"{session}: drop {drop_id} cannot be read: {error}") from error
    if told["problem"]:
        raise SessionError(told["problem"])
    return Recalled(record_from_json(told["record"]), _frames(told["frames"], pixels))


def _frames(told: Mapping[View, Any], pixels: bytes) -> dict[View, Frame]:
    found = {}
    at = 0
    for view, one in told.items():
        rows, columns = one["shape"]
        counts = np.frombuffer(pixels, np.uint16, rows * columns, at).reshape(rows, columns)
        at += counts.nbytes
        found[view] = Frame(FrameHeader(**one["header"]), counts, CameraFacts(**one["facts"]), 0.0)
    return found


def _main(path: Path, drop_id: int) -> None:
    """Print one line of JSON, then the pixels of both views."""
    say_begun()
    try:
        with Session(path) as session:
            record = session.record(drop_id)
            frames = {view: session.frame(drop_id, view) for view in VIEWS}
    except SessionError as error:
        sys.stdout.write(json.dumps({"problem": str(error)}) + "\n")
        return
    whole = {view: frame for view, frame in frames.items() if frame is not None}
    told = {
        view: {"header": plain(one.header), "facts": plain(one.facts), "shape": one.counts.shape}
        for view, one in whole.items()
    }
    problem = "" if record is not None else f"{path}: no drop {drop_id} is recorded"
    text = json.dumps({"problem": problem, "record": to_json(record), "frames": told})
    sys.stdout.buffer.write(text.encode() + b"\n")
    for frame in whole.values():
        sys.stdout.buffer.write(np.ascontiguousarray(frame.counts).tobytes())


if __name__ == "__main__":
    _main(Path(sys.argv[1]), int(sys.argv[2]))
