"""Estimates that were made before, a file for each session: the same need no new fit."""

from __future__ import annotations

import hashlib
import logging
import sqlite3
from pathlib import Path

from magis_calib.config.station import Station
from magis_calib.domain.camera import ImagePair
from magis_calib.domain.estimate import StationEstimate
from magis_calib.domain.serial import record_from_json, to_json
from magis_calib.estimation.model import Wavevector
from magis_calib.estimation.pair import Done, Fitting
from magis_calib.replay.lineage import Lineage

log = logging.getLogger(__name__)

TABLE = (
    "CREATE TABLE IF NOT EXISTS results (lineage TEXT PRIMARY KEY, estimate TEXT NOT NULL, "
    "checksum TEXT NOT NULL)"
)
SETTINGS = ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL")
PATIENCE_S = 5.0
"""How long to wait for another replay that writes to the same file."""
_RECORD = (
    '{{"drop_id":0,"time_ns":0,"sequence_type":"interferometer","complete":true,"in_force":{{}},"stage_s":{{}},'
    '"decision":{{"drop_id":0,"time_ns":0,"outcome":"held","reason":"","used":[],"proposal":null}},'
    '"estimate":{}}}'
)
"""A record around an estimate, so that it is read as those of a session are."""


class Results:
    """The file. Nothing stops for it: a damaged one is put aside, a locked one left."""

    def __init__(self, path: Path) -> None:
        """Open the file, or begin one."""
        self._path = path
        self._file = self._open()

    def find(self, lineage: str) -> StationEstimate | None:
        """Return the estimate of this lineage; None where it was not made yet."""
        try:
            query = "SELECT estimate, checksum FROM results WHERE lineage = ?"
            found = self._file.execute(query, (lineage,)).fetchone() if self._file else None
            if found is None:
                return None
            text, checksum = found
            if _checksum(lineage, text) != checksum:
                raise sqlite3.DatabaseError(f"the result {lineage[:12]} is not what was written")
            return record_from_json(_RECORD.format(text)).estimate
        except sqlite3.Error as error:
            self._failed(error)
        return None

    def keep(self, lineage: str, estimate: StationEstimate) -> None:
        """Write down an estimate."""
        if self._file is None:
            return
        text = to_json(estimate)
        try:
            with self._file:
                row = (lineage, text, _checksum(lineage, text))
                self._file.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", row)
        except sqlite3.Error as error:
            self._failed(error)

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> sqlite3.Connection | None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            try:
                return _connected(self._path)
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.OperationalError):
                    raise
                self._put_aside(error)
                return _connected(self._path)
        except (OSError, sqlite3.Error) as error:
            log.warning("%s: results are not kept: %s", self._path, error)
            return None

    def _failed(self, error: sqlite3.Error) -> None:
        """Go on without results, or, where the file is damaged, with a new one."""
        self.close()
        if isinstance(error, sqlite3.OperationalError):
            log.warning("%s: results are not kept: %s", self._path, error)
            return
        try:
            self._put_aside(error)
        except OSError as problem:
            log.warning("%s: is damaged and cannot be put aside: %s", self._path, problem)
            return
        self._file = self._open()

    def _put_aside(self, error: Exception) -> None:
        """Rename the file with the journal that belongs to it. Raises `OSError`."""
        number = next(n for n in range(1, 1_000_000) if not self._aside("", n).exists())
        for tail in ("", "-wal", "-shm"):
            found = self._path.with_name(self._path.name + tail)
            if found.exists():
                found.rename(self._aside(tail, number))
        log.warning(
            "%s: damaged (%s): put aside as %s, estimating anew",
            self._path,
            error,
            self._aside("", number).name,
        )

    def _aside(self, tail: str, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.damaged-{number}{tail}")


class Remembering:
    """Estimates pairs as `Fitting` does, but looks first whether the result is known."""

    def __init__(self, station: Station, results: Results) -> None:
        """Raises `ConfigError` where a defect mask, or the model of a view, cannot be used."""
        self._fitting = Fitting(station)
        self._lineage = Lineage(station)
        self._results = results
        self.asked = self.anew = 0
        """Pairs that an estimate was wanted of, and those that were fitted."""

    def estimate(self, pair: ImagePair, expected: Wavevector | None, done: Done) -> StationEstimate:
        """Return the estimate of a pair."""
        self.asked += 1
        lineage = self._lineage.key(pair, expected)
        known = self._results.find(lineage)
        done("look_up")
        if known is not None:
            return known
        self.anew += 1
        estimate = self._fitting.estimate(pair, expected, done)
        self._results.keep(lineage, estimate)
        return estimate

    def in_words(self) -> str:
        """Say how many pairs were fitted."""
        return f"{self.anew} of {self.asked} estimated anew"


def _connected(path: Path) -> sqlite3.Connection:
    """Open the file and touch it: only then is damage seen. One thread after the other uses it."""
    file = sqlite3.connect(path, timeout=PATIENCE_S, check_same_thread=False)
    try:
        for statement in (*SETTINGS, TABLE, "SELECT count(*) FROM results"):
            file.execute(statement).fetchall()
    except sqlite3.Error:
        file.close()
        raise
    return file


def _checksum(lineage: str, text: str) -> str:
    return hashlib.sha256(f"{lineage} {text}".encode()).hexdigest()
