"""From a pair of images to the profile of its fringe, and that as a table. No Qt."""

from __future__ import annotations

import math

from magis_calib.domain.camera import ImagePair, View
from magis_calib.domain.estimate import StationEstimate
from magis_calib.estimation.profile import FringeProfile, fringe_profile
from ui.models.crop import around_clouds
from ui.models.plot import Table

REACH_WIDTHS = 4.5
"""So far from the clouds it is shown."""


def table_of(profile: FringeProfile) -> Table:
    """Return place, electrons per column with their error, and fit, of both ports."""
    columns = {
        "horizontal_m": profile.horizontal_m,
        "port_a": profile.port_a,
        "port_a_stderr": profile.sigma_a,
        "port_a_fit": profile.fit_a,
        "port_b": profile.port_b,
        "port_b_stderr": profile.sigma_b,
        "port_b_fit": profile.fit_b,
    }
    units = dict.fromkeys(columns, "electrons per column of pixels") | {"horizontal_m": "m"}
    return Table(columns, units)


def fringed_view(estimate: StationEstimate) -> View:
    """Return the view whose fit has fringes; x when neither has."""
    for view, fitted in estimate.views.items():
        if math.isfinite(fitted.value("fringe_horizontal_rad_per_m")):
            return view
    return "x"


def profile_of(drop: tuple[ImagePair, StationEstimate]) -> FringeProfile | None:
    """Sum what is shown of the image: the rest of it would double the time."""
    pair, estimate = drop
    view = fringed_view(estimate)
    fitted = estimate.views.get(view)
    if fitted is None or not fitted.parameters:
        return None
    return fringe_profile(around_clouds(pair.frames[view], fitted, REACH_WIDTHS), fitted)
