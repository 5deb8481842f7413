"""A pretend camera sensor: atoms become electrons, electrons become counts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from magis_calib.domain.camera import CameraFacts, Counts, View
from simulators.instrument.numbers import CameraNumbers, SensorNumbers
from simulators.instrument.optics import Bounds, Positions
from simulators.instrument.randomness import FIXED, POOL, choices, poisson_pool, stream

Steps = npt.NDArray[np.float32]
"""Pixel values in steps of the ADC above the offset."""
Window = tuple[int, int, int, int]
"""First and last row, first and last column, the last ones exclusive."""

SPARE = 256
"""Rows and columns that the pre-drawn noise is larger than a frame: its cut moves from drop to
drop.
"""


def facts_of(camera: CameraNumbers, sensor: SensorNumbers) -> CameraFacts:
    """Return what the driver announces of this sensor."""
    return CameraFacts(
        rows=sensor.rows,
        columns=sensor.columns,
        object_pixel_m=sensor.object_pixel_m,
        gain=camera.gain,
        offset=float(camera.offset_counts),
        read_noise=camera.read_noise,
        saturation=camera.saturation_counts,
        bits=camera.bits,
        lsb_counts=camera.lsb_counts,
        excess=camera.electrons_per_atom,
        orientation="normal",
    )


class Sensor:
    """One sensor with its own fixed pattern. Noise is in steps of the ADC, from the offset on."""

    def __init__(self, camera: CameraNumbers, sensor: SensorNumbers, view: View, seed: int) -> None:
        self.facts = facts_of(camera, sensor)
        self._camera = camera
        self._view = view
        self._seed = seed
        self._step_electrons = camera.gain * camera.lsb_counts
        fixed = stream(seed, FIXED, f"sensor {view}")
        self._dark_counts = self._counts(
            self._dark(fixed, (sensor.rows + SPARE, sensor.columns + SPARE))
        )
        self._dark_pool = self._dark(fixed, (POOL,))
        self._light_pool = poisson_pool(camera.electrons_per_atom)
        self._response = fixed.standard_normal((sensor.rows, sensor.columns), dtype=np.float32)
        """Steps per electron."""
        self._response *= np.float32(camera.pixel_response_spread / self._step_electrons)
        self._response += np.float32(1.0 / self._step_electrons)
        pixels = sensor.rows * sensor.columns
        hot = round(camera.hot_pixel_fraction * pixels)
        self._hot_pixels = np.sort(fixed.choice(pixels, hot, replace=False))
        self._hot_electrons = fixed.exponential(camera.hot_pixel_electrons, hot)

    def expose(
        self, drop_id: int, horizontal: Positions, vertical: Positions, bounds: Bounds
    ) -> Counts:
        """Return the counts, (rows, columns), of atoms at these places (m in the object)."""
        rows, columns = self.facts.rows, self.facts.columns
        random = stream(self._seed, drop_id, f"exposure {self._view}")
        top, left = (int(value) for value in random.integers(0, SPARE + 1, 2))
        counts = self._dark_counts[top : top + rows, left : left + columns].copy()
        row0, row1, column0, column1 = window = self._window(bounds)
        if row1 > row0 and column1 > column0:
            lit = self._lit(random, horizontal, vertical, window)
            counts[row0:row1, column0:column1] = self._counts(lit)
        self._add_hot(counts, random)
        return counts

    def without_light(self, drop_id: int) -> Counts:
        """Return the counts of a frame without light: offset, read noise, hot pixels."""
        random = stream(self._seed, drop_id, f"exposure {self._view}")
        steps = random.standard_normal((self.facts.rows, self.facts.columns), dtype=np.float32)
        steps *= np.float32(self._camera.read_noise / self._step_electrons)
        counts = self._counts(steps)
        self._add_hot(counts, random)
        return counts

    def saturate(self, counts: Counts, bounds: Bounds) -> None:
        """Bring the rows of a rectangle to full scale, over the whole width."""
        first, last, _, _ = self._window(bounds)
        counts[first:last] = self._camera.saturation_counts

    def _dark(self, random: np.random.Generator, shape: tuple[int, ...]) -> Steps:
        """Return pixels without atoms: background and read noise, mean and variance exact."""
        dark = random.standard_normal(shape, dtype=np.float32) * np.float32(self._camera.read_noise)
        dark += random.poisson(self._camera.background, shape)
        dark -= np.float32(dark.mean(dtype=np.float64))
        variance = self._camera.read_noise**2 + self._camera.background
        dark *= np.float32(np.sqrt(variance / dark.var(dtype=np.float64)))
        dark += np.float32(self._camera.background)
        dark /= np.float32(self._step_electrons)
        return dark

    def _lit(
        self,
        random: np.random.Generator,
        horizontal: Positions,
        vertical: Positions,
        window: Window,
    ) -> Steps:
        """Return the pixels of a window with the atoms in it."""
        row0, row1, column0, column1 = window
        high, wide = row1 - row0, column1 - column0
        steps = self._dark_pool.take(choices(random, high * wide), mode="wrap").reshape(high, wide)
        place = self._places(horizontal, vertical, window)
        light = self._light_pool.take(choices(random, place.size), mode="wrap")
        bright = (
            np.bincount(place, light, minlength=high * wide).astype(np.float32).reshape(high, wide)
        )
        bright *= self._response[row0:row1, column0:column1]
        steps += bright
        return steps

    def _places(
        self, horizontal: Positions, vertical: Positions, window: Window
    ) -> npt.NDArray[np.int32]:
        """Return the pixels, numbered row by row through the window, of the atoms inside it."""
        row0, row1, column0, column1 = window
        per_m = np.float32(1.0 / self.facts.object_pixel_m)
        column = horizontal * per_m
        column += np.float32(self.facts.columns / 2 - column0)
        row = vertical * -per_m
        row += np.float32(self.facts.rows / 2 - row0)
        if not (_within(row, row1 - row0) and _within(column, column1 - column0)):
            inside = (row >= 0) & (row < row1 - row0) & (column >= 0) & (column < column1 - column0)
            row, column = row[inside], column[inside]
        place = row.astype(np.int32)
        place *= column1 - column0
        place += column.astype(np.int32)
        return place

    def _window(self, bounds: Bounds) -> Window:
        """Return first and last row and column (exclusive) of a rectangle, inside the frame."""
        left, right, bottom, top = (value / self.facts.object_pixel_m for value in bounds)
        rows, columns = self.facts.rows, self.facts.columns
        column0, column1 = np.clip(
            np.floor([left + columns / 2, right + columns / 2 + 1]), 0, columns
        )
        row0, row1 = np.clip(np.floor([rows / 2 - top, rows / 2 - bottom + 1]), 0, rows)
        return int(row0), int(row1), int(column0), int(column1)

    def _add_hot(self, counts: Counts, random: np.random.Generator) -> None:
        """Hot pixels add to whatever their counts are already."""
        flat = counts.reshape(-1)
        camera = self._camera
        added = np.rint(random.poisson(self._hot_electrons) / self._step_electrons).astype(np.int64)
        flat[self._hot_pixels] = np.minimum(
            flat[self._hot_pixels] + added * camera.lsb_counts, camera.saturation_counts
        )

    def _counts(self, steps: Steps) -> Counts:
        """Return what the ADC makes of a signal in its steps above the offset."""
        camera = self._camera
        counts = np.rint(steps)
        counts *= np.float32(camera.lsb_counts)
        counts += np.float32(camera.offset_counts)
        np.clip(counts, 0, camera.saturation_counts, out=counts)
        return counts.astype(np.uint16)


def _within(places: Positions, size: int) -> bool:
    return not places.size or (places.min() >= 0 and places.max() < size)
