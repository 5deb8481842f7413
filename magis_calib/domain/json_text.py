"""JSON that somebody else may have written: one table, not nested without end, plain words."""

from __future__ import annotations

import json
from typing import Any

DEEPEST = 64
"""Nothing of ours is nested deeper."""


def json_table(text: str) -> dict[str, Any]:
    """Return the table that a text is. Raises `ValueError` in words."""
    try:
        found = json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON, at line {error.lineno} column {error.colno}") from error
    except RecursionError:
        raise ValueError(f"nested deeper than {DEEPEST}") from None
    if not isinstance(found, dict):
        raise ValueError(f"wanted a table {{…}}, got {_kind(found)}")
    if _deeper(found, DEEPEST):
        raise ValueError(f"nested deeper than {DEEPEST}")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"wanted finite numbers, got {constant}")


def _kind(value: object) -> str:
    kinds = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def _deeper(value: object, than: int) -> bool:
    """Whether anything in a value lies deeper; goes down level by level, not by recursion."""
    level: list[Any] = [value]
    for _ in range(than):
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
    return bool(level)
