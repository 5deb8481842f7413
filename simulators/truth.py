"""The truth file: a JSON line for the plant, one for each drop (docs/contracts.md)."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import IO, Any

from magis_calib.domain.camera import VIEWS, View
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.host.files import open_anew
from simulators.controllers.parameters import ParameterBank
from simulators.instrument.scene import Scene
from simulators.plant import LOOP_ACTUATORS, DropTruth, Plant


class TruthFile:
    """Writes a drop's line once the fate of its frames is known, the others at the end."""

    def __init__(self, path: Path | None, plant: Plant, views: Collection[View] = VIEWS) -> None:
        """Begin a file. `views`: those that frames are made of."""
        self._views = views
        self._file: IO[str] | None = None
        self._open: dict[int, tuple[DropTruth, dict[str, dict[str, Any]]]] = {}
        if path is not None:
            self._file = os.fdopen(open_anew(path), "w", encoding="utf-8")
            self._write({"plant": plant_line(plant)})

    def add(self, drop: DropTruth) -> None:
        """Take note of a drop that was started."""
        if self._file is not None:
            self._open[drop.drop_id] = (drop, {})
            self._write_if_settled(drop.drop_id)

    def taken(self, drop_id: int, view: View, crc32: str) -> None:
        """Take note of a frame that was made."""
        if drop_id in self._open:
            self._open[drop_id][1][view] = {"crc32": crc32, "stored": False}

    def settled(self, drop_id: int, view: View, *, stored: bool) -> None:
        """Take note of the end of a frame: stored, or forgotten for good."""
        if drop_id not in self._open:
            return
        self._open[drop_id][1][view] |= {"stored": stored, "settled": True}
        self._write_if_settled(drop_id)

    def _write_if_settled(self, drop_id: int) -> None:
        drop, frames = self._open[drop_id]
        if all(frames.get(one, {}).get("settled") for one in self._views):
            self._write(drop_line(drop, frames))
            del self._open[drop_id]

    def close(self, controllers: Mapping[str, ParameterBank]) -> None:
        """Write what is known of the remaining drops, and what the controllers counted."""
        if self._file is None:
            return
        for drop, frames in self._open.values():
            self._write(drop_line(drop, frames))
        self._open.clear()
        if controllers:
            self._write(
                {
                    "controllers": {
                        name: controller_counts(bank) for name, bank in controllers.items()
                    }
                }
            )
        self._file.close()
        self._file = None

    def _write(self, line: dict[str, Any]) -> None:
        if self._file is not None:
            self._file.write(json.dumps(line) + "\n")
            self._file.flush()


def plant_line(plant: Plant) -> dict[str, Any]:
    """Return the first line: matrices in SI, in the order of the names beside them."""
    return {
        "observables": list(OBSERVABLES),
        "actuators": list(LOOP_ACTUATORS),
        "response": plant.response().tolist(),
        "drift_cov": plant.drift_cov().tolist(),
        "jitter_cov": plant.jitter_cov().tolist(),
    }


def controller_counts(bank: ParameterBank) -> dict[str, int]:
    """Return what the last line tells of one controller."""
    return {"writes": bank.writes, "limit_violations": bank.limit_violations}


def drop_line(drop: DropTruth, frames: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the line of one drop.

    What was shown stands in it only where it is not what the observables say.
    """
    return {
        "drop_id": drop.drop_id,
        "observables": dict(drop.observables),
        "actuators": dict(drop.actuators),
        "noise_free_response": dict(drop.noise_free_response),
        "disturbance": dict(drop.disturbance),
        "jitter": dict(drop.jitter),
        "frames": {
            view: {"crc32": one["crc32"], "stored": one["stored"]}
            for view, one in sorted(frames.items())
        },
    } | ({} if drop.scene.sequence_type == "interferometer" else {"shown": shown(drop.scene)})


def shown(scene: Scene) -> dict[str, Any]:
    """Return what the atoms of a drop show that was not made for the interferometer."""
    return {
        "sequence_type": scene.sequence_type,
        "fringe_rad_per_m": list(scene.fringe_rad_per_m),
        "phase_rad": scene.phase_rad,
        "contrast": scene.contrast,
        "population": scene.population,
    }
