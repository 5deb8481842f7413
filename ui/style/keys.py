"""Shortcuts that are counted through. No Qt."""

from __future__ import annotations

LAST_DIGIT = 9


def numbered(modifiers: str, number: int) -> str:
    """Return the keys of the so-many-th of its kind, from 1 on; none where digits have run out."""
    return f"{modifiers}+{number}" if number <= LAST_DIGIT else ""
