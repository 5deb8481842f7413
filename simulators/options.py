"""The options of the simulated station, for `magis-sim` and for every command with `--simulate`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from magis_calib.host.command_line import number, whole
from simulators.hidden import OFFSETS


@dataclass(frozen=True, slots=True)
class SimulationOptions:
    """What the simulated station is like."""

    sensor: str = "full"
    seed: int = 0
    interval_s: float = 60.0
    truth: Path | None = None
    preset: str = "short"
    delay: int = 0
    faults: Path | None = None
    commands: Path | None = None
    off: Mapping[str, float] = field(default_factory=dict)
    """What is off at the start, by name (SI)."""

    @classmethod
    def of(cls, asked: argparse.Namespace) -> Self:
        """Return the options that a parser with `add_simulation_options` understood."""
        given = {name: getattr(asked, name) for name in FLAGS.values() if hasattr(asked, name)}
        return cls(**given | {"off": dict(given.get("off", ()))})

    def argv(self) -> list[str]:
        """Return the arguments for `magis-sim` that mean the same."""
        words = [
            f"--sensor={self.sensor}",
            f"--seed={self.seed}",
            f"--interval={self.interval_s!r}",
            f"--preset={self.preset}",
            f"--delay={self.delay}",
        ]
        if self.truth is not None:
            words.append(f"--truth={self.truth}")
        if self.faults is not None:
            words.append(f"--faults={self.faults}")
        if self.commands is not None:
            words.append(f"--commands={self.commands}")
        words += [f"--off={name}={value!r}" for name, value in self.off.items()]
        return words


def add_simulation_options(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add the options that say what the simulated station is like.

    What was not said is not there afterwards: `given_flags` can tell what was.
    """
    for flag, name in FLAGS.items():
        usual = getattr(SimulationOptions(), name)
        told = f" (default {usual:g})" if isinstance(usual, float | int) else ""
        told = f" (default {usual})" if isinstance(usual, str) else told
        how = {**HOW[name], "help": f"{HOW[name]['help']}{told}"}
        parser.add_argument(flag, dest=name, default=argparse.SUPPRESS, **how)


def given_flags(asked: argparse.Namespace) -> list[str]:
    """Return the flags of these options that were said."""
    return [flag for flag, name in FLAGS.items() if hasattr(asked, name)]


def _offset(text: str) -> tuple[str, float]:
    name, _, number = text.partition("=")
    if name not in OFFSETS:
        raise argparse.ArgumentTypeError(
            f"wanted NAME=VALUE with NAME one of {', '.join(OFFSETS)}, got {text!r}"
        )
    try:
        value = float(number)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise argparse.ArgumentTypeError(f"{name}: wanted a finite number, got {number!r}")
    return name, value


FLAGS = {
    "--sensor": "sensor",
    "--seed": "seed",
    "--interval": "interval_s",
    "--truth": "truth",
    "--preset": "preset",
    "--delay": "delay",
    "--faults": "faults",
    "--commands": "commands",
    "--off": "off",
}
HOW: dict[str, dict[str, Any]] = {
    "sensor": {
        "choices": ("full", "small"),
        "help": "full: 2048x3072 pixels of 16 µm, small: 512x768 of 64 µm",
    },
    "seed": {
        "type": whole(0),
        "metavar": "N",
        "help": "the same seed gives the same drops",
    },
    "interval_s": {
        "type": number(least=0),
        "metavar": "S",
        "help": "a drop every S seconds; 0: the next when the last one's outcome is known",
    },
    "truth": {
        "type": Path,
        "metavar": "FILE",
        "help": "write what really happened to this file, JSON lines",
    },
    "preset": {
        "choices": ("short", "long"),
        "help": "short: 50 ms interrogation, the phase can be locked; long: 0.5 s, it is random",
    },
    "delay": {
        "type": whole(0),
        "metavar": "N",
        "help": "a write takes effect N drops later than the next one",
    },
    "faults": {
        "type": Path,
        "metavar": "FILE",
        "help": "let go wrong what this file says (docs/faults.md)",
    },
    "commands": {
        "type": Path,
        "metavar": "FILE",
        "help": "write what is asked of the controllers, by whose key, and the answers to this "
        "file, JSON lines",
    },
    "off": {
        "type": _offset,
        "action": "append",
        "metavar": "NAME=VALUE",
        "help": "add this to what is off at the start (SI, repeatable); NAME is one of "
        + ", ".join(OFFSETS),
    },
}
