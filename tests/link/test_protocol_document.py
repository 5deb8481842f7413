"""docs/protocol.md against the code: its bytes, its field names, its error codes."""

from __future__ import annotations

import re
from pathlib import Path

import golden_messages as golden
import pytest

from magis_calib.domain.quantities import ACTUATORS
from magis_calib.link import camera_messages as camera
from magis_calib.link import control_messages as control
from magis_calib.link.wire import RETRY_HELPS

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


def test_lists_every_refusal():
    codes = control.Refusal.model_fields["code"].annotation.__args__
    assert all(f"| `{code}` |" in TEXT for code in codes)
