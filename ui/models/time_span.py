"""How far the trends reach back: the last so many drops, or what the operator chose. No Qt."""

from __future__ import annotations

from magis_calib.state.history import HistoryRows

SPANS = (50, 100, 250, 1000)
ALL = 0
CHOICES = {**{span: f"last {span} drops" for span in SPANS}, ALL: "all drops"}
LEAST_DROPS = 5.0
FIRST_REACH = 25


def followed(rows: HistoryRows, span: int) -> tuple[float, float]:
    """Return first and last drop of the axis: it fills in a few steps before it moves."""
    first = int(rows["drop_id"][0])
    last = int(rows["drop_id"][-1])
    wanted = next((step for step in (FIRST_REACH, *SPANS) if step > last - first), last - first + 1)
    return float(first), float(max(last, first + (min(wanted, span) if span else wanted) - 1))


def kept_inside(first: float, last: float, oldest: int, newest: int) -> tuple[float, float]:
    """Return the reach nearest to this (in drops) that shows some, and not much beside them."""
    span = min(max(last - first, LEAST_DROPS), newest - oldest + LEAST_DROPS)
    first = min(max((first + last - span) / 2, oldest - LEAST_DROPS), newest + LEAST_DROPS - span)
    return first, first + span


def remembered_span(saved: object) -> int:
    """Read the remembered span; the default when it is none of the offered ones."""
    try:
        span = int(str(saved))
    except ValueError:
        return 100
    return span if span in CHOICES else 100
