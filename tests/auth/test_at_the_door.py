"""Who is served at each socket of a real application and real controllers, and who is not."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from hardware.connection import ApplicationIdentity
from hardware.controller import ControllerClient
from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.app.simulated import on_free_ports
from magis_calib.auth.keyring import Keyring, Pair, default_keys_dir
from magis_calib.auth.sockets import CurveSecurity, open_lock
from magis_calib.config.loading import parse_config
from magis_calib.config.station import Config, Station, default_text
from magis_calib.domain.errors import ConfigError
from tests.auth.caller import CAMERA_HELLO, HELLO, Caller
from tests.bench import Controllers, running, until

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "camera_driver.py"


@pytest.fixture
def locked(station: Station) -> Iterator[Station]:
    """The bottom station on free ports, locked as shipped."""
    with on_free_ports(station, own=False) as (free, _):
        yield free


@pytest.fixture
def keyring() -> Keyring:
    """The user's own, where the programs find it without being told."""
    return Keyring.at(default_keys_dir())


@pytest.fixture
def live(config: Config, locked: Station, tmp_path: Path) -> Iterator[LiveRun]:
    """A running application and its controllers, each with its keys."""
    controllers = Controllers(locked)
    try:
        live = LiveRun(config, "bottom", locked, RunRequest(tmp_path))
        with running(live.engine, live.close) as engine:
            until(engine, lambda snapshot: snapshot.actuators, "the controllers are known")
            yield live
    finally:
        controllers.close()


def stranger() -> Pair:
    public, secret = zmq.curve_keypair()
    return Pair(public.decode(), secret.decode())


@pytest.mark.parametrize("who", ["stranger", "nobody", "observer", "laser", "wrong server key"])
def test_only_whose_key_is_listed_for_it_is_served(live, locked, keyring, who: str) -> None:
    for door, hello, right in (
        ("camera", CAMERA_HELLO, "camera"),
        ("laser", HELLO, "application"),
        ("drop_system", HELLO, "application"),
    ):
        server = keyring.named("application" if door == "camera" else door).public
        endpoint = locked.endpoints[door]
        keys = {"stranger": stranger(), "nobody": None, "wrong server key": keyring.pair(right)}
        mine = keys[who] if who in keys else keyring.pair(who)
        with Caller(
            endpoint, mine, stranger().public if who == "wrong server key" else server
        ) as caller:
            assert not caller.is_served(**hello)
        with Caller(endpoint, keyring.pair(right), server) as caller:
            answer = caller.ask(**hello)
            assert answer["type"] == "welcome" or answer["code"] == "leased"


def test_a_revoked_key_is_refused_from_the_next_message_on(live, locked, keyring) -> None:
    keyring.make("LM9", "camera")
    keyring.make("second", "application")
    with (
        Caller(
            locked.links.camera, keyring.pair("LM9"), keyring.named("application").public
        ) as camera,
        Caller(
            locked.endpoints["laser"], keyring.pair("second"), keyring.named("laser").public
        ) as second,
    ):
        assert camera.ask(**CAMERA_HELLO)["type"] == "welcome"
        assert second.ask(**HELLO)["code"] == "leased"
        keyring.revoke("LM9")
        keyring.revoke("second")
        for caller in (camera, second):
            answer = caller.ask(type="heartbeat", session="s")
            while answer["type"] == "heartbeat":  # one that was on its way
                answer = caller.hear()
            assert (answer["type"], answer["code"]) == ("error", "not_allowed")
        refused = second.ask(
            type="request",
            protocol=1,
            request="read",
            request_id="r1",
            number=1,
            session="s",
            expires_time_ns=time.time_ns() + 10**10,
        )
        assert not refused.get("ok", False)


def test_an_observer_sees_telemetry_until_it_is_revoked(live, locked, keyring) -> None:
    keyring.make("wall", "observer")
    with Caller(
        locked.links.telemetry, keyring.pair("wall"), keyring.named("application").public, zmq.SUB
    ) as wall:
        assert wall.hear()["station"] == "bottom"
        keyring.revoke("wall")
        assert wall.hears_no_more()
        with Caller(
            locked.links.telemetry,
            keyring.pair("observer"),
            keyring.named("application").public,
            zmq.SUB,
        ) as other:
            assert other.hear()["station"] == "bottom"


def test_nothing_is_sent_to_a_controller_whose_key_was_revoked(live, locked, keyring) -> None:
    kept = (keyring.folder / "allowed.toml").read_text()
    rows = [row for row in kept.split("\n\n") if 'name = "laser"' not in row]
    (keyring.folder / "allowed.toml").write_text("\n\n".join(rows) + "\n")
    try:
        until(
            live.engine,
            lambda snapshot: "laser was revoked" in snapshot.loop_detail,
            "the loop says so",
        )
    finally:
        (keyring.folder / "allowed.toml").write_text(kept)


