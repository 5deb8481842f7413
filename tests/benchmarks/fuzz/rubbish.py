"""Makes rubbish of good samples: bytes flipped, cut, doubled.

JSON and TOML with other values, names and depths.
"""

from __future__ import annotations

import json
import random
from typing import Any

STRANGE: tuple[Any, ...] = (
    None,
    True,
    -1,
    0,
    2**31,
    2**63,
    -(2**63) - 1,
    10**400,
    1e308,
    -1e308,
    5e-324,
    float("nan"),
    float("inf"),
    "",
    "x" * 300,
    "\x00",
    "\ud800",
    "٣",
    "1e5",
    "NaN",
    [],
    {},
    [[]],
    [None] * 50,
    {"": {}},
    {"type": "frame"},
    "../../etc",
    "Mono16",
)


TOML_VALUES = (
    "nan",
    "inf",
    "-1",
    "0",
    "1e400",
    "''",
    "[]",
    "{}",
    "true",
    "9" * 400,
    "'x'",
    "[[[[]]]]",
    "1e-300",
    "[1, 2, 'a']",
    "{a = 1}",
    "1979-05-27",
    "0x10",
    "'tcp://*:1'",
    '"\\u0000"',
)
PIECES = (b"[" * 3000, b'{"a":' * 2000, b"9" * 5000, b"\xff\xfe", b"\x00", b"e999", b"'''")


def bytes_of(sample: bytes, rng: random.Random) -> bytes:
    """Return the sample with one to four changes."""
    raw = bytearray(sample)
    for _ in range(rng.randint(1, 4)):
        at, end = sorted((rng.randint(0, len(raw)), rng.randint(0, len(raw))))
        match rng.randrange(6):
            case 0 if raw:
                raw[rng.randrange(len(raw))] ^= 1 << rng.randrange(8)
            case 1:
                del raw[at:end]
            case 2:
                raw[at:at] = raw[at:end]
            case 3:
                raw[at:at] = rng.randbytes(rng.randint(1, 8))
            case 4:
                raw = raw[:at]
            case 5:
                raw[at:at] = rng.choice(PIECES)
    return bytes(raw)


def json_of(sample: bytes, rng: random.Random) -> bytes:
    """Return the JSON text with one to four values, names or places changed."""
    table = json.loads(sample)
    for _ in range(rng.randint(1, 4)):
        _change(table, rng)
    try:
        return json.dumps(table).encode()
    except ValueError:
        return sample


def toml_of(sample: bytes, rng: random.Random) -> bytes:
    """Return the TOML text with one to four lines changed."""
    lines = sample.decode().split("\n")
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(lines))
        name, equals, _ = lines[at].partition("=")
        match rng.randrange(5):
            case 0 if equals:
                lines[at] = f"{name}= {_toml(rng)}"
            case 1:
                lines.insert(at, rng.choice(lines))
            case 2:
                del lines[at]
                lines = lines or [""]
            case 3 if equals:
                lines[at] = f"{name.strip()}_more = 1"
            case 4:
                other = rng.randrange(len(lines))
                lines[at], lines[other] = lines[other], lines[at]
    return "\n".join(lines).encode()


def _change(table: Any, rng: random.Random) -> None:
    """Walk down a random way and change what is there."""
    while isinstance(table, dict | list) and table:
        key = rng.choice(list(table)) if isinstance(table, dict) else rng.randrange(len(table))
        inner = table[key]
        if isinstance(inner, dict | list) and inner and rng.random() < 0.7:
            table = inner
            continue
        match rng.randrange(4):
            case 0 if isinstance(table, dict):
                del table[key]
            case 1 if isinstance(table, dict):
                table[f"{key}s"] = inner
            case 2 if isinstance(inner, float) or (type(inner) is int and abs(inner) < 1e300):
                table[key] = inner * rng.choice((-1, 0, 1e-30, 1e30, 1.5))
            case _:
                table[key] = rng.choice(STRANGE)
        return


def _toml(rng: random.Random) -> str:
    return rng.choice(TOML_VALUES)
