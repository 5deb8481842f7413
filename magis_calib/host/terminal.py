"""Lines for whoever started the program."""

from __future__ import annotations

import sys


def tell(line: str) -> None:
    """Write a line of what was asked for, at once: a pipe may be read while the program runs."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def remark(line: str) -> None:
    """Write a line about how it goes."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
