"""What can go wrong with frames, camera drivers, networks and clocks (docs/faults.md)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationInfo

from magis_calib.domain.camera import View
from simulators.faults.kinds import Timed, one_of
from simulators.instrument.numbers import Finite

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
CAMERAS = ("camera x", "camera y")


def _peer(name: str, info: ValidationInfo) -> str:
    return one_of((*CAMERAS, *info.context.controllers), name) if info.context else name


CutPeer = Annotated[str, AfterValidator(_peer)]


class OfView(Timed):
    """Something that happens to one view."""

    view: View


class FrameLost(OfView):
    """A frame that is never sent."""

    kind: Literal["frame_lost"]


class FrameDuplicated(OfView):
    """A frame that is sent twice."""

    kind: Literal["frame_duplicated"]


class FrameLate(OfView):
    """A frame that is sent so much later."""

    kind: Literal["frame_late"]
    delay_s: Seconds


class FramesShuffled(OfView):
    """A frame that is sent after that of the next drop."""

    kind: Literal["frames_shuffled"]


class FrameTruncated(OfView):
    """A frame whose pixels end too early when it is sent first."""

    kind: Literal["frame_truncated"]


class BitFlipped(OfView):
    """A frame of which a bit is wrong when it is sent first."""

    kind: Literal["bit_flipped"]


class WrongShape(OfView):
    """A frame whose header speaks of a row more than the camera has."""

    kind: Literal["wrong_shape"]


class PictureRepeated(OfView):
    """The last picture before, again and again, under new drop numbers and times."""

    kind: Literal["picture_repeated"]


class CountsZero(OfView):
    """Every count is 0."""

    kind: Literal["counts_zero"]


class CountsShifted(OfView):
    """Counts aligned to the other side than the header says."""

    kind: Literal["counts_shifted"]


class BytesSwapped(OfView):
    """Counts whose more significant byte comes first."""

    kind: Literal["bytes_swapped"]


class TriggerOff(OfView):
    """A trigger time that is wrong by so much."""

    kind: Literal["trigger_off"]
    size_s: Finite


class ExposureWrong(OfView):
    """A header with this exposure."""

    kind: Literal["exposure_wrong"]
    exposure_s: Seconds


class ViewDark(OfView):
    """A picture of one view that no light has reached."""

    kind: Literal["view_dark"]


class NumbersAgain(Timed):
    """The drop system counts from the first number again; once."""

    momentary = True
    kind: Literal["numbers_again"]


class ViewsSwapped(Timed):
    """The two pictures of a drop, each under the name of the other view."""

    kind: Literal["views_swapped"]


class CameraDies(OfView):
    """A driver that is gone without a word, with all it held, and is started again afterwards."""

    kind: Literal["camera_dies"]


class CameraRestarts(OfView):
    """A driver that is killed just before the drop and started again at once."""

    momentary = True
    kind: Literal["camera_restarts"]


class CameraNewSession(OfView):
    """A driver that says hello with another session just before the drop."""

    momentary = True
    kind: Literal["camera_new_session"]


class CameraStutters(OfView):
    """A driver that keeps its frames back, and sends all of them when this is over."""

    kind: Literal["camera_stutters"]


class NetworkCut(Timed):
    """Nothing passes between a peer and the application; what waits passes when this is over."""

    kind: Literal["network_cut"]
    peer: CutPeer
    way: Literal["both", "to_application", "from_application"] = "both"


class ClockStepped(Timed):
    """The clock of cameras and controllers is wrong by so much."""

    kind: Literal["clock_stepped"]
    size_s: Finite
