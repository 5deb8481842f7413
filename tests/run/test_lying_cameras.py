"""Cameras that say what is not so, and drop numbers that come again: nothing is corrected by a
picture of another drop, somebody is told, and the exit code tells.
"""

from __future__ import annotations

import pytest

from tests.benchmarks.lies.camera_conversation import look
from tests.benchmarks.lies.cameras import KINDS
from tests.benchmarks.lies.conversation import impatient


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [1, 4])
def test_whatever_cameras_say_no_picture_of_another_drop_is_corrected_by(kind, seed: int) -> None:
    with impatient() as station:
        found = look(station, seed, kind)
    assert not found.corrected_by
    assert not found.untold
    assert found.corrected
