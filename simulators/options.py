"""The options of the simulated station, for `magis-sim` and for every command with `--simulate`."""

from __future__ import annotations

import argparse
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from simulators.hidden import OFFSETS

SENSORS = ("full", "small")
PRESETS = ("short", "long")


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
    def of(cls, arguments: argparse.Namespace) -> Self:
        """Return the options that a parser with `add_simulation_options` understood."""
        return cls(
            sensor=arguments.sensor,
            seed=arguments.seed,
            interval_s=arguments.interval,
            truth=arguments.truth,
            preset=arguments.preset,
            delay=arguments.delay,
            faults=arguments.faults,
            commands=arguments.commands,
            off=dict(arguments.off),
        )

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
    """Add the options that say what the simulated station is like."""
    _add_drops(parser, SimulationOptions())
    _add_files(parser)
    _add_physics(parser, SimulationOptions())


def _add_drops(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup, default: SimulationOptions
) -> None:
    """What is photographed, and how often."""
    parser.add_argument(
        "--sensor",
        choices=SENSORS,
        default=default.sensor,
        help="full: 2048x3072 pixels of 16 µm, small: 512x768 of 64 µm (default %(default)s)",
    )
    parser.add_argument(
        "--seed",
        type=_not_negative,
        default=default.seed,
        metavar="N",
        help="the same seed gives the same drops (default %(default)s)",
    )
    parser.add_argument(
        "--interval",
        type=_seconds,
        default=default.interval_s,
        metavar="S",
        help="a drop every S seconds; 0: the next when the last one's outcome is known "
        "(default %(default)g)",
    )


def _add_files(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """What is written, and what is read."""
    parser.add_argument(
        "--truth",
        type=Path,
        metavar="FILE",
        help="write what really happened to this file, JSON lines",
    )
    parser.add_argument(
        "--faults",
        type=Path,
        metavar="FILE",
        help="let go wrong what this file says (docs/faults.md)",
    )
    parser.add_argument(
        "--commands",
        type=Path,
        metavar="FILE",
        help="write what is asked of the controllers, by whose key, and the answers to this file, "
        "JSON "
        "lines",
    )


def _add_physics(
    parser: argparse.ArgumentParser | argparse._ArgumentGroup, default: SimulationOptions
) -> None:
    """What the atoms meet."""
    parser.add_argument(
        "--preset",
        choices=PRESETS,
        default=default.preset,
        help="short: 50 ms interrogation, the phase can be locked; long: 0.5 s, it is random "
        "(default %(default)s)",
    )
    parser.add_argument(
        "--delay",
        type=_not_negative,
        default=default.delay,
        metavar="N",
        help="a write takes effect N drops later than the next one (default %(default)s)",
    )
    parser.add_argument(
        "--off",
        type=_offset,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="add this to what is off at the start (SI, repeatable); NAME is one of "
        + ", ".join(OFFSETS),
    )


def _not_negative(text: str) -> int:
    value = int(text)
    if value < 0:
        raise argparse.ArgumentTypeError(f"wanted a number that is not negative, got {text}")
    return value


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


def _seconds(text: str) -> float:
    value = float(text)
    if not math.isfinite(value) or value < 0:
        raise argparse.ArgumentTypeError(f"wanted seconds that are not negative, got {text}")
    return value
