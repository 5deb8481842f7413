"""What a controller answers to what it cannot read."""

from __future__ import annotations

import json

from magis_calib.domain.errors import WireError
from magis_calib.link.control_messages import Answer, ControlError, FromController, Refusal


def unreadable(raw: bytes, error: WireError, session: str) -> FromController:
    """A request that can be told by its id gets an answer, anything else an error."""
    try:
        table = json.loads(raw)
    except (ValueError, RecursionError):
        table = None
    if isinstance(table, dict) and table.get("type") == "request" and isinstance(table.get("request_id"), str):
        refusal = Refusal(code="bad_request", message=str(error))
        return Answer(request_id=table["request_id"], session=session, ok=False, error=refusal)
    return ControlError(code=error.code, message=str(error))