def test_the_example_driver_is_served_with_its_key(locked, keyring, tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text(default_text().replace("tcp://127.0.0.1:15550", locked.links.camera))
    check = [
        "-m",
        "magis_calib",
        "check-driver",
        "--json",
        "--frames",
        "3",
        "--seconds",
        "20",
        "--config",
        str(own),
    ]
    drive = [str(EXAMPLE), locked.links.camera, "x", "3", "0.1", str(keyring.folder)]
    checking = subprocess.Popen([sys.executable, *check], stdout=subprocess.PIPE, text=True)
    driving = subprocess.Popen([sys.executable, *drive])
    said, _ = checking.communicate(timeout=90)
    driving.kill()
    driving.wait()
    assert json.loads(said)["passed"], said


@pytest.mark.parametrize(
    "address", ["tcp://0.0.0.0:15550", "tcp://192.168.7.2:15550", "tcp://*:15550"]
)
def test_plain_sockets_are_refused_beyond_this_machine(address: str) -> None:
    text = default_text().replace('sockets = "curve"', 'sockets = "plain"')
    assert parse_config(text, "own.toml").stations["bottom"].links.sockets == "plain"
    with pytest.raises(
        ConfigError, match='sockets = "plain": wanted addresses of this machine alone'
    ):
        parse_config(text.replace("tcp://127.0.0.1:15550", address), "own.toml")


class Blabber:
    """A server that answers whoever says hello to it with far more than anybody should take in."""

    def __init__(self, keyring: Keyring, name: str, endpoint: str, size: int) -> None:
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.ROUTER)
        pair = keyring.pair(name)
        self.socket.curve_server, self.socket.linger = 1, 0
        self.socket.curve_publickey, self.socket.curve_secretkey = (
            pair.public.encode(),
            pair.secret.encode(),
        )
        self.socket.bind(endpoint)
        self.size = size

    def callers(self, seconds: float) -> int:
        """Answer for so long; return how many connections spoke."""
        seen, end = set(), time.monotonic() + seconds
        while time.monotonic() < end:
            if self.socket.poll(50):
                who = self.socket.recv_multipart()[0]
                if who not in seen:
                    seen.add(who)
                    self.socket.send_multipart([who, b" " * self.size])
        return len(seen)


def test_who_sends_too_much_is_cut_off_at_every_door(live, locked, keyring) -> None:
    doors = (
        ("camera", "camera", 310_000_000),
        ("laser", "application", 1_100_000),
        ("telemetry", "observer", 2_000),
    )
    for door, name, size in doors:
        server = keyring.named("application" if door in ("camera", "telemetry") else door).public
        kind = zmq.XSUB if door == "telemetry" else zmq.DEALER
        with Caller(locked.endpoints[door], keyring.pair(name), server, kind) as caller:
            monitor = caller.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED)
            assert caller.socket.poll(0) == 0
            caller.socket.send(b" " * size)
            assert monitor.poll(60_000), f"{door} takes in {size} bytes"
            caller.socket.disable_monitor()


@pytest.mark.parametrize(("size", "connections"), [(900_000, 1), (1_100_000, 2)])
def test_a_controller_that_answers_too_much_is_cut_off(
    locked, keyring, size: int, connections: int
) -> None:
    blabber = Blabber(keyring, "laser", locked.endpoints["laser"], size)
    lock = open_lock(locked, None)
    client = ControllerClient(
        lock,
        "laser",
        locked.endpoints["laser"],
        ApplicationIdentity("bottom", "s"),
        locked.links,
    )
    try:
        assert (blabber.callers(5.0) > 1) == (connections > 1), (
            "each answer of too many bytes ends a connection"
        )
    finally:
        client.close()
        blabber.context.destroy(linger=0)
        lock.close()


def test_who_is_not_let_in_says_so_and_is_served_once_it_is_allowed(locked, keyring) -> None:
    kept = (keyring.folder / "allowed.toml").read_text()
    without = [row for row in kept.split("\n\n") if 'role = "application"' not in row]
    (keyring.folder / "allowed.toml").write_text("\n\n".join(without) + "\n")
    controllers = Controllers(locked)
    strangers = Keyring.at(default_keys_dir())
    lock = CurveSecurity(zmq.Context(), strangers)
    client = None
    try:
        client = ControllerClient(
            lock,
            "laser",
            locked.endpoints["laser"],
            ApplicationIdentity("bottom", "s"),
            locked.links,
        )
        until_true(lambda: "does not let our key in" in client.link().detail)
        (keyring.folder / "allowed.toml").write_text(kept)
        until_true(lambda: client.link().connected)
    finally:
        (keyring.folder / "allowed.toml").write_text(kept)
        if client is not None:
            client.close()
        controllers.close()
        lock.close()


def until_true(true, within_s: float = 15.0) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)
