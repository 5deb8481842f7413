"""Addresses are bound, or refused with their true cause; nothing that lies there is deleted."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

import pytest
import zmq

from magis_calib.auth.binding import bind
from magis_calib.auth.handshake import HandshakeMonitor
from magis_calib.config.fields import checked_endpoint, host_and_port, is_loopback
from magis_calib.domain.errors import ConfigError


@pytest.fixture
def own():
    with zmq.Context() as context, context.socket(zmq.ROUTER) as made:
        made.linger = 0
        yield made


@pytest.mark.parametrize("kind", ["file", "folder", "link", "pipe"])
def test_what_lies_at_an_ipc_address_is_left_alone(own, tmp_path: Path, kind: str) -> None:
    path, other = tmp_path / "notes.txt", tmp_path / "other.txt"
    other.write_text("years of work")
    {
        "file": lambda: path.write_text("years of work"),
        "folder": path.mkdir,
        "link": lambda: path.symlink_to(other),
        "pipe": lambda: os.mkfifo(path),
    }[kind]()
    before = path.lstat()
    with pytest.raises(ConfigError, match="left as it is"):
        bind(own, f"ipc://{path}")
    assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)
    assert other.read_text() == "years of work"


def test_a_socket_left_behind_is_taken_and_one_that_is_listened_to_is_not(own, tmp_path) -> None:
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    bind(own, f"ipc://{path}")
    with zmq.Context() as context, context.socket(zmq.ROUTER) as second:
        with pytest.raises(zmq.ZMQError) as raised:
            bind(second, f"ipc://{path}")
        assert raised.value.errno == errno.EADDRINUSE


@pytest.mark.parametrize(
    ("endpoint", "words"),
    [
        ("tcp://no-such-host:15550", "not a host's name"),
        ("tcp://192.0.2.1:15550", "an address or interface of this machine"),
        ("ipc:///no/such/folder/socket", "an existing folder"),
        (f"ipc:///tmp/{'a' * 120}", "at most 107 letters"),
    ],
)
def test_the_true_cause_is_said(own, endpoint: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        bind(own, endpoint)


def test_both_ends_speak_ipv6(own) -> None:
    try:
        bind(own, "tcp://[::1]:*")
    except ConfigError:
        pytest.skip("no IPv6 here")
    endpoint = own.last_endpoint.decode()
    assert is_loopback(endpoint)
    with own.context.socket(zmq.DEALER) as caller:
        caller.linger = 0
        monitor = HandshakeMonitor(caller, endpoint)
        caller.send(b"hello")
        assert own.poll(5000)
        monitor.close()


@pytest.mark.parametrize(
    "text",
    [
        "tcp://127.0.0.1:0",
        "tcp://127.0.0.1:65536",
        "tcp://127.0.0.1:80000",
        "tcp://:1",
        "tcp://::1:15550",
        "tcp://a:-1",
        "tcp://a:1:2",
        "tcp://a",
        "tcp://[::1]",
        "udp://a:1",
        "ipc://",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="a port from 1 to 65535"):
        checked_endpoint(text)


def test_hosts_and_ports_are_told_apart() -> None:
    assert host_and_port("tcp://[fe80::1%eth0]:1") == ("fe80::1%eth0", 1)
    assert host_and_port("tcp://*:65535") == ("", 65535)
    assert checked_endpoint("tcp://[fe80::1%eth0]:1")
    assert not is_loopback("tcp://[::]:15550")
