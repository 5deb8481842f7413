"""A support bundle: what somebody who was not there needs to see what happened, in one zip file."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.snapshot import Alarm
from magis_calib.feedback.explanation import explained
from magis_calib.journal import JOURNAL
from magis_calib.parts import Parts
from magis_calib.recording.certificate import CERTIFICATE
from magis_calib.recording.identity import identity
from magis_calib.recording.serial import to_json
from magis_calib.recording.writer import FINAL

DROPS_TOLD = 50


def bundle_texts(parts: Parts, records: Iterable[DropRecord], alarms: Iterable[Alarm]) -> dict[str, str]:
    """Return the texts of a bundle by file name. Quick: nothing is read from a disk."""
    told = [explained(record) for record in list(records)[-DROPS_TOLD:]]
    return {
        "log.txt": JOURNAL.text(),
        "configuration.json": parts.station.model_dump_json(indent=1),
        "versions.json": to_json(identity()),
        "alarms.json": to_json(list(alarms)),
        "links.json": to_json(list(parts.links())),
        "actuators.json": to_json(list(parts.hands.states())),
        "newest_drops.txt": "\n\n".join(told) + "\n",
    }


def last_papers(session: Path | None, products: Path | None) -> list[Path]:
    """Return the certificate of the session, what it ended with, and the newest certificate of calibration."""
    found = [session / name for name in (CERTIFICATE, FINAL)] if session is not None else []
    plans = sorted(products.glob("*_calibrate_*")) if products is not None else []
    found += [path for path in plans if plans and path.stem == plans[-1].stem]
    return [path for path in found if path.is_file()]


def write_bundle(folder: Path, texts: Mapping[str, str], files: Iterable[Path]) -> Path:
    """Write all of it into a zip file in this folder and return where. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    moment = datetime.fromtimestamp(time.time(), UTC).strftime("%Y%m%dT%H%M%SZ")
    path = folder / f"support_{moment}.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, text in texts.items():
            bundle.writestr(name, text)
        for file in files:
            bundle.write(file, file.name)
    return path
