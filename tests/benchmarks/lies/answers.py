"""Lies that a controller tells, each a kind: drawn at random, told for some drops."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from tests.benchmarks.lies.controllers import Asked, Lie, Message

Made = Callable[[random.Random], Lie]
TIMEOUT_S = 0.1
"""What the application waits for an answer; later is late."""


def _at_once(message: Message) -> list[tuple[float, bytes]]:
    return [(0.0, json.dumps(message).encode())]


def _of_readback(change: Callable[[Asked, dict[str, float]], Any]) -> Lie:
    """Change the read-back where there is one."""

    def lie(asked: Asked) -> list[tuple[float, bytes]]:
        if "readback" not in asked.honest:
            return _at_once(asked.honest)
        changed = change(asked, dict(asked.honest["readback"]))
        return _at_once(asked.honest | {"readback": changed})

    return lie


def old_values(rng: random.Random) -> Lie:
    """A1: the answer to a write shows where it was before; its next read the new ones."""

    def lie(asked: Asked) -> list[tuple[float, bytes]]:
        if asked.request["request"] == "write" and asked.request["commit"]:
            return _at_once(asked.honest | {"readback": dict(asked.before)})
        return _at_once(asked.honest)

    return lie


def frozen_values(rng: random.Random) -> Lie:
    """Every read-back shows where it was when the lie began."""
    first: dict[str, dict[str, float]] = {}
    return _of_readback(lambda asked, told: first.setdefault(asked.controller, dict(asked.before)))


def rounded(rng: random.Random) -> Lie:
    """Read-backs have few digits."""
    digits = rng.choice((1, 2, 3))
    return _of_readback(lambda asked, told: {k: float(f"{v:.{digits}g}") for k, v in told.items()})


def off(rng: random.Random) -> Lie:
    """One parameter reads something else."""
    factor = rng.choice((-1.0, 0.0, 0.9, 1.01, 1e3, 1e6))
    return _of_readback(
        lambda asked, told: told | {min(told): told[min(told)] * factor + 1e-5 * (factor == 0.0)}
    )


def partial(rng: random.Random) -> Lie:
    """Some parameters are missing in read-backs, sometimes all."""
    kept = rng.choice((0.0, 0.3, 0.8))
    return _of_readback(lambda asked, told: {k: v for k, v in told.items() if rng.random() < kept})


def too_many(rng: random.Random) -> Lie:
    """A5: read-backs name what was never described."""
    strange = rng.choice(("shutter", "mirror_tilt_x_rad", "trap_x_m", "", "ü"))
    return _of_readback(lambda asked, told: told | {strange: rng.uniform(-1, 1)})


def undescribed(rng: random.Random) -> Lie:
    """A5: a description lacks a parameter that is read back, or that the loop needs."""
    return _changed(
        "parameters", lambda told: {k: told[k] for k in sorted(told)[rng.choice((0, 1, 2)) :]}
    )


def described_otherwise(rng: random.Random) -> Lie:
    """A6: a description that cannot be."""
    changes = rng.choice(
        (
            {"step_limit": 0.0},
            {"minimum": 1.0, "maximum": -1.0},
            {"unit": "furlong"},
            {"direction": 0},
            {"resolution": None},
            {"readback_tolerance": -1.0},
            {"settle_time_s": 1e9},
            {"colour": "red"},
        )
    )
    return _changed("parameters", lambda told: {k: one | changes for k, one in told.items()})


def status_words(rng: random.Random) -> Lie:
    """A13: state words of other kinds."""
    words = rng.choice(({}, {"state": "scan"}, {"state": 7}, {"locked": False}, {"locked": "no"}))
    return _changed("status", lambda told: words)


def _changed(field: str, change: Callable[[Any], Any]) -> Lie:
    def lie(asked: Asked) -> list[tuple[float, bytes]]:
        if field not in asked.honest:
            return _at_once(asked.honest)
        return _at_once(asked.honest | {field: change(asked.honest[field])})

    return lie


def first_drop(rng: random.Random) -> Lie:
    """A2: a drop from which a write takes effect that cannot be, or none."""
    told = rng.choice((None, 0, -3, 1, 10**9, 10**30, "soon", 4.5, True))

    def lie(asked: Asked) -> list[tuple[float, bytes]]:
        changed = dict(asked.honest)
        if changed.pop("effective_drop", None) is not None and told is not None:
            changed["effective_drop"] = told
        return _at_once(changed)

    return lie


def missing_field(rng: random.Random) -> Lie:
    """A6: an answer without one of its fields."""

    def lie(asked: Asked) -> list[tuple[float, bytes]]:
        gone = rng.choice(sorted(asked.honest))
        return _at_once({k: v for k, v in asked.honest.items() if k != gone})

    return lie


def unreadable(rng: random.Random) -> Lie:
    """A6: NaN, null, a decimal comma, Latin-1, NUL at the end, half of it, nothing."""
    kind = rng.choice(("NaN", "null", '"0,5"', "Infinity", "latin", "nul", "half", "empty", "list"))

    def lie(asked: Asked) -> list[tuple[float, bytes]]:
        raw = asked.told
        match kind:
            case "latin":
                raw = raw[:-1] + ', "µ": "ü"}'.encode("latin-1")
            case "nul":
                raw += b"\0"
            case "half":
                raw = raw[: len(raw) // 2]
            case "empty":
                raw = b""
            case "list":
                raw = b"[" + raw + b"]"
            case value:
                told = asked.honest.get("readback") or {}
                for name, number in told.items():
                    text = json.dumps(number)
                    raw = raw.replace(
                        f'"{name}": {text}'.encode(), f'"{name}": {value}'.encode(), 1
                    )
        return [(0.0, raw)]

    return lie


def wrong_id(rng: random.Random) -> Lie:
    """A6: an answer to another request."""
    other = rng.choice(("nobody-1", "", "x" * 200))
    return lambda asked: _at_once(asked.honest | {"request_id": other})


def late(rng: random.Random) -> Lie:
    """Answers come late, and in any order."""
    share = rng.choice((0.1, 0.5, 1.0))

    def lie(asked: Asked) -> list[tuple[float, bytes]]:
        delay_s = rng.uniform(0.5, 3.0) * TIMEOUT_S if rng.random() < share else 0.0
        return [(delay_s, asked.told)]

    return lie


def silent(rng: random.Random) -> Lie:
    """Some answers never come, though what was asked was done."""
    share = rng.choice((0.1, 0.5, 1.0))
    only = rng.choice(("write", "read", ""))
    return lambda asked: (
        []
        if rng.random() < share and asked.request["request"].startswith(only)
        else [(0.0, asked.told)]
    )


def twice(rng: random.Random) -> Lie:
    """Every answer comes several times."""
    return lambda asked: [(0.0, asked.told)] * 3 + [(0.05, asked.told)]


def refuses(rng: random.Random) -> Lie:
    """It says no to what it did, with and without a reason."""
    error = rng.choice(
        (None, {"code": "busy", "message": "not now"}, {"code": "why", "message": ""})
    )
    only = rng.choice(("write", "read", "describe", ""))

    def lie(asked: Asked) -> list[tuple[float, bytes]]:
        if not asked.request["request"].startswith(only):
            return _at_once(asked.honest)
        no = {k: asked.honest[k] for k in ("type", "request_id", "session")} | {"ok": False}
        return _at_once(no | ({"error": error} if error else {}))

    return lie


def of_all(rng: random.Random) -> Lie:
    """Another lie at each answer."""
    lies = [one(rng) for one in KINDS if one is not of_all]
    return lambda asked: rng.choice(lies)(asked)


KINDS: tuple[Made, ...] = (
    *(old_values, frozen_values, rounded, off, partial, too_many, undescribed),
    *(described_otherwise, status_words, first_drop, missing_field, unreadable, wrong_id),
    *(late, silent, twice, refuses, of_all),
)


def by_one_or_both(rng: random.Random, lie: Lie) -> Lie:
    """Have it told by one controller, or by both."""
    liars = rng.choice((("laser",), ("drop_system",), ("laser", "drop_system")))
    return lambda asked: lie(asked) if asked.controller in liars else [(0.0, asked.told)]
