from __future__ import annotations

import golden_messages as golden
import numpy as np
import pytest

from magis_calib.domain.errors import WireError
from magis_calib.link.camera_messages import FrameMessage
from magis_calib.link.control_messages import decode_from_controller, decode_to_controller
from magis_calib.link.wire import (
    check_frame,
    decode_from_camera,
    decode_to_camera,
    payload_of,
    unpack,
)


def raw(name: str) -> bytes:
    return (golden.GOLDEN / name).read_bytes()


def test_encoding_gives_the_golden_bytes():
    assert golden.files() == {path.name: path.read_bytes() for path in golden.GOLDEN.iterdir()}


@pytest.mark.parametrize(
    ("messages", "decode"),
    [
        (golden.FROM_CAMERA, decode_from_camera),
        (golden.TO_CAMERA, decode_to_camera),
        (golden.TO_CONTROLLER, decode_to_controller),
        (golden.FROM_CONTROLLER, decode_from_controller),
    ],
)
def test_golden_bytes_decode_to_the_messages(messages, decode):
    for name, message in messages.items():
        assert decode(raw(f"{name}.json")) == message


@pytest.mark.parametrize(
    ("name", "facts"),
    [("frame_mono16", {}), ("frame_mono12p", {}), ("frame_mono12p_odd", {"rows": 3, "columns": 5})],
)
def test_golden_frames_decode_and_encode_again(name, facts):
    message, payload = decode_from_camera(raw(f"{name}.json")), raw(f"{name}.bin")
    assert isinstance(message, FrameMessage)
    counts = check_frame(message, payload, golden.hello(**facts))
    wanted_header, wanted_counts = golden.FRAMES[name]
    assert np.array_equal(counts, wanted_counts)
    assert not counts.flags.writeable
    assert payload_of(counts, wanted_header) == payload
    assert FrameMessage.of(message.header()).encode() == raw(f"{name}.json")


def test_mono12p_puts_the_first_pixel_into_the_low_bits():
    assert unpack(bytes([0xBC, 0x3A, 0x12]), "Mono12p", 1, 2).tolist() == [[0xABC, 0x123]]


@pytest.mark.parametrize("size", [35, 37, 0])
def test_payload_of_another_length_is_truncated(size):
    message = decode_from_camera(raw("frame_mono12p.json"))
    with pytest.raises(WireError, match="36") as error:
        check_frame(message, bytes(size), golden.hello())
    assert error.value.code == "truncated"
