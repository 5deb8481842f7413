"""Start values of the Gaussian models: place, second moments and strongest wave of the cloud."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from magis_calib.domain.estimate import Array
from magis_calib.estimation.axis import column_of, row_of
from magis_calib.estimation.model import Check, Fringe, Start
from magis_calib.estimation.start.cloud import Cloud, whole_clouds
from magis_calib.estimation.start.fourier import Wave, find_wave, is_fringe
from magis_calib.estimation.start.search import find_clouds
from magis_calib.estimation.start.second import position_checks
from magis_calib.estimation.start.windows import Window, cut_windows
from magis_calib.imaging.electrons import Electrons

PLANE = ("background", "background_gradient_horizontal", "background_gradient_vertical")
ONE_CLOUD: Mapping[str, tuple[float, float]] = {"": (0.0, 0.0)}
ENDLESS_PX = 1e6
"""Width of a profile across its one row: the same everywhere."""


def gaussian_start(image: Electrons, fringe: Fringe | None, parameters: Mapping[str, str]) -> Start:
    """Return start values. Raises `FitError` "no cloud …"."""
    cloud = whole_clouds(image, ONE_CLOUD) or find_clouds(image, ONE_CLOUD)
    windows = cut_windows(image, cloud)
    wave = find_wave(windows, cloud.width, None) if fringe else None
    found = wave if wave and (is_fringe(wave, None) or not image.noise_known) else None
    pixel_m = image.facts.object_pixel_m
    rows, columns = image.shape
    at = cloud.places[""]
    values = dict.fromkeys(parameters, 0.0)
    values |= {
        "horizontal_px": column_of(at[0], columns, pixel_m),
        "vertical_px": row_of(at[1], rows, pixel_m),
        **_axes(windows, cloud, pixel_m),
        **_plane(cloud, image),
        "amplitude": max(cloud.electrons[""], 0.0)
        * pixel_m**2
        / (math.tau * cloud.width[0] * cloud.width[1]),
    }
    profile = 1 in (rows, columns)
    absent = frozenset(_across_profile(values, rows, image, cloud) if profile else ())
    checks = (
        ()
        if profile or not image.noise_known
        else _checks(windows, cloud, found, pixel_m, (rows, columns))
    )
    score = f": {wave.score:.1f} standard errors" if wave and image.noise_known else ""
    without = Start(
        values,
        absent | set(fringe.names if fringe else ()),
        (f"no fringe{score}",) if fringe else (),
        checks,
    )
    if not fringe or not found:
        return without
    return Start(
        values | _wave_values(found, fringe, image), absent, (), checks, otherwise=lambda: without
    )


def _axes(windows: list[Window], cloud: Cloud, pixel_m: float) -> dict[str, float]:
    """Return widths and angle from the second moments under a Gaussian window."""
    sigma_u, sigma_v = (size / pixel_m for size in cloud.width)
    if not windows:
        return {"sigma_major_px": sigma_u, "sigma_minor_px": sigma_v, "angle_rad": 0.0}
    window = windows[0]
    at = cloud.places[""]
    u, v = (window.u - at[0]) / cloud.width[0], (window.v - at[1]) / cloud.width[1]
    shared = -_correlation(u, v, window.light) * sigma_u * sigma_v
    """Rows count downwards: the sign turns."""
    sizes, axes = np.linalg.eigh(np.array([[sigma_u**2, shared], [shared, sigma_v**2]]))
    angle = math.atan2(axes[1, 1], axes[0, 1])
    return {
        "sigma_major_px": math.sqrt(sizes[1]),
        "sigma_minor_px": math.sqrt(max(sizes[0], 0.04)),
        "angle_rad": angle,
    }


def _correlation(u: Array, v: Array, light: Array) -> float:
    """Return the correlation of u and v (widths from the middle) that a Gaussian window hides."""
    seen = light * np.exp(-0.5 * (u[None, :] ** 2 + v[:, None] ** 2))
    inside = float(v @ seen @ u) / max(float(seen.sum()), 1e-300)
    return float(np.clip(2.0 * inside / (1.0 + 2.0 * abs(inside)), -0.9, 0.9))


def _plane(cloud: Cloud, image: Electrons) -> dict[str, float]:
    """Return the background at pixel (0, 0) and its gradients per px to the right and down."""
    level, right, up = cloud.background
    return dict(zip(PLANE, _from_corner(level, right, up, image), strict=True))


def _from_corner(
    middle: float, right_per_m: float, up_per_m: float, image: Electrons
) -> tuple[float, float, float]:
    """Return a plane's value at pixel (0, 0) and its slopes per px to the right and down."""
    rows, columns = image.shape
    right = right_per_m * image.facts.object_pixel_m
    down = -up_per_m * image.facts.object_pixel_m
    corner = middle - right * (columns - 1) / 2.0 - down * (rows - 1) / 2.0
    return float(corner), float(right), float(down)


def _wave_values(wave: Wave, fringe: Fringe, image: Electrons) -> dict[str, float]:
    """Return the wave in pixels, its phase counted from pixel (0, 0)."""
    phase, right, down = _from_corner(wave.phase_rad, *wave.kappa, image)
    return {
        fringe.horizontal: right,
        fringe.vertical: down,
        "contrast": min(wave.contrast, 1.0),
        "phase_rad": math.remainder(phase, math.tau),
    }


def _across_profile(
    values: dict[str, float], rows: int, image: Electrons, cloud: Cloud
) -> set[str]:
    """Hold what a profile of one row (or column) cannot tell; return the names."""
    lying = rows == 1
    width = cloud.width[0] if lying else cloud.width[1]
    values |= {
        "sigma_major_px": width / image.facts.object_pixel_m,
        "sigma_minor_px": ENDLESS_PX,
        "angle_rad": 0.0 if lying else math.pi / 2.0,
    }
    above = image.counts.astype(np.float64).ravel()
    values["amplitude"] = (
        float(np.percentile(above, 95) - np.percentile(above, 5)) * image.facts.gain
    )
    across = "vertical" if lying else "horizontal"
    values[f"{across}_px"] = 0.0
    held = {f"{across}_px", "sigma_minor_px", "angle_rad", f"background_gradient_{across}"}
    values[f"background_gradient_{across}"] = 0.0
    if f"fringe_{across}_rad_per_px" in values:
        held.add(f"fringe_{across}_rad_per_px")
    return held


def _checks(
    windows: list[Window], cloud: Cloud, wave: Wave | None, pixel_m: float, shape: tuple[int, int]
) -> tuple[Check, ...]:
    """Return the centroid in pixels."""
    found = position_checks(windows, cloud, {"": ("horizontal_px", "vertical_px")}, wave)
    middles = ((shape[1] - 1) / 2.0, (shape[0] - 1) / 2.0)
    signs = (1.0, -1.0)
    return tuple(
        Check(one.what, one.terms, middle + sign * one.value / pixel_m, one.sigma / pixel_m)
        for one, middle, sign in zip(found, middles, signs, strict=False)
        if math.isfinite(one.sigma)
    )
