"""Read a configuration file, or say exactly what is wrong with it."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from magis_calib.config import station as config
from magis_calib.config.fields import toml_table
from magis_calib.config.station import Config, Station
from magis_calib.domain.errors import ConfigError
from magis_calib.host.files import read_text


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
        return read_text(path)
    except OSError as error:
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
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            raise ConfigError(f"{source}: recorded configuration: not JSON") from error
        raise ConfigError(f"{source}: recorded configuration: {_explain(first, '')}") from error


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
    if item["type"] == "missing":
        return f"{place}: missing"
    message = item["msg"].removeprefix("Value error, ")
    got = f", got {item['input']!r}"[:200] if item["type"] != "value_error" else ""
    return f"{place}: {message}{got}"


def line_of(keys: list[str], text: str) -> int | None:
    """Find the line that most likely holds the last key: the first after its parents'."""
    lines = [line.split("#", 1)[0].strip() for line in text.splitlines()]
    at = 0
    found = None
    for key in keys:
        place = _block(int(key), at, lines) if key.isdigit() else _naming(key, at, lines)
        if place is not None:
            at = place
            found = place + 1
        elif not key.isdigit():
            return found
    return found


def _block(number: int, at: int, lines: list[str]) -> int | None:
    """Return where the block of this number begins, counted from the one at `at`."""
    blocks = [n for n in range(at, len(lines)) if lines[n] == lines[at] and lines[n][:2] == "[["]
    return blocks[number] if number < len(blocks) else None


def _naming(key: str, at: int, lines: list[str]) -> int | None:
    """Return the first line from `at` on that has this key."""
    words = (re.split(r"[\s=.\[\]{},]+", line) for line in lines[at:])
    return next((at + n for n, found in enumerate(words) if key in found), None)


def _known_names(parents: list[str]) -> list[str]:
    """Names allowed in the table that these keys lead to; empty where any name may stand."""
    model: Any = Config
    for key in parents:
        model = _inside(model, key)
        while getattr(model, "__metadata__", None):
            model = model.__args__[0]
    return sorted(field.alias or name for name, field in _fields(model).items())


def _inside(model: Any, key: str) -> Any:
    """Return what stands at this key of a table, or of a list or table of anything."""
    if not _fields(model):
        arguments = getattr(model, "__args__", ())
        return arguments[-1] if arguments else None
    named = (field for name, field in _fields(model).items() if key in (name, field.alias))
    return next((field.annotation for field in named), None)


def _fields(model: Any) -> Mapping[str, FieldInfo]:
    is_table = isinstance(model, type) and issubclass(model, BaseModel)
    return model.model_fields if is_table else {}
