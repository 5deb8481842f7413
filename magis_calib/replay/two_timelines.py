"""Setpoints as they were and as they would have been, drop by drop."""

from __future__ import annotations

from magis_calib.actuators.timeline import Timeline
from magis_calib.domain.control import Decision, Setpoints
from magis_calib.domain.drop_record import DropRecord


class TwoTimelines:
    """Knows both ways of the setpoints.

    What moved them from outside moves both by the same amount.
    """

    def __init__(self, start: Setpoints) -> None:
        """Begin where the first recorded drop was taken."""
        self._happened = Timeline(start)
        self._otherwise = Timeline(start)
        self._delay_drops = 1

    def at(self, record: DropRecord) -> Setpoints:
        """Return what this drop would have seen, with what was moved from outside before."""
        happened, otherwise = (
            self._happened.in_force(record.drop_id),
            self._otherwise.in_force(record.drop_id),
        )
        moved = {
            name: value for name, value in record.in_force.items() if happened.get(name) != value
        }
        if moved:
            shifted = {
                name: value
                if name not in happened or otherwise[name] == happened[name]
                else otherwise[name] + (value - happened[name])
                for name, value in moved.items()
            }
            self._happened.change(record.drop_id, moved)
            self._otherwise.change(record.drop_id, shifted)
        return self._otherwise.in_force(record.drop_id)

    def commanded(self) -> tuple[Setpoints, Setpoints]:
        """Return where the setpoints went by everything sent so far, and where they would go."""
        return self._happened.newest(), self._otherwise.newest()

    def sent(self, decision: Decision, limited: Setpoints | None) -> None:
        """Take in what was sent after a drop, and what would be: None for nothing.

        A read-back differs from what is sent as it did when it was recorded.
        """
        was_sent = decision.outcome == "applied" and decision.effective_drop is not None
        if was_sent and decision.effective_drop is not None:
            self._delay_drops = decision.effective_drop - decision.drop_id
            read = {
                name: decision.readback.get(name, value) for name, value in decision.sent.items()
            }
            self._happened.change(decision.effective_drop, read)
        if limited is not None:
            off = {
                name: _read(decision, name, value) if was_sent else value
                for name, value in limited.items()
            }
            self._otherwise.change(decision.drop_id + self._delay_drops, off)


def _read(decision: Decision, name: str, value: float) -> float:
    sent = decision.sent.get(name, value)
    read = decision.readback.get(name, sent)
    return read if value == sent else value + (read - sent)
