"""Read a configuration file, or say exactly what is wrong with it."""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from magis_calib.config import station as config
from magis_calib.config.fields import toml_table
from magis_calib.config.station import Config, Station
from magis_calib.domain.errors import ConfigError


def load_config(path: Path | None) -> Config:
    """Return the configuration in this file, or the shipped default for None.

    Raises `ConfigError` naming the file, the line or key, what was wanted and what was found.
    """
    source = path or config.DEFAULT_SOURCE
    return parse_config(_text(path), str(source))


def _text(path: Path | None) -> str:
    if path is None:
        return config.default_text()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


def parse_config(text: str, source: str) -> Config:
    """Return the configuration in this text; `source` is named in errors."""
    try:
        table = toml_table(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{source}: not valid TOML: {error}") from error
    try:
        return Config.model_validate(table)
    except ValidationError as error:
        lines = [_explain(item, text) for item in error.errors()]
        raise ConfigError(f"{source}: " + f"\n{source}: ".join(lines)) from error


def parse_json_config(text: str, source: str) -> Config:
    """Return the configuration that a session recorded as JSON."""
    try:
        return Config.model_validate_json(text)
    except ValidationError as error:
        raise ConfigError(f"{source}: recorded configuration: {error}") from error


def select_station(
    whole: Config, name: str | None, source: str = "--station"
) -> tuple[str, Station]:
    """Return the named station, or the default one. Raises `ConfigError` for an unknown name."""
    chosen = name or whole.default_station
    if chosen not in whole.stations:
        raise ConfigError(f"{source}: wanted one of {sorted(whole.stations)}, got {chosen!r}")
    return chosen, whole.stations[chosen]


def _explain(item: Any, text: str) -> str:
    keys = [str(part) for part in item["loc"]]
    where = ".".join(keys) or "file"
    line = line_of(keys, text)
    place = f"line {line}, {where}" if line else where
    if item["type"] == "extra_forbidden":
        known = _known_names(keys[:-1])
        close = difflib.get_close_matches(keys[-1], known, 1)
        hint = (
            f", did you mean {close[0]!r}?"
            if close
            else f", wanted one of {known}"
            if known
            else ""
        )
        return f"{place}: unknown name {keys[-1]!r}{hint}"
    message = item["msg"].removeprefix("Value error, ")
    got = "" if item["type"] in {"missing", "value_error"} else f", got {item['input']!r}"
    return f"{place}: {message}{got}"


def line_of(keys: list[str], text: str) -> int | None:
    """Find the line that most likely holds the last key:
    the first match after its parents' lines.
    """
    lines = [line.split("#", 1)[0].strip() for line in text.splitlines()]
    at = 0
    found = None
    for key in keys:
        if key.isdigit():
            blocks = [
                n
                for n in range(at, len(lines))
                if lines[n].startswith("[[") and lines[n] == lines[at]
            ]
            at, found = (
                (blocks[int(key)], blocks[int(key)] + 1) if int(key) < len(blocks) else (at, found)
            )
            continue
        for number in range(at, len(lines)):
            if key in re.split(r"[\s=.\[\]{},]+", lines[number]):
                at = number
                found = number + 1
                break
        else:
            return found
    return found


def _known_names(parents: list[str]) -> list[str]:
    """Names allowed in the table that these keys lead to; empty where any name may stand."""
    model: Any = Config
    for key in parents:
        if isinstance(model, type) and issubclass(model, BaseModel):
            fields = model.model_fields
            named = next((f for n, f in fields.items() if n == key or f.alias == key), None)
            model = named.annotation if named else None
        else:
            arguments = getattr(model, "__args__", ())
            model = arguments[-1] if arguments else None
        while getattr(model, "__metadata__", None):
            model = model.__args__[0]
    if isinstance(model, type) and issubclass(model, BaseModel):
        return sorted(f.alias or n for n, f in model.model_fields.items())
    return []
