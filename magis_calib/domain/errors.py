"""Every error this program raises on purpose.

MagisError
├── ConfigError        the configuration cannot be used (exit code 2)
├── WireError          a message from a driver or controller cannot be used; carries `code`
├── ControllerError    a controller refused, stayed silent or answered something else
│   ├── Refused        it answered no, by name and value; nothing was changed
│   ├── Garbled        it answered what cannot be used; nobody knows whether it was done
│   └── Silent         no answer before the deadline; nobody knows whether it was done
├── ProcedureError     a procedure cannot begin or go on; the setpoints go back
├── SessionError       a recording cannot be written or read
├── ImageError         an image file cannot be read, used or written
└── FitError           an image that no estimate can be made from
"""

from __future__ import annotations

from typing import Any


class MagisError(Exception):
    """Base of all errors raised on purpose."""


class ConfigError(MagisError):
    """The configuration cannot be used: names file, line or key, wanted and got."""


class WireError(MagisError):
    """A message that cannot be used.

    `code` is one of the words listed in docs/protocol.md under "Errors".
    """

    def __init__(self, code: str, what: str, *, wanted: Any = None, got: Any = None) -> None:
        self.code = code
        self.what = what
        self.wanted = wanted
        self.got = got
        said = {"wanted": wanted, "got": got}
        tail = ", ".join(f"{word} {one!r}" for word, one in said.items() if one is not None)
        super().__init__(f"{what}: {tail}" if tail else what)


class ControllerError(MagisError):
    """A controller did not do what was asked."""


class Refused(ControllerError):
    """The controller answered no. Nothing was changed."""

    def __init__(self, controller: str, code: str, message: str) -> None:
        self.controller = controller
        self.code = code
        super().__init__(f"{controller} refused: {message}")


class Garbled(ControllerError):
    """The controller answered what cannot be used: whether it did what was asked is unknown."""

    def __init__(self, controller: str, request: str, why: str) -> None:
        self.controller = controller
        super().__init__(f"{controller} answered {request!r}, but not as agreed: {why}")


class Silent(ControllerError):
    """No answer before the deadline: whether it was done is unknown."""

    def __init__(self, controller: str, request: str, waited_s: float) -> None:
        self.controller = controller
        super().__init__(f"{controller} did not answer {request!r} within {waited_s:.2g} s")


class ProcedureError(MagisError):
    """A procedure cannot begin or go on: says why. The setpoints go back to where it began."""


class SessionError(MagisError):
    """A recording cannot be written or read."""


class ImageError(MagisError):
    """An image file cannot be read, used or written: names the file, wanted and got."""


class FitError(MagisError):
    """No estimate can be made from this image."""
