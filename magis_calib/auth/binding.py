"""Bind a socket to an address, or say why not: nothing that lies there already is ever deleted."""

from __future__ import annotations

import errno
import socket
import stat
from collections.abc import Mapping
from pathlib import Path

import zmq

from magis_calib.domain.errors import ConfigError

IPC = "ipc://"
LISTEN_S = 0.2
"""Who listens at a socket's path accepts within this time."""
CAUSES: Mapping[int, str] = {
    errno.ENODEV: "wanted *, or an address or interface of this machine, not a host's name",
    errno.EADDRNOTAVAIL: "wanted *, or an address or interface of this machine",
    errno.EACCES: "this user may not listen there: wanted a port from 1024 on, or another folder",
    errno.ENOENT: "wanted an existing folder",
    errno.ENAMETOOLONG: "wanted a path of at most 107 letters",
    errno.EAFNOSUPPORT: "this machine has no such kind of network",
}
"""Why an address is not bound that nobody else has."""


def bind(own: zmq.Socket[bytes], endpoint: str) -> None:
    """Bind a socket.

    Raises `ConfigError` where the address cannot be, `zmq.ZMQError` where somebody has it.
    """
    if endpoint.startswith(IPC):
        _refuse_what_lies_there(endpoint)
    speak_ipv6(own, endpoint)
    try:
        own.bind(endpoint)
    except zmq.ZMQError as error:
        if cause := CAUSES.get(error.errno or 0):
            raise ConfigError(f"{endpoint}: cannot be bound: {cause}") from error
        raise


def speak_ipv6(own: zmq.Socket[bytes], endpoint: str) -> None:
    """Let a socket use an address such as tcp://[::1]:15550."""
    if "[" in endpoint:
        own.setsockopt(zmq.IPV6, 1)


def _refuse_what_lies_there(endpoint: str) -> None:
    """Refuse a path where another thing lies than a socket that was left behind.

    libzmq deletes whatever has the name.
    """
    name = endpoint.removeprefix(IPC)
    path = Path(name)
    if name.startswith("@"):  # a name without a file
        return
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise ConfigError(
            f"{endpoint}: cannot be bound: wanted a path where nothing is, got "
            f"{'a folder' if stat.S_ISDIR(mode) else 'a link' if stat.S_ISLNK(mode) else 'a file'}"
            " (it is left as it is)"
        )
    if _listened_to(path):
        raise zmq.ZMQError(errno.EADDRINUSE)


def _listened_to(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(LISTEN_S)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True
    return True
