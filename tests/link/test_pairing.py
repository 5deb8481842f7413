from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from magis_calib.domain.camera import ImagePair, IncompleteDrop
from magis_calib.domain.errors import WireError
from magis_calib.link.pairing import Pairing
from tests.pictures import frame

DARK = np.full((4, 6), 1600, np.uint16)


def of(view: str, drop_id: int, **changes: object):
    made = frame(DARK, view, drop_id)
    return replace(made, header=replace(made.header, **changes))


def test_two_views_of_one_drop_become_a_pair_in_any_order() -> None:
    pairing = Pairing(5.0)
    assert pairing.add(of("y", 3), 0.0) == ("new", None)
    assert pairing.add(of("x", 4), 0.1) == ("new", None)
    arrival, whole = pairing.add(of("x", 3), 0.2)
    assert arrival == "new"
    assert isinstance(whole, ImagePair)
    assert list(whole.frames) == ["x", "y"]
    assert {one.header.drop_id for one in whole.frames.values()} == {3}
    assert pairing.waiting == 1


def test_an_orphan_becomes_an_incomplete_drop_that_names_the_missing_view() -> None:
    pairing = Pairing(5.0)
    pairing.add(of("x", 7), 100.0)
    assert pairing.expire(104.9) == []
    (given_up,) = pairing.expire(105.0)
    assert given_up.drop_id == 7
    assert "no frame of view y within 5 s" in given_up.reason
    assert list(given_up.frames) == ["x"]
    assert pairing.add(of("y", 7), 106.0) == ("late", None)


def test_an_announced_drop_without_any_frame_has_an_outcome_too() -> None:
    pairing = Pairing(2.0)
    assert pairing.announce(1, 10.0, 0.0)
    assert not pairing.announce(1, 10.0, 0.0)
    assert pairing.expire(11.9) == []
    (given_up,) = pairing.expire(12.0)
    assert "view x or y" in given_up.reason


def test_a_frame_sent_twice_is_a_duplicate_and_other_pixels_are_a_conflict() -> None:
    pairing = Pairing(5.0)
    pairing.add(of("x", 1), 0.0)
    assert pairing.add(of("x", 1, session="restarted", sequence=99), 0.1) == ("duplicate", None)
    pairing.add(of("y", 1), 0.2)
    assert pairing.add(of("y", 1), 0.3) == ("duplicate", None)
    with pytest.raises(WireError, match="other pixels") as caught:
        pairing.add(of("x", 1, checksum="00000000"), 0.4)
    assert caught.value.code == "conflict"


def test_views_that_disagree_about_the_sequence_type_are_mismatched() -> None:
    pairing = Pairing(5.0)
    pairing.add(of("x", 1), 0.0)
    _, whole = pairing.add(of("y", 1, sequence_type="no_atoms"), 0.1)
    assert isinstance(whole, IncompleteDrop)
    assert "mismatched" in whole.reason
    assert len(whole.frames) == 2


def test_nothing_waits_after_a_flush() -> None:
    pairing = Pairing(5.0)
    pairing.announce(1, 0.0, 0.0)
    pairing.add(of("x", 2), 0.0)
    assert [one.drop_id for one in pairing.flush()] == [1, 2]
    assert pairing.waiting == 0


def test_a_drop_whose_outcome_is_known_is_not_given_up_again() -> None:
    pairing = Pairing(5.0)
    pairing.announce(4, 0.0, 0.0)
    pairing.forget(4)
    assert pairing.expire(100.0) == []
    assert pairing.knows(4)
