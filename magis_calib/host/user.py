"""Who runs a program: shown wherever something belongs to one of several."""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import platformdirs

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


def own_folder(kind: Literal["data", "config", "cache"], option: str) -> Path:
    """Return this user's folder for what the program keeps.

    Raises `OSError` that names the option where no home is known.
    """
    find = {
        "data": platformdirs.user_data_path,
        "config": platformdirs.user_config_path,
        "cache": platformdirs.user_cache_path,
    }[kind]
    try:
        return find("magis-calib", appauthor=False)
    except (RuntimeError, KeyError) as error:
        named = f"{option} DIR".strip()
        raise OSError(f"this user has no home folder: {named} names one to use") from error


def said(folder: Callable[[], Path]) -> str:
    """Return the name of a folder for a help text, also where there is none."""
    try:
        return str(folder())
    except OSError:
        return "none: this user has no home folder"


def login_name() -> str:
    """Return who runs this, as far as the system knows."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # an account without an entry in the user list
        return f"uid {os.getuid()}"
