"""Signals that ask a program to end: Ctrl-C, SIGTERM, and SIGHUP of a terminal that is gone."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


_asked = threading.Event()
"""Set by the first stop: an interruption that some callback swallowed is not forgotten."""


def interrupt_on_stops() -> None:
    """Let each of them leave as little lying about as Ctrl-C; one that is ignored stays so."""
    _asked.clear()
    for number in _heard():
        signal.signal(number, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    _asked.set()
    raise KeyboardInterrupt


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold stops back for a moment: what is made here is known to who removes it."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_at_once_on_stops() -> None:
    """Let each of them end the program without a word: there is nothing left to be done."""
    for number in _heard():
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def on_stop(deed: Callable[[], object]) -> Iterator[None]:
    """Do this with each of them instead, and at once where one came before.

    In another thread than the main one nothing changes.
    """
    before = {}
    if threading.current_thread() is threading.main_thread():
        before = {
            number: signal.signal(number, lambda number, frame: deed()) for number in _heard()
        }
        if _asked.is_set():
            _asked.clear()
            deed()
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _heard() -> list[signal.Signals]:
    return [one for one in STOPS if signal.getsignal(one) is not signal.SIG_IGN]
