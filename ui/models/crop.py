"""The part of a frame where the clouds are: the rest need not be read to draw it. No Qt."""

from __future__ import annotations

import math
from dataclasses import replace

from magis_calib.domain.camera import Frame
from magis_calib.domain.estimate import ViewEstimate

LEAST_PX = 512
"""Keep at least this much of each side: the search for hot pixels needs tiles of several pixels."""


def around_clouds(frame: Frame, fitted: ViewEstimate, reach_widths: float) -> Frame:
    """Keep so many widths around the clouds.

    The same is cut off opposite sides: the middle stays where coordinates count from.
    """
    right = _half_px(frame, fitted, "horizontal", reach_widths)
    up = _half_px(frame, fitted, "vertical", reach_widths)
    turned = frame.facts.orientation.endswith(("_90", "_270"))
    rows, columns = frame.counts.shape
    down_cut, right_cut = (
        (_cut(rows, right), _cut(columns, up)) if turned else (_cut(rows, up), _cut(columns, right))
    )
    counts = frame.counts[down_cut : rows - down_cut, right_cut : columns - right_cut]
    facts = replace(frame.facts, rows=counts.shape[0], columns=counts.shape[1])
    return replace(frame, counts=counts, facts=facts)


def _half_px(frame: Frame, fitted: ViewEstimate, way: str, reach_widths: float) -> float:
    """Return how far the clouds reach from the middle of the image.

    Infinity where that is not known.
    """
    reach_m = reach_widths * fitted.value(f"width_{way}_m")
    away_m = max(abs(fitted.value(f"port_{port}_{way}_m")) for port in ("a", "b")) + reach_m
    return away_m / frame.facts.object_pixel_m if math.isfinite(away_m) else math.inf


def _cut(size: int, half_px: float) -> int:
    return (
        max(0, math.floor(size / 2 - max(half_px, LEAST_PX / 2))) if math.isfinite(half_px) else 0
    )
