"""Read a file of faults (docs/faults.md)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from magis_calib.domain.errors import ConfigError
from magis_calib.domain.loading import line_of
from simulators.fault_kinds import Fault, Timed
from simulators.plant_file import PlantNumbers, Strict


class FaultFile(Strict):
    """The whole file."""

    fault: tuple[Fault, ...] = ()


def load_faults(path: Path | None, numbers: PlantNumbers) -> tuple[Timed, ...]:
    """Return the faults in this file, none for None. Raises `ConfigError` naming line, wanted and got."""
    if path is None:
        return ()
    try:
        text = path.read_text(encoding="utf-8")
        return FaultFile.model_validate(tomllib.loads(text), context=set(numbers.actuators)).fault
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise ConfigError("\n".join(f"{path}: {_explain(item, text)}" for item in error.errors())) from error


def _explain(item: Any, text: str) -> str:
    """Say what is wrong: line, fault (counted from 1) and field, then what was wanted and what was found."""
    keys = [str(part) for part in item["loc"]]
    keys = keys[:2] + keys[3:]  # without the kind, which pydantic puts after the position
    line = line_of(keys[:-1] if item["type"] == "missing" else keys, text)
    where = [f"line {line}"] if line else []
    where += [f"fault {int(keys[1]) + 1}", *keys[2:]] if len(keys) > 1 else keys
    return f"{', '.join(where)}: {_problem(item)}"


def _problem(item: Any) -> str:
    match item["type"]:
        case "missing":
            return "must be given"
        case "extra_forbidden":
            return "no field of this name is known here"
        case "tuple_type":
            return f"wanted tables [[fault]], got {item['input']!r}"
        case "union_tag_not_found":
            return "kind must be given"
        case "union_tag_invalid":
            return f"kind: wanted one of {item['ctx']['expected_tags']}, got {item['ctx']['tag']!r}"
        case "value_error":
            return str(item["msg"].removeprefix("Value error, "))
        case _:
            return f"{item['msg']}, got {item['input']!r}"
