"""The newest lines of the log, kept in memory for whoever has to find out what happened."""

from __future__ import annotations

import logging
from collections import deque

LINES_KEPT = 20_000
FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Journal(logging.Handler):
    """A log handler that forgets the oldest lines. Used from every thread."""

    def __init__(self) -> None:
        """Keep nothing yet; take in what is at least information."""
        super().__init__(logging.INFO)
        self.setFormatter(logging.Formatter(FORM))
        self._lines: deque[str] = deque(maxlen=LINES_KEPT)

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one message, with its traceback."""
        self._lines.append(self.format(record))

    def text(self) -> str:
        """Return what is kept, oldest first."""
        return "\n".join(tuple(self._lines)) + "\n"


JOURNAL = Journal()
"""That of this program."""
