"""The newest lines of the log, kept in memory for whoever has to find out what happened."""

from __future__ import annotations

import logging
import os
from collections import deque
from contextvars import ContextVar
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path

from pythonjsonlogger.json import JsonFormatter

from magis_calib.host.files import open_to_append
from magis_calib.host.terminal import visible

LINES_KEPT = 20_000
FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


_DROP: ContextVar[int | None] = ContextVar("drop", default=None)
FIELDS = {
    "asctime": "time",
    "levelname": "level",
    "name": "logger",
    "threadName": "thread",
    "drop_id": "drop_id",
    "message": "message",
}
"""Of a message, and what they are called in a line."""


def about_drop(drop_id: int | None) -> None:
    """Let what this thread logs from now on tell of this drop; None: of none."""
    _DROP.set(drop_id)


class Visible(logging.Formatter):
    """Writes control characters of a message out: it may quote a text of somebody else's."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line without what follows an exception."""
        return visible(super().formatMessage(record))


class _Line(JsonFormatter):
    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        """Return the time to the microsecond (UTC)."""
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")


class JsonLines(logging.FileHandler):
    """Appends each message to a file as a line of JSON, with its time (UTC) and the drop that its
    thread works on.
    """

    def __init__(self, path: Path) -> None:
        """Open the file. Raises `OSError`."""
        super().__init__(path, encoding="utf-8", errors="backslashreplace")
        self.setLevel(logging.INFO)
        self.setFormatter(_Line(list(FIELDS), rename_fields=FIELDS))

    def _open(self) -> TextIOWrapper:
        handle = open_to_append(Path(self.baseFilename))
        return TextIOWrapper(os.fdopen(handle, "ab"), encoding=self.encoding, errors=self.errors)

    def emit(self, record: logging.LogRecord) -> None:
        """Write one message, with the drop that the thread works on."""
        record.drop_id = _DROP.get()
        super().emit(record)


class LogBuffer(logging.Handler):
    """A log handler that forgets the oldest lines. Used from every thread."""

    def __init__(self) -> None:
        """Keep nothing yet; take in what is at least information."""
        super().__init__(logging.INFO)
        self.setFormatter(Visible(FORM))
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message, with its traceback."""
        self._lines.append(self.format(record))

    def text(self) -> str:
        """Return what is kept, oldest first."""
        self.acquire()  # `emit` is called with the handler's lock held
        try:
            return "\n".join(self._lines) + "\n"
        finally:
            self.release()


JOURNAL = LogBuffer()
"""That of this program."""
