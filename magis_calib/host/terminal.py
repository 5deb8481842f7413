"""Lines for whoever started the program."""

from __future__ import annotations

import contextlib
import io
import os
import sys

CONTROL = {number: f"\\x{number:02x}" for number in (*range(32), *range(127, 160))}
CONTROL |= {0x2028: "\\u2028", 0x2029: "\\u2029"}
"""What moves a cursor, colours, or ends a line."""
BUT_LINES = {number: text for number, text in CONTROL.items() if chr(number) not in "\n\t"}


def visible(text: str) -> str:
    """Return a text with control characters written out: it may be of somebody else's."""
    return text.translate(CONTROL)


def visible_lines(text: str) -> str:
    """Do so, but for the ends of lines."""
    return text.translate(BUT_LINES)


def tell(line: str) -> None:
    """Write a line of what was asked for, at once: a pipe may be read while the program runs."""
    sys.stdout.write(f"{visible(line)}\n")
    sys.stdout.flush()


def remark(line: str) -> None:
    """Write a line about how it goes."""
    with contextlib.suppress(OSError):  # nobody there to be told
        sys.stderr.write(f"{visible_lines(line)}\n")
        sys.stderr.flush()


def open_what_is_closed() -> None:
    """Give closed standard streams a place to go: else the next file opened were taken for one."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115


def say_whatever_the_locale() -> None:
    """Write letters that the terminal's encoding does not have as their numbers."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
