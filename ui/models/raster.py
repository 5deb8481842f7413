"""From a frame to what the screen can show: upright, decimated, and with its place in the object.

No Qt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from magis_calib.domain.camera import CameraFacts, Counts, Frame
from magis_calib.imaging.orientation import upright
from ui.models.plot import Table

MM = 1e3
Sums = npt.NDArray[np.uint32]


@dataclass(frozen=True, slots=True, eq=False)
class Raster:
    """Counts (decimated, or of a fit), lowest row first, and the rectangle (mm) they cover."""

    counts: npt.NDArray[Any]
    left_mm: float
    bottom_mm: float
    width_mm: float
    height_mm: float
    step: int
    residual: bool = False
    """These are no counts, but standard deviations between data and fit."""


def step_for(rows: int, columns: int, high_px: float, wide_px: float) -> int:
    """Choose how many camera pixels go to one pixel of the screen."""
    return max(1, round(max(rows / max(high_px, 1.0), columns / max(wide_px, 1.0))))


def raster(frame: Frame, step: int) -> Raster:
    """Show each block of step x step pixels as their mean without hot ones, where it lies."""
    image = upright(frame.counts, frame.facts.orientation)
    rows, columns = image.shape
    picked, middle = _picked(image, step)
    pixel_mm = frame.facts.object_pixel_m * MM
    block_mm = step * pixel_mm
    left = (middle - (columns - 1) / 2) * pixel_mm - block_mm / 2
    top = ((rows - 1) / 2 - middle) * pixel_mm + block_mm / 2
    height = picked.shape[0] * block_mm
    return Raster(picked, left, top - height, picked.shape[1] * block_mm, height, step)


def counts_at(frame: Frame, right_mm: float, up_mm: float) -> int | None:
    """Return the camera pixel at this place; None outside the image."""
    image = upright(frame.counts, frame.facts.orientation)
    pixel_mm = frame.facts.object_pixel_m * MM
    column = round(right_mm / pixel_mm + (image.shape[1] - 1) / 2)
    row = round((image.shape[0] - 1) / 2 - up_mm / pixel_mm)
    inside = 0 <= row < image.shape[0] and 0 <= column < image.shape[1]
    return int(image[row, column]) if inside else None


def table_of(drawn: Raster, facts: CameraFacts) -> Table:
    """Return place (m) and electrons per camera pixel, or standard deviations, as drawn."""
    rows, columns = drawn.counts.shape
    right_m = (drawn.left_mm + (np.arange(columns) + 0.5) * drawn.width_mm / columns) / MM
    up_m = (drawn.bottom_mm + (np.arange(rows) + 0.5) * drawn.height_mm / rows) / MM
    place = {"horizontal_m": np.tile(right_m, rows), "vertical_m": np.repeat(up_m, columns)}
    seen = drawn.counts.ravel().astype(float)
    note = (
        f"mean of {drawn.step} x {drawn.step} camera pixels without the darkest and brightest "
        f"quarter, as drawn"
    )
    if drawn.residual:
        return Table(
            place | {"residual_sigma": seen}, {"horizontal_m": "m", "vertical_m": "m"}, (note,)
        )
    electrons = (seen - facts.offset) * facts.gain
    units = {"horizontal_m": "m", "vertical_m": "m", "electrons": "e per camera pixel"}
    return Table(place | {"electrons": electrons}, units, (note,))


def _picked(image: Counts, step: int) -> tuple[Counts, float]:
    """Return the decimated image, lowest row first, and the offset of a block's middle (px).

    A block is summed in four quarters; the darkest and the brightest quarter are left out. So a
    single hot pixel does not outshine the cloud, and the noise of half of all pixels is averaged.
    Rows and columns that fill no block are left out.
    """
    if step < 2:
        return np.ascontiguousarray(image[::-1]), 0.0
    half = step // 2
    rows, columns = (size - size % step for size in image.shape)
    mean = _between(_quarters(image[:rows, :columns], step)) // np.uint32(2 * half * half)
    return np.ascontiguousarray(mean.astype(np.uint16)[::-1]), half - 0.5


def _quarters(image: Counts, step: int) -> list[Sums]:
    """Return the sums of the four quarters of each block."""
    half = step // 2
    bands = [_sum_of_steps(image[down:], step, half) for down in (0, half)]
    return [_sum_of_steps(one.T[right:], step, half).T for one in bands for right in (0, half)]


def _between(quarters: list[Sums]) -> Sums:
    """Add up the two quarters that are neither the darkest nor the brightest."""
    one, two, three, four = quarters
    brightest = np.maximum(np.maximum(one, two), np.maximum(three, four))
    darkest = np.minimum(np.minimum(one, two), np.minimum(three, four))
    return one + two + three + four - brightest - darkest


def _sum_of_steps(image: npt.NDArray[Any], step: int, count: int) -> Sums:
    """Add up the first `count` rows of each step."""
    total = image[::step].astype(np.uint32)
    for row in range(1, count):
        total += image[row::step][: len(total)]
    return total


def full_size_mm(frame: Frame) -> tuple[float, float]:
    """Return width and height of the upright image in the object."""
    rows, columns = upright(frame.counts, frame.facts.orientation).shape
    return columns * frame.facts.object_pixel_m * MM, rows * frame.facts.object_pixel_m * MM
