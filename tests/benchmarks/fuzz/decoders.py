"""What is fed, from which good samples, and which errors are the right answer."""

from __future__ import annotations

import json
import random
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from magis_calib.auth.keyring import ALLOWED, Keyring
from magis_calib.config.loading import parse_config, select_station
from magis_calib.config.station import Station, default_text
from magis_calib.domain.errors import ConfigError, SessionError, WireError
from magis_calib.link.camera_messages import FrameMessage, Hello
from magis_calib.link.control_messages import decode_from_controller, decode_to_controller
from magis_calib.link.wire import check_frame, check_hello, decode_from_camera, decode_to_camera
from magis_calib.procedures.plan import read_plan
from magis_calib.products.store import Product, read_product
from magis_calib.replay.changes import read_changes
from simulators.faults.file import load_faults
from simulators.instrument.numbers import load_plant_numbers
from tests.benchmarks.fuzz.rubbish import bytes_of, json_of, toml_of
from tests.link.golden_messages import (
    FRAMES,
    FROM_CAMERA,
    FROM_CONTROLLER,
    TO_CAMERA,
    TO_CONTROLLER,
    frame_parts,
)

Spoil = Callable[[bytes, random.Random], bytes]


@dataclass(frozen=True, slots=True)
class Decoder:
    """One thing that reads what others wrote."""

    name: str
    samples: Sequence[bytes]
    read: Callable[[bytes], object]
    rejects_with: type[Exception]
    ways: Sequence[Spoil]


def wire() -> list[Decoder]:
    """Return what reads messages, and what holds a frame against its header and its camera's
    hello.
    """

    def texts(messages: dict) -> list[bytes]:
        return [one.encode() for one in messages.values()]

    ways = (bytes_of, json_of)
    hellos = {name: one for name, one in FROM_CAMERA.items() if isinstance(one, Hello)}
    frames = [b"\n".join(frame_parts(name)) for name in FRAMES]
    return [
        Decoder("from camera", texts(FROM_CAMERA), decode_from_camera, WireError, ways),
        Decoder("to camera", texts(TO_CAMERA), decode_to_camera, WireError, ways),
        Decoder("to controller", texts(TO_CONTROLLER), decode_to_controller, WireError, ways),
        Decoder("from controller", texts(FROM_CONTROLLER), decode_from_controller, WireError, ways),
        Decoder("hello", texts(hellos), _greet, WireError, ways),
        Decoder("frame", frames, _look, WireError, (bytes_of,)),
    ]


def configurations(folder: Path) -> list[Decoder]:
    """Return what reads configurations, faults, plans, changes and lists of keys.

    Files go through this folder.
    """
    numbers = load_plant_numbers()
    Keyring.at(folder / "keys")
    listed = folder / "keys" / ALLOWED
    toml = (toml_of, bytes_of)
    return [
        Decoder(
            "plan",
            [_shipped("magis_calib/procedures/plan.toml")],
            lambda raw: read_plan(_text(raw), "plan.toml"),
            ConfigError,
            toml,
        ),
        Decoder(
            "changes",
            [_example("docs/replay.md")],
            lambda raw: read_changes(_file(folder / "c.toml", raw)),
            ConfigError,
            toml,
        ),
        Decoder(
            "keys",
            [listed.read_bytes()],
            lambda raw: Keyring(_file(listed, raw).parent),
            ConfigError,
            toml,
        ),
        Decoder("configuration", [default_text().encode()], _configure, ConfigError, toml),
        Decoder(
            "faults",
            [_example("docs/faults.md")],
            lambda raw: load_faults(_file(folder / "f.toml", raw), numbers),
            ConfigError,
            toml,
        ),
    ]


def products(folder: Path) -> list[Decoder]:
    """Return what reads products; files go through this folder."""
    product = Product(
        "response",
        "bottom",
        1_790_000_000_000_000_000,
        True,
        "measured",
        {"trap_x_m": 1e-6},
        "s",
        (1, 9),
        {"matrix": {"x_m": {"trap_x_m": 1.0}}},
    )
    sample, file = json.dumps(asdict(product)).encode(), folder / "p.json"
    return [
        Decoder(
            "product",
            [sample],
            lambda raw: _judge(_file(file, raw)),
            SessionError,
            (json_of, bytes_of),
        )
    ]


def _greet(raw: bytes) -> None:
    message = decode_from_camera(raw)
    if isinstance(message, Hello):
        check_hello(message, *_station())


@lru_cache
def _station() -> tuple[str, Station]:
    return select_station(parse_config(default_text(), "default.toml"), None)


def _look(raw: bytes) -> None:
    header, _, payload = raw.partition(b"\n")
    message = decode_from_camera(header)
    if isinstance(message, FrameMessage):
        hello = next(one for one in FROM_CAMERA.values() if isinstance(one, Hello))
        check_frame(message, payload, hello.model_copy(update={"session": message.session}))


def _configure(raw: bytes) -> None:
    parse_config(_text(raw), "own.toml")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(str(error)) from error


def _shipped(path: str) -> bytes:
    return (Path(__file__).parents[3] / path).read_bytes()


def _example(document: str) -> bytes:
    """Return the first example in TOML of a document."""
    return _shipped(document).split(b"```toml\n")[1].split(b"```")[0]


def _judge(path: Path) -> None:
    product = read_product(path)
    assert product.valid in (True, False)
    assert product.drops[0] == product.drops[0] + 0


def _file(path: Path, raw: bytes) -> Path:
    path.write_bytes(raw)
    return path


def scratch() -> tempfile.TemporaryDirectory[str]:
    """Return a folder in memory where there is one."""
    shared = Path("/dev/shm")
    return tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None)
