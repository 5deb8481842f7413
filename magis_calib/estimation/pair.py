"""Both views of one drop: from counts to a station estimate.

Next on the path of a pair: `magis_calib/imaging/electrons.py`.
"""

from __future__ import annotations

from collections.abc import Callable

from magis_calib.config.station import Station
from magis_calib.domain.camera import VIEWS, ImagePair, View
from magis_calib.domain.estimate import StationEstimate, ViewEstimate
from magis_calib.estimation.model import FitModel, Wavevector
from magis_calib.estimation.models import model_for
from magis_calib.estimation.sequence import camera_for
from magis_calib.estimation.station import combine
from magis_calib.estimation.view import Expected, estimate_image
from magis_calib.imaging.both_views import side_by_side
from magis_calib.imaging.electrons import to_electrons
from magis_calib.imaging.mask_file import read_defects

Done = Callable[[str], None]
"""Told the name of each stage that is done."""


class Fitting:
    """Fits every pair as the cameras of one station are configured."""

    def __init__(self, station: Station) -> None:
        """Read the configured defect masks.

        Raises `ConfigError` where one, or the model of a view, cannot be used.
        """
        self._cameras = {view: station.camera(view) for view in VIEWS}
        self._defects = {
            view: read_defects(camera.defects) for view, camera in self._cameras.items()
        }
        self._predicted = {
            view for view in VIEWS if _takes_prediction(model_for(self._cameras[view]))
        }

    def estimate(self, pair: ImagePair, expected: Wavevector | None, done: Done) -> StationEstimate:
        """Fit both views; `expected`: wavevector of the setpoints in force (rad/m), if known."""
        images = side_by_side(
            lambda view, frame: to_electrons(frame, self._defects[view]), pair.frames
        )
        done("electrons")
        views: dict[View, ViewEstimate] = {}
        for view, image in images.items():
            camera = camera_for(self._cameras[view], pair.sequence_type)
            known = self._prediction(view, pair, expected)
            views[view] = estimate_image(image, camera, known, pair.drop_id)
            done(f"fit_{view}")
        estimate = combine(views)
        done("combine")
        return estimate

    def _prediction(
        self, view: View, pair: ImagePair, expected: Wavevector | None
    ) -> Expected | None:
        """Return what is expected of a view; nothing in a drop for another purpose."""
        predicted = view in self._predicted and pair.sequence_type == "interferometer"
        return Expected(expected) if expected is not None and predicted else None


def _takes_prediction(model: FitModel) -> bool:
    """Whether its fringe is in the prediction's unit: the branch can then be judged by it."""
    return model.fringe is not None and model.parameters[model.fringe.horizontal] == "rad/m"
