"""Output that never holds who writes: a reader that does not read, or a full disk, loses lines."""

from __future__ import annotations

import contextlib
import errno
import io
import logging
import os
import select
import sys
import threading
import time
from collections.abc import Iterator
from typing import TextIO

MOST_BYTES = 1_000_000
"""So much waits for a reader; then new lines are left out, and counted."""
AT_ONCE_BYTES = 4096
"""PIPE_BUF of Linux: where a pipe is ready, so much is taken without waiting."""
LAST_S = 1.0
"""A reader is given so long at the end."""


class Outlet(io.TextIOBase):
    """A stream of text to a file, pipe or terminal. May be used by any thread."""

    def __init__(self, stream: TextIO) -> None:
        """Write where this stream does, in its place."""
        self._stream = stream
        self._fd = stream.fileno()
        self._held = bytearray()
        self._lock = threading.Lock()
        self.lost_lines = 0
        """Left out because nobody read, or nothing could be written."""
        self.gone = 0
        """Number of the error after which nothing more can be written."""

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """That of the stream."""
        return self._stream.encoding

    def fileno(self) -> int:
        """Return that of the stream."""
        return self._fd

    def isatty(self) -> bool:
        """Whether somebody looks."""
        return self._stream.isatty()

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Take a text and pass on what is taken at once.

        Raises `BrokenPipeError` where the reader is gone.
        """
        with self._lock:
            if self.gone or len(self._held) > MOST_BYTES:
                self.lost_lines += text.count("\n")
            else:
                self._held += text.encode(self.encoding, errors="backslashreplace")
            self._pass_on(0.0)
            if self.gone == errno.EPIPE:
                raise BrokenPipeError
        return len(text)

    def flush(self) -> None:
        """Pass on what is taken at once."""
        with self._lock:
            self._pass_on(0.0)

    def finish(self) -> None:
        """Give the reader a last chance."""
        until_s = time.monotonic() + LAST_S
        with self._lock:
            while self._held and not self.gone and time.monotonic() < until_s:
                self._pass_on(until_s - time.monotonic())

    def _pass_on(self, patience_s: float) -> None:
        ready = select.poll()
        ready.register(self._fd, select.POLLOUT)
        while self._held and not self.gone and ready.poll(max(0.0, patience_s) * 1e3):
            try:
                done = os.write(self._fd, bytes(self._held[:AT_ONCE_BYTES]))
            except BlockingIOError:
                return
            except OSError as error:
                self.gone = error.errno or errno.EIO
                self.lost_lines += self._held.count(b"\n")
                self._held.clear()
                return
            del self._held[:done]


@contextlib.contextmanager
def held_by_nobody() -> Iterator[None]:
    """Let what this program says on stdout and stderr hold nobody up."""
    before = sys.stdout, sys.stderr
    try:
        outlets = [Outlet(stream) for stream in before]
    except (OSError, ValueError, AttributeError):  # a stream without a file, as tests have
        yield
        return
    for stream in before:
        with contextlib.suppress(OSError):
            stream.flush()
    sys.stdout, sys.stderr = outlets
    _log_to(before[1], outlets[1])
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
        _log_to(outlets[1], before[1])
        for outlet in outlets:
            outlet.finish()
        if lost := sum(outlet.lost_lines for outlet in outlets):
            logging.getLogger(__name__).info("%d lines were not read by anybody", lost)


def _log_to(old: object, new: TextIO | Outlet) -> None:
    """Have the handlers of the log that write to one stream write to another."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, logging.StreamHandler) and handler.stream is old:
            handler.setStream(new)
