"""What the tables of the configuration are made of."""

from __future__ import annotations

import re
import tomllib
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


def toml_table(text: str) -> dict[str, Any]:
    """Return what the text says.

    Raises `tomllib.TOMLDecodeError`, also for numbers without end and endless nesting.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except (ValueError, RecursionError) as error:
        raise tomllib.TOMLDecodeError(str(error)) from error


Finite = Annotated[float, Field(allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Endpoint = Annotated[str, Field(pattern=r"^(tcp://[^:\s]+:\d+|ipc://\S+)$")]
LOOPBACK = re.compile(r"127(\.\d{1,3}){3}")
Pair = tuple[Finite, Finite]


class Strict(BaseModel):
    """A table whose names must all be known and whose values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def is_loopback(endpoint: str) -> bool:
    """Tell whether nobody outside this machine can reach an endpoint."""
    host = endpoint.removeprefix("tcp://").rpartition(":")[0].strip("[]")
    return (
        endpoint.startswith("ipc://")
        or host in ("localhost", "::1")
        or bool(LOOPBACK.fullmatch(host))
    )


def same_names(where: str, got: set[str], wanted: set[str]) -> None:
    """Raise `ValueError` where a table lacks a name, or has one that nobody knows."""
    if got != wanted:
        missing, unknown = sorted(wanted - got), sorted(got - wanted)
        raise ValueError(
            f"{where}: missing {missing}, unknown {unknown}, known are {sorted(wanted)}"
        )
