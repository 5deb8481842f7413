"""Work that takes a while and moves nothing: done beside the run, the answer is told later."""

from __future__ import annotations

import threading
import time
import zipfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import ConfigError, SessionError
from magis_calib.domain.serial import to_json
from magis_calib.feedback.explanation import explained
from magis_calib.host.identity import identity
from magis_calib.host.log_buffer import JOURNAL
from magis_calib.products.promotion import promote
from magis_calib.recording.certificate import CERTIFICATE
from magis_calib.recording.files import FINAL
from magis_calib.recording.probe import ask_child
from magis_calib.run.components import Components
from magis_calib.state.answer import Refusal
from magis_calib.state.commands import Promote
from magis_calib.state.matrix import NO_FILE
from magis_calib.state.snapshot import Alarm

DROPS_TOLD = 50


def bundle_texts(
    components: Components, records: Iterable[DropRecord], alarms: Iterable[Alarm]
) -> dict[str, str]:
    """Return the texts of a bundle by file name. Quick: nothing is read from a disk."""
    told = [explained(record) for record in list(records)[-DROPS_TOLD:]]
    return {
        "log.txt": JOURNAL.text(),
        "configuration.json": components.station.model_dump_json(indent=1),
        "versions.json": to_json(identity()),
        "alarms.json": to_json(list(alarms)),
        "links.json": to_json(list(components.links())),
        "actuators.json": to_json(list(components.actuators.states())),
        "newest_drops.txt": "\n\n".join(told) + "\n",
    }


def last_papers(session: Path | None, products: Path | None) -> list[Path]:
    """Return the newest certificates, and what the session ended with."""
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


PATIENCE_S = 60.0


class BackgroundJobs:
    """Takes one order at a time. Used by the worker.

    The work is done in a thread of its own.
    """

    def __init__(self) -> None:
        """Have nothing to do."""
        self._done: deque[str] = deque()
        self._busy: threading.Thread | None = None

    def certify(self, session: str) -> str:
        """Begin to count what a session holds so far; return what is to be said now."""
        if not session:
            return "no certificate: nothing is recorded"
        return self._begin(
            lambda: _certified(Path(session)), f"counting what {Path(session).name} holds"
        )

    def bundle(self, texts: Mapping[str, str], session: Path | None, products: Path | None) -> str:
        """Begin to write a support bundle into the session's folder (else that of the products)."""
        folder = session or products
        if folder is None:
            return (
                "no support bundle: there is no folder for it, neither of a session nor of products"
            )
        return self._begin(
            lambda: _bundled(folder, texts, last_papers(session, products)),
            "writing a support bundle",
        )

    def promote(self, request: Promote, components: Components) -> str:
        """Begin to put a measured matrix in force in the configuration file of the run."""
        if components.mode == "replay":
            return Refusal("not promoted: this is a replay")
        config = components.configuration
        if config is None:
            return Refusal(f"not promoted: {NO_FILE}")
        return self._begin(
            lambda: _promoted(request, config, components.name),
            f"promoting {Path(request.product).name}",
        )

    def told(self) -> Iterator[str]:
        """Yield the answers that have come."""
        while self._done:
            yield self._done.popleft()

    def _begin(self, work: Callable[[], str], words: str) -> str:
        if self._busy is not None and self._busy.is_alive():
            return "the last paper is still being written"
        self._busy = threading.Thread(
            target=lambda: self._done.append(work()), name="jobs", daemon=True
        )
        self._busy.start()
        return words


def _certified(session: Path) -> str:
    try:
        answer = ask_child("magis_calib.recording.certificate", [str(session)], PATIENCE_S)
    except SessionError as error:
        answer = str(error)
    if isinstance(answer, str):
        return f"no certificate: {answer}"
    gaps = answer["gaps_in_all"]
    missing = (
        f"{gaps} frames missing: {', '.join(answer['gaps'][:5])}" if gaps else "no frame missing"
    )
    missing += f" up to drop {answer['counted_to']}" if answer["counted_to"] is not None else ""
    return (
        f"certified: {answer['announced']} drops announced, {answer['recorded']} with an outcome, "
        f"{answer['fitted']} fitted; {answer['stored']} frames stored, {missing}; "
        f"{session / CERTIFICATE}"
    )


def _bundled(folder: Path, texts: Mapping[str, str], files: list[Path]) -> str:
    try:
        return f"support bundle: {write_bundle(folder, texts, files)}"
    except OSError as error:
        return f"no support bundle: {error}"


def _promoted(request: Promote, config: Path, station: str) -> str:
    try:
        done = promote(Path(request.product), config, station, request.who)
    except (ConfigError, SessionError, OSError) as error:
        return Refusal(f"not promoted: {error}")
    return (
        f"promoted by {request.who}: {done}; this run keeps the one that it began with, the "
        f"next start uses the new one"
    )
