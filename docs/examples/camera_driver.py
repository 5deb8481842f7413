"""A camera driver for magis-calib in one file (docs/protocol.md). It needs zmq and numpy, nothing of magis-calib.

python camera_driver.py ENDPOINT VIEW FRAMES SECONDS_BETWEEN
"""

import collections
import json
import sys
import time
import zlib

import numpy as np
import zmq

STATION, CAMERAS, ROWS, COLUMNS = "bottom", {"x": "LM1", "y": "LM2"}, 512, 768
HEARTBEAT_S, SILENT_S, SPOOL_FRAMES, TRIES = 1.0, 5.0, 100, 3


def encode(message):
    """Return a message as it is sent."""
    return json.dumps(message, separators=(",", ":")).encode()


def hello(view, session, rows=ROWS, columns=COLUMNS):
    """Return the first message: who this is and what its camera is like."""
    facts = {
        "rows": rows, "columns": columns, "object_pixel_m": 0.00025, "gain": 0.24, "offset": 1600.0, "read_noise": 2.4,
        "saturation": 65520, "bits": 12, "lsb_counts": 16, "excess": 0.9, "orientation": "normal",
    }  # fmt: skip
    return encode({
        "type": "hello", "protocols": [1], "station": STATION, "camera": CAMERAS[view], "view": view,
        "session": session, "driver": "example 1.0", "facts": facts,
    })  # fmt: skip


def frame(view, session, drop_id, sequence, trigger_time_ns, counts):
    """Return the two parts of a frame: header and pixels."""
    payload = np.ascontiguousarray(counts, dtype="<u2").tobytes()
    return [encode({
        "type": "frame", "protocol": 1, "station": STATION, "camera": CAMERAS[view], "view": view, "drop_id": drop_id,
        "sequence_type": "interferometer", "session": session, "sequence": sequence, "trigger_time_ns": trigger_time_ns,
        "exposure_s": 0.0001, "rows": counts.shape[0], "columns": counts.shape[1], "dtype": "uint16",
        "pixel_format": "Mono16", "bits": 12, "alignment": "left", "checksum": f"{zlib.crc32(payload):08x}",
    }), payload]  # fmt: skip


class Driver:
    """Keeps every frame until it is stored, and sends it again where needed."""

    def __init__(self, endpoint, view):
        self.view, self.session = view, f"{CAMERAS[view]}-{time.time_ns()}"
        self.spool, self.waiting, self.tries = {}, collections.deque(), collections.Counter()
        self.application, self.heard, self.next_word = None, 0.0, 0.0
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.setsockopt(zmq.IMMEDIATE, 1)  # queue nothing while nobody is connected
        self.socket.setsockopt(zmq.LINGER, 500)
        self.socket.connect(endpoint)

    def take(self, drop_id, sequence, counts):
        """Keep a new frame until the application has stored it."""
        self.spool[drop_id] = frame(self.view, self.session, drop_id, sequence, time.time_ns(), counts)
        self.waiting.append(drop_id)
        if len(self.spool) > SPOOL_FRAMES:
            lost = next(iter(self.spool))
            self.spool.pop(lost)
            print(f"spool is full, drop {lost} is lost", file=sys.stderr)

    def step(self, timeout_s=0.05):
        """Do what is due; call this all the time."""
        now = time.monotonic()
        if self.application and now - self.heard > SILENT_S:
            self.application = None  # it is gone: say hello until it is back
        if now >= self.next_word:
            self.next_word = now + HEARTBEAT_S
            beat = encode({"type": "heartbeat", "session": self.session})
            self.send([beat if self.application else hello(self.view, self.session)])
        while self.application and self.waiting and self.send(self.spool.get(self.waiting[0], [])):
            self.tries[self.waiting.popleft()] += 1
        if self.socket.poll(timeout_s * 1000):
            self.hear(json.loads(self.socket.recv()))

    def hear(self, answer):
        """Act on one message of the application."""
        self.heard, drop_id = time.monotonic(), answer.get("drop_id")
        if answer["type"] == "welcome":  # a new application, or the same one again: it needs all that is not stored
            self.application = answer["session"]
            self.waiting = collections.deque(self.spool)
            self.tries.clear()
        elif answer["type"] in ("stored", "not_stored"):
            self.spool.pop(drop_id, None)
        elif (answer["type"] == "heartbeat" and answer["session"] != self.application) or (
            answer["type"] == "error" and answer["code"] == "no_hello"
        ):
            self.application, self.next_word = None, 0.0
        elif answer["type"] == "error":
            print(f"{answer['code']}: {answer['message']}", file=sys.stderr)
            if answer["retry"] and drop_id in self.spool and self.tries[drop_id] < TRIES:
                self.waiting.append(drop_id)
            else:
                self.spool.pop(drop_id, None)

    def send(self, parts):
        """Send one message; say whether somebody takes it."""
        try:
            self.socket.send_multipart(parts, zmq.NOBLOCK) if parts else None
        except zmq.Again:
            return False
        return True


def main(endpoint, view, frames, seconds_between):
    """Take this many pictures, wait until all are stored, say bye."""
    driver, taken, due = Driver(endpoint, view), 0, 0.0
    while taken < int(frames) or driver.spool:
        driver.step()
        if driver.application and taken < int(frames) and time.monotonic() >= due:
            taken, due = taken + 1, time.monotonic() + float(seconds_between)
            # The drop id comes from the drop system with the trigger; here the drops are simply counted.
            counts = 1600 + 16 * np.random.default_rng(taken).poisson(10.0, (ROWS, COLUMNS)).astype("<u2")
            driver.take(taken, taken - 1, counts)
    driver.send([encode({"type": "bye", "session": driver.session})])


if __name__ == "__main__":
    main(*sys.argv[1:5])
