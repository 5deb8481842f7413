"""Numbers that a file may hold and nobody foresaw: an error that names the session, in one line."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from magis_calib.domain.errors import SessionError


@contextlib.contextmanager
def telling(path: Path, what: str) -> Iterator[None]:
    """Turn what hostile content leads to, while it is told, into a `SessionError`."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError) as error:
        found = " ".join(str(error).split())[:200]
        raise SessionError(f"{path}: {what}: wanted what a run records, got {found!r}") from error
