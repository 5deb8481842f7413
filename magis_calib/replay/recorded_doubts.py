"""What spoke against the pictures of a recorded drop: known, not judged anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from magis_calib.domain.camera import DropAnnouncement, Frame, ImagePair
from magis_calib.domain.drop_record import DropRecord


class RecordedDoubts:
    """Answers as the recorded run did."""

    again = ""

    def __init__(self, records: Sequence[DropRecord]) -> None:
        """Take what the records say."""
        self._doubts = {record.drop_id: record.doubts for record in records}

    def announced(self, drop: DropAnnouncement) -> None:
        """Do nothing: a recording is no plan."""

    def awaits(self, drop_id: int) -> bool:
        """Return False: nothing is announced in a replay."""
        return False

    def take(self, frame: Frame, now_ns: int) -> None:
        """Do nothing: its drop was judged when it was taken."""

    def doubts(self, pair: ImagePair) -> Mapping[str, str]:
        """Return why the recorded run did not act upon this pair; empty where it did."""
        return self._doubts.get(pair.drop_id, {})
