"""What a certificate counts, and what it calls missing."""

from __future__ import annotations

import numpy as np

from magis_calib.config.recording import Recording
from magis_calib.domain.camera import DropAnnouncement
from magis_calib.domain.control import Decision
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.estimate import unusable_station
from magis_calib.recording.certificate import write_certificate
from magis_calib.recording.writer import SessionWriter
from tests.pictures import SMALL, frame


def test_what_may_be_on_the_way_is_not_missing_while_the_run_goes_on(tmp_path) -> None:
    path, blank = tmp_path / "s", np.zeros((SMALL.rows, SMALL.columns), np.uint16)
    made = [frame(blank, view, drop) for drop in (1, 2, 3, 4) for view in "xy"]
    writer = SessionWriter(path, "bottom", "{}", {}, Recording())
    for one in made[:3] + made[4:7]:  # of drop 2 one view is lost, of drop 4 one is on the way
        writer.frame(one)
    for drop_id in (1, 2, 3):
        writer.record(
            DropRecord(
                drop_id,
                0,
                "interferometer",
                True,
                unusable_station(drop_id, "made up"),
                Decision(drop_id, 0, "held", ""),
                {},
                {},
            )
        )
    writer.announcement(DropAnnouncement(5, "interferometer", 7))
    writer.commit()
    found = write_certificate(path, goes_on=True)
    assert (found.gaps, found.counted_to, found.without_outcome) == (("y/2",), 3, (4, 5))
    assert "1 missing: y/2 (up to drop 3)" in found.in_words()
    writer.close({"counters": {}})
    assert write_certificate(path).gaps == ("y/2", "y/4", "x/5", "y/5")
