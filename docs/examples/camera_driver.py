"""A camera driver for magis-calib (docs/protocol.md).

Usage: camera_driver.py ENDPOINT VIEW FRAMES SECONDS_BETWEEN [FOLDER_OF_KEYS]; without keys for
plain sockets only.
"""

import json
import sys
import time
import tomllib
import zlib
from pathlib import Path

import numpy as np
import zmq

ROWS = 512
COLUMNS = 768
SPOOL_BYTES = 400_000_000
HEARTBEAT_S = 1.0
SILENT_S = 5.0


def encode(**message):
    return json.dumps(message, separators=(",", ":")).encode()


def identity(view):
    return {"station": "bottom", "camera": {"x": "LM1", "y": "LM2"}[view], "view": view}


def hello(view, session, rows, columns):
    facts = {
        "rows": rows,
        "columns": columns,
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
    return encode(
        type="hello",
        protocols=[1],
        **identity(view),
        session=session,
        driver="example 1.0",
        facts=facts,
    )


def frame(view, session, drop_id, sequence, trigger_time_ns, counts):
    pixels = np.ascontiguousarray(counts, dtype="<u2").tobytes()
    header = encode(
        type="frame",
        protocol=1,
        **identity(view),
        drop_id=drop_id,
        sequence_type="interferometer",
        session=session,
        sequence=sequence,
        trigger_time_ns=trigger_time_ns,
        exposure_s=0.0001,
        rows=counts.shape[0],
        columns=counts.shape[1],
        dtype="uint16",
        pixel_format="Mono16",
        bits=12,
        alignment="left",
        checksum=f"{zlib.crc32(pixels):08x}",
    )
    return [header, pixels]


def lock(socket, keys):
    """Show the camera's own key, and speak with nobody but the application (docs/security.md)."""
    mine = tomllib.loads(Path(keys, "camera.key").read_text())
    allowed = tomllib.loads(Path(keys, "allowed.toml").read_text())["key"]
    socket.curve_publickey = mine["public"].encode()
    socket.curve_secretkey = mine["secret"].encode()
    socket.curve_serverkey = next(
        one["public"].encode() for one in allowed if one["name"] == "application"
    )


def main(endpoint, view, frames, seconds_between, keys=None):
    socket = zmq.Context.instance().socket(zmq.DEALER)
    socket.setsockopt(zmq.IMMEDIATE, 1)  # queue nothing while nobody is connected
    socket.setsockopt(zmq.SNDTIMEO, 1000)
    if keys:
        lock(socket, keys)
    socket.connect(endpoint)
    session = f"{view}-{time.time_ns()}"
    application = None
    taken = 0
    due = 0.0
    heard = 0.0
    beat = 0.0
    # drop_id -> [parts, sent]: every frame stays here until the application has it on disk
    spool = {}
    while taken < int(frames) or spool:
        now = time.monotonic()
        try:
            if application and now - heard > SILENT_S:
                application = None  # it is gone: say hello until it is back
            if now >= beat:
                beat = now + HEARTBEAT_S
                word = encode(type="heartbeat", session=session)
                socket.send(word if application else hello(view, session, ROWS, COLUMNS))
            for entry in spool.values() if application else ():
                if not entry[1]:
                    socket.send_multipart(entry[0])
                    entry[1] = True
        except zmq.Again:
            application = None  # nobody is connected
        if application and taken < int(frames) and now >= due:
            taken = taken + 1
            due = now + float(seconds_between)  # a real drop id comes with the trigger
            counts = 1600 + 16 * np.random.default_rng(taken).poisson(10.0, (ROWS, COLUMNS))
            spool[taken] = [frame(view, session, taken, taken - 1, time.time_ns(), counts), False]
            while sum(len(parts[1]) for parts, _ in spool.values()) > SPOOL_BYTES:
                print(f"spool full: drop {next(iter(spool))} is lost", file=sys.stderr)
                spool.pop(next(iter(spool)))
        if not socket.poll(20):
            continue
        answer = json.loads(socket.recv())
        heard = time.monotonic()
        if (
            answer["type"] == "welcome"
        ):  # new, or the same again: it needs everything that is not stored
            application = answer["session"]
            spool = {drop_id: [parts, False] for drop_id, (parts, _) in spool.items()}
        elif answer["type"] in ("stored", "not_stored"):
            spool.pop(answer["drop_id"], None)
        elif answer["type"] == "error":
            print(f"{answer['code']}: {answer['message']}", file=sys.stderr)
            if answer["code"] == "no_hello":
                application = None
                beat = 0.0
            elif answer.get("drop_id") in spool:
                if answer["retry"]:
                    spool[answer["drop_id"]][1] = False
                else:
                    spool.pop(answer["drop_id"])
        elif answer["type"] == "heartbeat" and answer["session"] != application:
            application = None
            beat = 0.0
    socket.send(encode(type="bye", session=session))


if __name__ == "__main__":
    main(*sys.argv[1:6])
