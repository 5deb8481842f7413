"""TOML that somebody wrote, whatever it looks like."""

from __future__ import annotations

import tomllib
from typing import Any


def toml_table(text: str) -> dict[str, Any]:
    """Return what the text says. Raises `tomllib.TOMLDecodeError`, also for numbers without end and endless nesting."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise tomllib.TOMLDecodeError(str(error)) from error
