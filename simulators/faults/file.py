"""Read a file of faults (docs/faults.md)."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from magis_calib.config.fields import toml_table
from magis_calib.config.loading import line_of
from magis_calib.domain.errors import ConfigError
from magis_calib.host.files import read_text
from simulators.faults import kinds as one
from simulators.faults import wire_kinds as wire
from simulators.faults.active import Faults
from simulators.faults.kinds import KnownNames, Timed
from simulators.instrument.numbers import PlantNumbers, Strict

Fault = Annotated[
    one.ActuatorFault
    | one.Disturbance
    | one.Wild
    | one.Drifts
    | one.PhaseScrambled
    | one.ContrastLost
    | one.OutOfView
    | one.TwoClouds
    | one.NoAtoms
    | one.FewAtoms
    | one.Saturated
    | one.Dark
    | one.HalfExposed
    | one.ControllerSilent
    | one.ControllerSlow
    | one.ControllerRestart
    | one.ControllerDiesAfterCheck
    | one.Refuses
    | one.Clamps
    | one.ReadsOff
    | one.UnitChanged
    | one.Unlocked
    | one.ReadsOld
    | one.KnowsNoDrops
    | one.ReadsMore
    | one.ActsLate
    | one.Exchanged
    | wire.FrameLost
    | wire.FrameDuplicated
    | wire.FrameLate
    | wire.FramesShuffled
    | wire.FrameTruncated
    | wire.BitFlipped
    | wire.WrongShape
    | wire.ViewsSwapped
    | wire.CameraDies
    | wire.CameraRestarts
    | wire.CameraNewSession
    | wire.CameraStutters
    | wire.NetworkCut
    | wire.ClockStepped
    | wire.PictureRepeated
    | wire.CountsZero
    | wire.CountsShifted
    | wire.BytesSwapped
    | wire.TriggerOff
    | wire.ExposureWrong
    | wire.ViewDark
    | wire.NumbersAgain,
    Field(discriminator="kind"),
]


LOOK_EVERY_S = 0.1


class FaultFile(Strict):
    """The whole file."""

    fault: tuple[Fault, ...] = ()


def load_faults(path: Path | None, numbers: PlantNumbers) -> tuple[Timed, ...]:
    """Return the faults in this file, none for None.

    Raises `ConfigError` naming line, wanted and got.
    """
    if path is None:
        return ()
    try:
        text = read_text(path)
        known = KnownNames(numbers.actuators.keys(), numbers.controllers)
        return FaultFile.model_validate(toml_table(text), context=known).fault
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: not valid TOML: {error}") from error
    except ValidationError as error:
        raise ConfigError(
            "\n".join(f"{path}: {_explain(item, text)}" for item in error.errors())
        ) from error


class WatchedFaults:
    """Reads the file anew whenever it changes while the station runs."""

    def __init__(
        self, path: Path | None, numbers: PlantNumbers, faults: Faults, say: Callable[[str], None]
    ) -> None:
        """`faults` become what the file says. What cannot be read is said, and nothing changes."""
        self._path = path
        self._numbers = numbers
        self._faults = faults
        self._say = say
        self._seen = self._state()
        self._next_s = 0.0

    def follow(self, now_s: float) -> None:
        """Read it if it is another one than before; cheap otherwise."""
        if self._path is None or now_s < self._next_s:
            return
        self._next_s = now_s + LOOK_EVERY_S
        state = self._state()
        if state in (self._seen, None):
            return
        self._seen = state
        try:
            found = load_faults(self._path, self._numbers)
        except ConfigError as error:
            self._say(f"faults stay as they were: {error}")
            return
        self._faults.become(found)
        self._say(f"{self._path}: {len(found)} faults from now on")

    def _state(self) -> tuple[int, int, int] | None:
        """Return what tells one version of the file from another; None while there is none."""
        try:
            stat = self._path.stat() if self._path is not None else None
        except OSError:
            return None
        return (stat.st_mtime_ns, stat.st_size, stat.st_ino) if stat is not None else None


def _explain(item: Any, text: str) -> str:
    """Say line, fault (counted from 1) and field, then what was wanted and what was found."""
    keys = [str(part) for part in item["loc"]]
    keys = keys[:2] + keys[3:]  # without the kind, which pydantic puts after the position
    line = line_of(keys[:-1] if item["type"] == "missing" else keys, text)
    where = [f"line {line}"] if line else []
    where += [f"fault {int(keys[1]) + 1}", *keys[2:]] if len(keys) > 1 else keys
    return f"{', '.join(where)}: {_problem(item)}"


def _problem(item: Any) -> str:
    words = PROBLEMS.get(item["type"], "{msg}, got {input!r}")
    return words.format(**item, said=item["msg"].removeprefix("Value error, "))


PROBLEMS = {
    "missing": "must be given",
    "extra_forbidden": "no field of this name is known here",
    "tuple_type": "wanted tables [[fault]], got {input!r}",
    "union_tag_not_found": "kind must be given",
    "union_tag_invalid": "kind: wanted one of {ctx[expected_tags]}, got {ctx[tag]!r}",
    "value_error": "{said}",
}
"""What is said of a problem that pydantic found, by its type."""
