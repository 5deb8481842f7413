"""Find the clouds of an image by moments: background plane, sum, centre and width of each port."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import scipy.ndimage

from magis_calib.domain.errors import FitError
from magis_calib.domain.estimate import Array
from magis_calib.estimation.start.tiles import Tiles
from magis_calib.imaging.electrons import Electrons, Mask

NO_CLOUD_SIGMA = 6.0
PORT_SIGMA = 8.0
"""A port fainter than this has no position of its own."""
WHOLE_WIDTHS = 3.5
"""Moments see a cloud whole this many widths from the edge, and two clouds apart by twice as much.
"""
FREE_WIDTHS = 4.5
"""Beyond this many widths from every port there is only background."""
NARROW_TILES = 0.8
"""Moments know the width of clouds down to this many tiles."""
FEWEST_AWAY = 50
"""Tiles without a cloud that make a better background than the lower quartile of all."""

Point = tuple[float, float]
Ports = Mapping[str, Point]
Moments = tuple[float, float, float, float, float]
"""Sum of the light (electrons), centre u and v, width u and v (m)."""


@dataclass(frozen=True, slots=True, eq=False)
class Cloud:
    """One or two clouds of equal widths.

    Places are in image coordinates, displacements included (m).
    """

    background: Array
    """Level (electrons per px) and gradients to the right and up (per m)."""
    electrons: Mapping[str, float]
    places: Mapping[str, Point]
    width: Point
    """Horizontal, vertical (m)."""
    significance: Mapping[str, float]
    """Electrons of each port over their standard error."""
    displacements: Ports

    @property
    def total_significance(self) -> float:
        """Of all ports together."""
        return math.sqrt(sum(max(one, 0.0) ** 2 for one in self.significance.values()))

    def shown(self) -> tuple[str, ...]:
        """Ports that stand out of the noise."""
        return tuple(port for port, sigma in self.significance.items() if sigma > PORT_SIGMA)


def whole_clouds(image: Electrons, displacements: Ports) -> Cloud | None:
    """Return the clouds by moments.

    None where they are not whole and apart, so that moments would lie.
    """
    tiles = Tiles.of(image.tiles, image)
    plane = np.array([tiles.floor(), 0.0, 0.0])
    signal = tiles.above(plane)
    with np.errstate(invalid="ignore", divide="ignore"):
        snr = np.nan_to_num(signal / tiles.noise)
    centre = stacked_peak(snr, tiles, displacements, 5)
    separation = _separation(displacements)
    reach = 0.45 * separation or 0.5 * min(np.ptp(tiles.u), np.ptp(tiles.v))
    places = {port: (centre[0] + d[0], centre[1] + d[1]) for port, d in displacements.items()}
    for _ in range(2):
        try:
            places, electrons, width, reach = _iterate(signal, tiles, places, reach)
        except FitError:
            return None
        if not _whole(places, width, tiles, separation):
            return None
        away = _away(tiles, places, width)
        plane = tiles.plane(away) if np.count_nonzero(away) > FEWEST_AWAY else plane
        signal = tiles.above(plane)
    wider = min(1.6 * reach, 0.5 * separation or 1.6 * reach)
    if any(
        _moments(signal, tiles, at, wider)[0] > 1.1 * electrons[port] for port, at in places.items()
    ):
        return None
    significance = {
        port: electrons[port] / _error(tiles, at, reach, electrons[port], image)
        for port, at in places.items()
    }
    cloud = Cloud(plane, electrons, places, width, significance, displacements)
    return cloud if min(significance.values()) > 2.0 * PORT_SIGMA else None


def _separation(displacements: Ports) -> float:
    """Return the nominal distance of the ports (m); 0 for a single cloud."""
    places = displacements.values()
    return min((math.dist(a, b) for a in places for b in places if a != b), default=0.0)


def stacked_peak(snr: Array, tiles: Tiles, displacements: Ports, smooth: float) -> Point:
    """Add all ports on top of each other.

    Return where the sum, smoothed over `smooth` tiles, is largest.
    """
    step = tiles.step
    stacked = np.zeros_like(snr)
    for right, up in displacements.values():
        shift = (up / step, -right / step)
        stacked += scipy.ndimage.shift(snr, shift, order=0, mode="constant", prefilter=False)
    blurred = scipy.ndimage.uniform_filter(stacked, int(smooth), mode="constant")
    row, column = np.unravel_index(int(np.argmax(blurred)), blurred.shape)
    return float(tiles.u[column]), float(tiles.v[row])


def _iterate(
    signal: Array, tiles: Tiles, places: Mapping[str, Point], reach: float
) -> tuple[dict[str, Point], dict[str, float], Point, float]:
    """Move the windows onto the clouds.

    Return places, electrons, widths and the window's half side.
    """
    for _ in range(5):
        moments = {port: _moments(signal, tiles, at, reach) for port, at in places.items()}
        strongest = max(one[0] for one in moments.values())
        if strongest <= 0 or min(one[0] for one in moments.values()) < 0.05 * strongest:
            raise FitError("no whole clouds")
        places = {port: (one[1], one[2]) for port, one in moments.items()}
        bright = [one for one in moments.values() if one[0] > 0.3 * strongest]
        width = (_mean_of(bright, 3), _mean_of(bright, 4))
        reach = min(reach, 3.0 * max(width))
    return dict(places), {port: one[0] for port, one in moments.items()}, width, reach


def _mean_of(moments: list[Moments], place: int) -> float:
    return float(np.mean([one[place] for one in moments]))


def _moments(signal: Array, tiles: Tiles, at: Point, reach: float) -> Moments:
    """Return the moments inside a square window."""
    rows, columns = _inside(tiles, at, reach)
    part = signal[np.ix_(rows, columns)]
    u = tiles.u[columns]
    v = tiles.v[rows]
    total = float(part.sum())
    if total <= 0:
        return 0.0, *at, 0.0, 0.0
    across, along = part.sum(axis=0), part.sum(axis=1)
    centre_u, width_u = _centre_and_width(across, u, total, tiles.step)
    centre_v, width_v = _centre_and_width(along, v, total, tiles.step)
    return total, centre_u, centre_v, width_u, width_v


def _centre_and_width(light: Array, at: Array, total: float, step: float) -> tuple[float, float]:
    """Return both along one axis, from the light of its tiles (m)."""
    centre = float(light @ at) / total
    sheppard = step**2 / 12.0  # a tile has a width of its own
    variance = float(light @ (at - centre) ** 2) / total - sheppard
    return centre, math.sqrt(max(variance, 0.0))


def _inside(tiles: Tiles, at: Point, reach: float) -> tuple[Mask, Mask]:
    """Mark the rows and the columns of tiles in a square window."""
    return np.abs(tiles.v - at[1]) <= reach, np.abs(tiles.u - at[0]) <= reach


def _whole(places: Mapping[str, Point], width: Point, tiles: Tiles, separation: float) -> bool:
    """Clouds hardly narrower than a tile, inside the frame and apart from each other."""
    if min(width) < NARROW_TILES * tiles.step:
        return False
    if separation and separation < 2.0 * WHOLE_WIDTHS * max(width):
        return False
    half_u, half_v = np.max(np.abs(tiles.u)), np.max(np.abs(tiles.v))
    return all(
        abs(u) + WHOLE_WIDTHS * width[0] < half_u and abs(v) + WHOLE_WIDTHS * width[1] < half_v
        for u, v in places.values()
    )


def _away(tiles: Tiles, places: Mapping[str, Point], width: Point) -> Mask:
    """Mark the tiles that no cloud reaches."""
    nearest = np.full(tiles.electrons.shape, np.inf)
    for u, v in places.values():
        far = np.maximum(
            np.abs(tiles.u[None, :] - u) / width[0], np.abs(tiles.v[:, None] - v) / width[1]
        )
        nearest = np.minimum(nearest, far)
    return nearest > FREE_WIDTHS


def _error(tiles: Tiles, at: Point, reach: float, electrons: float, image: Electrons) -> float:
    dark = float(np.sum(tiles.noise[np.ix_(*_inside(tiles, at, reach))] ** 2))
    light = (1.0 + image.facts.excess) * max(electrons, 0.0) if image.noise_known else 0.0
    return math.sqrt(max(dark + light, 1e-300))
