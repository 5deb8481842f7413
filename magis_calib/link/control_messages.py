"""The messages between the application and a controller (docs/protocol.md, "Controllers")."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from magis_calib.domain.camera import SequenceType
from magis_calib.domain.control import ParameterFacts
from magis_calib.link.camera_messages import Bye, Count, Heartbeat, Name, Number, PositiveNumber
from magis_calib.link.headers import Message, message_type, parse

RequestWord = Literal["describe", "read", "write", "status", "sequence"]


class ControllerHello(Message):
    """The application's first message after each connect.

    A drop system answers with announcements from then on.
    """

    type: Literal["hello"] = "hello"
    protocols: Annotated[list[int], Field(min_length=1, max_length=16)]
    station: Name
    session: Name
    user: Name | None = None
    host: Name | None = None
    process: Count | None = None
    """Who runs it: shown to others who want the lease.

    The same user of the same host takes it over.
    """
    take_over: bool | None = None
    """Take the lease from whoever has it."""


class ControllerWelcome(Message):
    """The controller's answer to `hello`."""

    type: Literal["welcome"] = "welcome"
    protocol: int
    station: Name
    controller: Name
    session: Name
    heartbeat_s: PositiveNumber


class ControllerRequest(Message):
    """One question with a deadline.

    `write` with commit false only asks whether it would be accepted.
    """

    type: Literal["request"] = "request"
    protocol: Literal[1]
    request: RequestWord
    request_id: Name
    number: Count
    """Rises with each request of a session; a number not above the last one is stale."""
    session: Name
    expires_time_ns: Count
    """UTC; a request that arrives later is stale."""
    setpoints: dict[str, float] | None = None
    """`write` only: absolute values, SI."""
    commit: bool = True
    sequence_type: SequenceType | None = None
    """`sequence` only: what all drops are made for that are not announced yet, until it is changed.
    """


class ParameterMessage(Message):
    """One parameter as `describe` tells it."""

    unit: str
    minimum: Number
    maximum: Number
    step_limit: PositiveNumber
    direction: Literal[1, -1]
    resolution: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    readback_tolerance: PositiveNumber
    settle_time_s: Annotated[float, Field(ge=0, allow_inf_nan=False)]

    def facts(self, name: str) -> ParameterFacts:
        """Return the frozen noun of the domain."""
        return ParameterFacts(name=name, **self.model_dump())


class Refusal(Message):
    """Why a request was not done; nothing was changed."""

    code: Literal[
        "unknown_name", "not_finite", "limit", "step", "stale", "bad_request", "busy", "leased"
    ]
    message: str
    name: str | None = None
    value: str | None = None
    """As text, because it may be NaN."""


class Answer(Message):
    """The answer to one request: exactly what was asked for is filled in."""

    type: Literal["answer"] = "answer"
    request_id: str
    session: Name
    ok: bool
    error: Refusal | None = None
    parameters: dict[str, ParameterMessage] | None = None
    """`describe`."""
    readback: dict[str, Number] | None = None
    """`read`, and `write` after it."""
    effective_drop: int | None = None
    """`write` and `sequence`: the first drop that sees it."""
    status: dict[str, str | int | float | bool] | None = None
    """`status`: state words of the device."""


class DropMessage(Message):
    """The drop system announces a drop before it."""

    type: Literal["drop"] = "drop"
    drop_id: Count
    sequence_type: SequenceType
    planned_time_ns: Count


class Done(Message):
    """The application knows the outcome of this drop."""

    type: Literal["done"] = "done"
    session: Name
    drop_id: Count


class ControlError(Message):
    """A message that could not be used; it is never answered with another one."""

    type: Literal["error"] = "error"
    code: str
    message: str


ToController = ControllerHello | ControllerRequest | Done | Heartbeat | Bye | ControlError
FromController = ControllerWelcome | Answer | DropMessage | Heartbeat | ControlError
TO_CONTROLLER: dict[str, type[ToController]] = {
    "hello": ControllerHello,
    "request": ControllerRequest,
    "done": Done,
    "heartbeat": Heartbeat,
    "bye": Bye,
    "error": ControlError,
}
FROM_CONTROLLER: dict[str, type[FromController]] = {
    "welcome": ControllerWelcome,
    "answer": Answer,
    "drop": DropMessage,
    "heartbeat": Heartbeat,
    "error": ControlError,
}


def decode_to_controller(raw: bytes) -> ToController:
    """Return the application's message in this JSON text. Raises `WireError`."""
    return parse(TO_CONTROLLER[message_type(raw, list(TO_CONTROLLER))], raw)


def decode_from_controller(raw: bytes) -> FromController:
    """Return the controller's message in this JSON text. Raises `WireError`."""
    return parse(FROM_CONTROLLER[message_type(raw, list(FROM_CONTROLLER))], raw)
