"""What both kinds of links share: the protocol version, strict JSON headers and their errors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from magis_calib.domain.errors import WireError
from magis_calib.link.words import field_problem, json_problem

PROTOCOL_VERSION = 1
HEADER_LIMIT_BYTES = 64_000


class Message(BaseModel):
    """One JSON message. Unknown names are errors: a driver author hears of a typo at once."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def encode(self) -> bytes:
        """Return the UTF-8 JSON text; fields that are None are left out."""
        return self.model_dump_json(exclude_none=True).encode()


AnyMessage = TypeVar("AnyMessage", bound=Message)


def message_type(raw: bytes, known: Sequence[str]) -> str:
    """Return the `type` of a JSON message.

    Raises `WireError` bad_json, too_large or unknown_type.
    """
    if len(raw) > HEADER_LIMIT_BYTES:
        raise WireError(
            "too_large", "header is too long", wanted=f"<= {HEADER_LIMIT_BYTES} bytes", got=len(raw)
        )
    try:
        table = json.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise WireError("bad_json", json_problem(raw, error), got=_excerpt(raw) or None) from error
    kind = table.get("type") if isinstance(table, dict) else None
    if not isinstance(kind, str) or kind not in known:
        raise WireError("unknown_type", "message type", wanted=list(known), got=kind)
    return kind


def parse(model: type[AnyMessage], raw: bytes) -> AnyMessage:
    """Return the message in this JSON text.

    Raises `WireError` unsupported_version or bad_header.
    """
    try:
        return model.model_validate_json(raw, strict=True)
    except ValidationError as error:
        problem = error.errors()[0]
        name = ".".join(str(part) for part in problem["loc"])
        if name == "protocol" and problem["type"] != "missing":
            got = problem["input"]
            raise WireError(
                "unsupported_version", "protocol", wanted=PROTOCOL_VERSION, got=got
            ) from error
        what, wanted, got = field_problem(problem)
        raise WireError("bad_header", what, wanted=wanted, got=got) from error


def agree_version(offered: Sequence[int]) -> int:
    """Return the version both sides speak. Raises `WireError` unsupported_version."""
    if PROTOCOL_VERSION not in offered:
        raise WireError(
            "unsupported_version", "protocols", wanted=[PROTOCOL_VERSION], got=list(offered)
        )
    return PROTOCOL_VERSION


def echo_of(raw: bytes) -> dict[str, Any]:
    """Return what can be told about a broken frame header, to name it in the answer.

    Drop_id, sequence.
    """
    table = table_in(raw)
    return {name: table[name] for name in ("drop_id", "sequence") if type(table.get(name)) is int}


def table_in(raw: bytes) -> dict[str, Any]:
    """Return the table in a JSON header, an empty one where it cannot be read."""
    try:
        table = json.loads(raw[:HEADER_LIMIT_BYTES])
    except (ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def _excerpt(raw: bytes) -> str:
    return raw[:60].decode("utf-8", "replace")
