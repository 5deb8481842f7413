"""What the tables of the configuration are made of."""

from __future__ import annotations

import re
import tomllib
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field


def toml_table(text: str) -> dict[str, Any]:
    """Return what the text says.

    Raises `tomllib.TOMLDecodeError`, also for numbers without end and endless nesting.
    """
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise
    except RecursionError:
        raise tomllib.TOMLDecodeError("nested too deep") from None
    except ValueError as error:
        raise tomllib.TOMLDecodeError(str(error)) from error


LARGEST = 1e100
"""Beyond it, and below one over it, squares and ratios are no numbers any more."""
LONGEST_WAIT_S = 1e6


def _no_truth(value: object) -> object:
    """Refuse true and false, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError(f"wanted a number, got {str(value).lower()}")
    return value


def _within_reason(value: float) -> float:
    if value and not 1 / LARGEST <= abs(value) <= LARGEST:
        raise ValueError(f"wanted 0 or a number between {1 / LARGEST:g} and {LARGEST:g}")
    return value


_NUMBER = (BeforeValidator(_no_truth), AfterValidator(_within_reason))
Finite = Annotated[float, Field(allow_inf_nan=False), *_NUMBER]
Positive = Annotated[float, Field(gt=0, allow_inf_nan=False), *_NUMBER]
Whole = Annotated[int, BeforeValidator(_no_truth)]
Wait = Annotated[Positive, Field(le=LONGEST_WAIT_S)]
"""How long somebody is waited for (s)."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:\- ]{0,54}")


def checked_name(text: str) -> str:
    """Return a name as it is. Raises `ValueError` where messages and folders cannot have it."""
    if not NAME.fullmatch(text):
        raise ValueError(
            "wanted a name of 1 to 55 letters a-z, A-Z, digits, _ . : - and spaces that begins "
            f"with a letter or digit, got {text!r}"
        )
    return text


PeerName = Annotated[str, AfterValidator(checked_name)]
"""Of a station or camera: it stands in messages and in names of folders."""
ADDRESS = re.compile(r"tcp://(\[[0-9A-Fa-f:.%\w]+\]|[^:\s\[\]]+):(?P<port>\d{1,5})|ipc://\S+")


def checked_endpoint(text: str) -> str:
    """Return an address of a socket as it is. Raises `ValueError` where it is none."""
    address = ADDRESS.fullmatch(text)
    if address is None or not 1 <= int(address["port"] or 1) <= 65535:
        raise ValueError(
            "wanted tcp://HOST:PORT with a port from 1 to 65535 (HOST of IPv6 in brackets, "
            f"tcp://[::1]:15550), or ipc://PATH, got {text!r}"
        )
    return text


Endpoint = Annotated[str, AfterValidator(checked_endpoint)]
LOOPBACK = re.compile(r"127(\.\d{1,3}){3}")
Pair = tuple[Finite, Finite]


class Strict(BaseModel):
    """A table whose names must all be known and whose values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def host_and_port(endpoint: str) -> tuple[str, int]:
    """Return the host (IPv6 without brackets, "" for any) and port of an address of TCP."""
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    return host.strip("[]").replace("*", ""), int(port)


def is_loopback(endpoint: str) -> bool:
    """Tell whether nobody outside this machine can reach an endpoint."""
    if endpoint.startswith("ipc://"):
        return True
    host, _ = host_and_port(endpoint)
    return host in ("localhost", "::1") or bool(LOOPBACK.fullmatch(host))


def same_names(where: str, got: set[str], wanted: set[str]) -> None:
    """Raise `ValueError` where a table lacks a name, or has one that nobody knows."""
    if got != wanted:
        missing, unknown = sorted(wanted - got), sorted(got - wanted)
        raise ValueError(
            f"{where}: missing {missing}, unknown {unknown}, known are {sorted(wanted)}"
        )
