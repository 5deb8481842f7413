"""Who runs a program: shown wherever something belongs to one of several."""

from __future__ import annotations

import getpass
import os
import re
import socket
from dataclasses import dataclass

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_.:\- ]")


@dataclass(frozen=True, slots=True)
class Owner:
    """A user's process on a host; names as the wire allows them."""

    user: str
    host: str
    process: int

    @classmethod
    def of_this_process(cls) -> Owner:
        """Return who runs this."""
        user, host = (
            _NOT_IN_A_NAME.sub("_", text)[:64] or "unknown"
            for text in (login_name(), socket.gethostname())
        )
        return cls(user, host, os.getpid())

    def __str__(self) -> str:
        """Say it in words."""
        return f"{self.user}@{self.host}, process {self.process}"


def login_name() -> str:
    """Return who sits at the screen, as far as the system knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without an entry in the user list
        return f"uid {os.getuid()}"
