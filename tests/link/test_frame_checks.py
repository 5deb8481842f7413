"""What speaks against a picture being of its drop, by its times, its plan and its numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magis_calib.domain.camera import DropAnnouncement, ImagePair
from magis_calib.link.frame_checks import FrameChecks
from tests.pictures import Scene, pair

S = 1_000_000_000
BEGIN_NS = 1_700_000_000 * S


def of(drop_id: int, apart_s: float = 1.0, **late_s: float) -> ImagePair:
    """Return a pair triggered on time, but for the views that are late."""
    rng = np.random.default_rng(drop_id)
    frames = pair(rng, Scene(), drop_id).frames
    at_ns = BEGIN_NS + round(drop_id * apart_s * S)
    return ImagePair(
        drop_id,
        {
            view: replace(
                frame,
                header=replace(
                    frame.header,
                    trigger_time_ns=at_ns + round(late_s.get(view, 0.0) * S),
                    checksum=f"{drop_id:07x}{view}".replace("x", "e").replace("y", "f"),
                ),
            )
            for view, frame in frames.items()
        },
    )


def doubts(checks: FrameChecks, drop: ImagePair, apart_s: float = 1.0) -> dict[str, str]:
    planned_ns = BEGIN_NS + round(drop.drop_id * apart_s * S)
    checks.announced(DropAnnouncement(drop.drop_id, "interferometer", planned_ns))
    for frame in drop.frames.values():
        checks.take(frame, planned_ns)
    return dict(checks.doubts(drop))


def test_pictures_on_time_are_of_their_drops() -> None:
    checks = FrameChecks()
    assert [doubts(checks, of(drop, x=0.03, y=0.04)) for drop in range(1, 30)] == [{}] * 29


def test_a_clock_that_is_off_by_less_than_a_minute_is_one_all_the_time() -> None:
    checks = FrameChecks()
    for drop in range(1, 8):
        assert doubts(checks, of(drop, x=9.0, y=9.0)) == {}
    assert "view x" in doubts(checks, of(8, x=10.0, y=9.0)), "one drop late by those before"


@pytest.mark.parametrize(
    ("late_s", "words"),
    [
        ({"x": -1.0, "y": -1.0}, "triggered 1 s before the planned time of drop 5"),
        ({"x": 0.6}, "triggered 0.6 s after where drop 5 should be"),
        ({"x": 7200.0, "y": 7200.0}, "triggered 2 h after the planned time of drop 5"),
    ],
)
def test_a_trigger_that_is_not_that_of_the_drop_is_told(late_s: dict[str, float], words) -> None:
    checks = FrameChecks()
    for drop in range(1, 5):
        assert doubts(checks, of(drop)) == {}
    assert words in doubts(checks, of(5, **late_s))["view x"]


def test_views_of_different_drops_are_told_from_the_first_drop_on() -> None:
    found = doubts(FrameChecks(), of(1, 60.0, x=13.0), 60.0)
    assert "views x and y were triggered 13 s apart" in found["drop"]


@pytest.mark.parametrize("again", [1, 3, 5])
def test_drop_numbers_that_come_again_are_told_for_good(again: int) -> None:
    checks = FrameChecks()
    for drop in range(1, 6):
        doubts(checks, of(drop))
    checks.announced(DropAnnouncement(again, "interferometer", BEGIN_NS + 100 * S))
    assert f"drop {again} was announced after drop 5" in checks.again
    assert "counts again" in doubts(checks, of(6))["drop"]


def test_numbers_of_an_earlier_run_must_not_come_again() -> None:
    checks = FrameChecks(newest_drop=16)
    checks.announced(DropAnnouncement(1, "interferometer", BEGIN_NS))
    assert checks.again


def test_the_same_announcement_twice_is_none_too_many() -> None:
    checks = FrameChecks()
    for _ in range(2):
        checks.announced(DropAnnouncement(1, "interferometer", BEGIN_NS))
    assert not checks.again
