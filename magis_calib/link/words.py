"""What is wrong with a JSON message, in the words of docs/protocol.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

WANTED: Mapping[str, str] = {
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "text",
    "dict": "an object",
    "model": "an object",
    "list": "a list",
    "finite_number": "a finite number",
}
"""By the beginning of the kind of a validation error (pydantic)."""
BOUNDS: Mapping[str, tuple[str, str]] = {
    "greater_than": ("above {}", "gt"),
    "greater_than_equal": ("at least {}", "ge"),
    "less_than": ("below {}", "lt"),
    "less_than_equal": ("at most {}", "le"),
    "string_too_short": ("at least {} characters", "min_length"),
    "string_too_long": ("at most {} characters", "max_length"),
    "too_short": ("at least {} entries", "min_length"),
    "too_long": ("at most {} entries", "max_length"),
    "literal_error": ("{}", "expected"),
    "string_pattern_mismatch": ("text like {}", "pattern"),
}


def field_problem(problem: Mapping[str, Any]) -> tuple[str, str | None, Any]:
    """Return what is wrong with a field, what was wanted and what was got.

    `problem`: one of the errors of pydantic.
    """
    kind = problem["type"]
    name = ".".join(str(part) for part in problem["loc"])
    if kind == "missing":
        return f"field `{name}` is missing", None, None
    if kind == "extra_forbidden":
        return f"field `{name}` is none of this message", None, None
    return f"field `{name}`", _wanted(kind, problem), problem["input"]


def _wanted(kind: str, problem: Mapping[str, Any]) -> str:
    if kind in BOUNDS:
        words, key = BOUNDS[kind]
        return words.format(problem["ctx"][key])
    if kind in WANTED:
        return WANTED[kind]
    begins = kind.split("_", 1)[0]
    plain = str(problem["msg"]).removeprefix("Value error, ")
    return WANTED.get(begins, plain[:1].lower() + plain[1:])


def json_problem(raw: bytes, error: Exception) -> str:
    """Return why this is no JSON message; `error` is what the reader of JSON raised."""
    if not raw or raw.rstrip().endswith(b"\0"):
        return "a NUL byte follows the JSON" if raw else "an empty part stands in front of the JSON"
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    if isinstance(error, RecursionError):
        return "nested too deep"
    if not isinstance(error, json.JSONDecodeError):
        return "a number of too many digits"
    after = "something follows the JSON" if error.msg == "Extra data" else "not JSON"
    return f"{after} at character {error.pos}"
