"""The messages whose bytes lie in `golden/`. `python golden_messages.py` writes the files anew."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from magis_calib.domain.camera import FrameHeader
from magis_calib.link import camera_messages as camera
from magis_calib.link import control_messages as control
from magis_calib.link.wire import checksum, pack

GOLDEN = Path(__file__).parent / "golden"
TIME_NS = 1_800_000_000_000_000_000
EXPIRES_NS = 4_100_000_000_000_000_000
"""Far away, so that a controller may be tested with these very requests."""

COUNTS16 = (1600 + 16 * np.arange(24, dtype="<u2")).reshape(4, 6)
COUNTS12 = np.array(
    [[0x000, 0xABC, 0x123, 0x456, 0x789, 0xFFF]]
    + [[row * 100 + column for column in range(6)] for row in (1, 2, 3)],
    dtype="<u2",
)
COUNTS12_ODD = COUNTS12[:3, :5].copy()


def facts(**more: object) -> camera.FactsMessage:
    table = {
        "rows": 4,
        "columns": 6,
        "object_pixel_m": 0.00025,
        "gain": 0.24,
        "offset": 1600.0,
        "read_noise": 2.4,
        "saturation": 65520,
        "bits": 12,
        "lsb_counts": 16,
        "excess": 0.9,
        "orientation": "normal",
    }
    return camera.FactsMessage.model_validate(table | more)


def hello(**more: object) -> camera.Hello:
    return camera.Hello(
        protocols=[1],
        station="bottom",
        camera="LM1",
        view="x",
        session="LM1-7",
        driver="example 1.0",
        facts=facts(**more),
    )


HEADER = FrameHeader(
    station="bottom",
    camera="LM1",
    view="x",
    drop_id=42,
    sequence_type="interferometer",
    session="LM1-7",
    sequence=41,
    trigger_time_ns=TIME_NS,
    exposure_s=0.0001,
    rows=4,
    columns=6,
    pixel_format="Mono16",
    bits=12,
    alignment="left",
    checksum="",
)
HEADER12 = replace(HEADER, pixel_format="Mono12p", alignment="right")

FRAMES = {
    "frame_mono16": (HEADER, COUNTS16),
    "frame_mono12p": (HEADER12, COUNTS12),
    "frame_mono12p_odd": (replace(HEADER12, rows=3, columns=5), COUNTS12_ODD),
}


def frame_parts(name: str) -> list[bytes]:
    header, counts = FRAMES[name]
    payload = pack(counts, header.pixel_format)
    return [camera.FrameMessage.of(replace(header, checksum=checksum(payload))).encode(), payload]


FROM_CAMERA = {
    "hello": hello(),
    "hello_mono12p": hello(gain=3.84, offset=100.0, saturation=4095, lsb_counts=1),
    "heartbeat": camera.Heartbeat(session="LM1-7"),
    "bye": camera.Bye(session="LM1-7"),
}
TO_CAMERA = {
    "welcome": camera.Welcome(protocol=1, session="app-3", heartbeat_s=1.0),
    "received": camera.Received(drop_id=42, sequence=41),
    "stored": camera.Stored(drop_id=42, sequence=41),
    "not_stored": camera.NotStored(
        drop_id=42, sequence=41, reason="recording policy: every 10th drop"
    ),
    "error": camera.ErrorAnswer(
        code="checksum",
        message="CRC-32 of the payload: wanted 'f0f0f0f0', got '00000000'",
        retry=True,
        drop_id=42,
        sequence=41,
    ),
    "heartbeat_of_application": camera.Heartbeat(session="app-3"),
}
PARAMETER = control.ParameterMessage(
    unit="rad",
    minimum=-0.002,
    maximum=0.002,
    step_limit=0.0005,
    direction=1,
    resolution=0.0001,
    readback_tolerance=0.0002,
    settle_time_s=0.2,
)
REQUEST = {"session": "app-3", "expires_time_ns": EXPIRES_NS}
TO_CONTROLLER = {
    "controller_hello": control.ControllerHello(protocols=[1], station="bottom", session="app-3"),
    "request_describe": control.ControllerRequest(
        protocol=1, request="describe", request_id="app-3-1", number=1, **REQUEST
    ),
    "request_read": control.ControllerRequest(
        protocol=1, request="read", request_id="app-3-2", number=2, **REQUEST
    ),
    "request_write": control.ControllerRequest(
        protocol=1,
        request="write",
        request_id="app-3-3",
        number=3,
        setpoints={"mirror_tilt_x_rad": 0.0004},
        **REQUEST,
    ),
    "request_check": control.ControllerRequest(
        protocol=1,
        request="write",
        request_id="app-3-4",
        number=4,
        setpoints={"mirror_tilt_x_rad": 0.5},
        commit=False,
        **REQUEST,
    ),
    "request_status": control.ControllerRequest(
        protocol=1, request="status", request_id="app-3-5", number=5, **REQUEST
    ),
    "request_sequence": control.ControllerRequest(
        protocol=1,
        request="sequence",
        request_id="app-3-6",
        number=6,
        sequence_type="z_shear",
        **REQUEST,
    ),
    "done": control.Done(session="app-3", drop_id=42),
    "controller_bye": camera.Bye(session="app-3"),
}
FROM_CONTROLLER = {
    "controller_welcome": control.ControllerWelcome(
        protocol=1, station="bottom", controller="laser", session="laser-9", heartbeat_s=1.0
    ),
    "answer_describe": control.Answer(
        request_id="app-3-1",
        session="laser-9",
        ok=True,
        parameters={"mirror_tilt_x_rad": PARAMETER},
    ),
    "answer_read": control.Answer(
        request_id="app-3-2", session="laser-9", ok=True, readback={"mirror_tilt_x_rad": 0.0004}
    ),
    "answer_write": control.Answer(
        request_id="app-3-3",
        session="laser-9",
        ok=True,
        readback={"mirror_tilt_x_rad": 0.0004},
        effective_drop=43,
    ),
    "answer_refused": control.Answer(
        request_id="app-3-4",
        session="laser-9",
        ok=False,
        error=control.Refusal(
            code="limit",
            message="mirror_tilt_x_rad = 0.5: outside its range [-0.002, 0.002]",
            name="mirror_tilt_x_rad",
            value="0.5",
        ),
    ),
    "answer_status": control.Answer(
        request_id="app-3-5",
        session="laser-9",
        ok=True,
        status={"state": "ready", "limit_violations": 1},
    ),
    "answer_sequence": control.Answer(
        request_id="app-3-6", session="drops-9", ok=True, effective_drop=43
    ),
    "drop": control.DropMessage(
        drop_id=42, sequence_type="interferometer", planned_time_ns=TIME_NS
    ),
    "heartbeat_of_controller": camera.Heartbeat(session="laser-9"),
    "controller_error": control.ControlError(code="no_hello", message="laser waits for a hello"),
}
MESSAGES = FROM_CAMERA | TO_CAMERA | TO_CONTROLLER | FROM_CONTROLLER


def files() -> dict[str, bytes]:
    """Every golden file by name."""
    found = {f"{name}.json": message.encode() for name, message in MESSAGES.items()}
    for name in FRAMES:
        found[f"{name}.json"], found[f"{name}.bin"] = frame_parts(name)
    return found


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, raw in files().items():
        (GOLDEN / name).write_bytes(raw)
    sys.exit(0)
