"""docs/protocol.md against the code: its bytes, its field names, its error codes."""

from __future__ import annotations

import re
from pathlib import Path

import golden_messages as golden
import pytest
import zmq

from magis_calib.auth import handshake
from magis_calib.domain.quantities import ACTUATORS
from magis_calib.link import camera_messages as camera
from magis_calib.link import control_messages as control
from magis_calib.link.wire import RETRY_HELPS
from simulators.instrument.numbers import load_plant_numbers

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")


def hex_dump(raw: bytes) -> str:
    rows = (raw[start : start + 16] for start in range(0, len(raw), 16))
    return "\n".join(f"{16 * k:08x}: {row.hex(' ', -2)}" for k, row in enumerate(rows))


@pytest.mark.parametrize("name", ["hello.json", "frame_mono16.json", "frame_mono12p.json"])
def test_shows_the_golden_headers(name):
    assert (golden.GOLDEN / name).read_text() in TEXT


@pytest.mark.parametrize("name", list(golden.FRAMES))
def test_shows_the_golden_pixels(name):
    assert hex_dump((golden.GOLDEN / f"{name}.bin").read_bytes()) in TEXT


def test_names_every_message_and_field():
    tables = [camera.FROM_CAMERA, camera.TO_CAMERA, control.TO_CONTROLLER, control.FROM_CONTROLLER]
    models = {model for table in tables for model in table.values()}
    models |= {camera.FactsMessage, control.ParameterMessage, control.Refusal}
    quoted = set(re.findall(r"[`\"](\w+)[`\"]", TEXT))
    names = {name for model in models for name in model.model_fields} | {
        kind for table in tables for kind in table
    }
    assert names - quoted == set()
    assert set(ACTUATORS) - {"focus_m"} <= quoted


def test_lists_every_error_code_with_its_retry():
    listed = dict(re.findall(r"^\| `(\w+)` \| (yes|no) \|", TEXT, re.MULTILINE))
    folders = (ROOT / "magis_calib" / "link", ROOT / "magis_calib" / "auth", ROOT / "hardware")
    files = [path for folder in folders for path in folder.glob("*.py")]
    sources = "".join(path.read_text() for path in files)
    raised = set(re.findall(r"(?:WireError|_same)\(\s*\"(\w+)\"", sources))
    assert raised == set(listed)
    assert {code for code, retry in listed.items() if retry == "yes"} == RETRY_HELPS


def test_says_of_each_actuator_its_unit_and_which_way_is_plus():
    row = re.compile(r"^\| `(\w+)` \| `([^`]+)` \| [^|]+ \| ([^|]*)\|$", re.MULTILINE)
    told = {name: (unit, moves) for name, unit, moves in row.findall(TEXT)}
    assert {name: unit for name, (unit, _) in told.items()} == {
        name: one.unit for name, one in ACTUATORS.items()
    }
    for name, one in load_plant_numbers(None).actuators.items():
        signs = {key: size > 0 for key, size in (one.moves | one.per_square_time).items()}
        said = re.findall(r"`(\w+)` ([+−])", told[name][1])
        assert {key: sign == "+" for key, sign in said} == signs, name


def test_names_what_a_monitor_tells_of_a_handshake():
    assert all(f"`ZMQ_EVENT_{zmq.Event(one).name}`" in TEXT for one in handshake.REFUSALS)


def test_lists_every_refusal():
    codes = control.Refusal.model_fields["code"].annotation.__args__
    assert all(f"| `{code}` |" in TEXT for code in codes)
