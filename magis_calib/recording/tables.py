"""Tables of a session with one number a column: for spreadsheets, pandas and xarray."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from magis_calib.domain.errors import SessionError
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES
from magis_calib.recording.segments.layout import NAMES
from magis_calib.recording.segments.segment import Rows

if TYPE_CHECKING:
    import pandas
    import xarray

TABLES = ("estimates", "decisions", "frames", "announcements")
ONE_A_DROP = ("estimates", "decisions", "announcements")
"""Tables where of several rows of a drop the last one counts."""
Columns = dict[str, npt.NDArray[Any]]


class Tables(Protocol):
    """A session, as far as its tables go."""

    @property
    def path(self) -> Path:
        """Its folder."""

    def attribute(self, name: str) -> Any:
        """Return an attribute of the run, None where it is not there."""

    def table(self, name: str) -> Rows:
        """Return a whole table. Raises `SessionError` where it cannot be read."""


def flat(session: Tables, name: str) -> Columns:
    """Return the columns of a table by name, SI.

    Vectors taken apart, texts decoded, one row a drop.

    `estimates`: "x_m", "x_m_stderr", "x_m_cov_y_m" …; `decisions`: "trap_x_m_in_force",
    "trap_x_m_sent" … Raises `SessionError` where there is no such table, or it cannot be read.
    """
    if name not in TABLES:
        raise SessionError(f"table: wanted one of {', '.join(TABLES)}, got {name!r}")
    rows = last_of_each(session.table(name)) if name in ONE_A_DROP else session.table(name)
    columns: Columns = {}
    for field in rows.dtype.names or ():
        columns.update(_apart(field, rows[field]))
    return columns


def dataframe(session: Tables, name: str) -> pandas.DataFrame:
    """Return a table as pandas has it, with the time (UTC) beside time_ns.

    Raises `SessionError` without pandas.
    """
    pandas = _extra("pandas")
    columns = flat(session, name)
    frame = pandas.DataFrame(columns)
    stamp = next(
        (one for one in ("time_ns", "trigger_time_ns", "planned_time_ns") if one in columns), None
    )
    if stamp is not None:
        frame.insert(1, "time", pandas.to_datetime(frame[stamp], utc=True))
    return frame if name == "frames" else frame.set_index("drop_id")


def dataset(session: Tables) -> xarray.Dataset:
    """Return estimates and decisions as one dataset along `drop_id`.

    Raises `SessionError` without xarray.
    """
    estimates, decisions = (
        last_of_each(session.table(name)) for name in ("estimates", "decisions")
    )
    along: dict[str, Any] = {
        name: (("drop_id", "quantity"), estimates[name]) for name in ("values", "stderr")
    }
    along["covariance"] = ("drop_id", "observable", "observable_too"), estimates["covariance"]
    along |= {name: ("drop_id", estimates[name]) for name in ("complete", "usable")}
    along |= {name: (("drop_id", "actuator"), decisions[name]) for name in VECTORS}
    along["outcome"] = "drop_id", np.char.decode(decisions["outcome"], "utf-8")
    labels = {
        "drop_id": estimates["drop_id"],
        "time": ("drop_id", estimates["time_ns"].astype("datetime64[ns]")),
        "quantity": list(NAMES),
        "observable": list(OBSERVABLES),
        "observable_too": list(OBSERVABLES),
        "actuator": list(ACTUATORS),
    }
    about = {
        "session": session.path.name,
        "station": str(session.attribute("station")),
        "units": "SI",
    }
    return _extra("xarray").Dataset(along, labels, about)  # type: ignore[no-any-return]


VECTORS = ("in_force", "proposed", "limited", "sent", "readback")
"""Setpoints of a decision."""


def last_of_each(rows: Rows) -> Rows:
    """Return the last row of each drop, in the order in which the drops came first."""
    drops = rows["drop_id"]
    last = {drop: place for place, drop in enumerate(drops.tolist())}
    return rows[list(last.values())] if len(last) < len(drops) else rows


def _apart(field: str, values: npt.NDArray[Any]) -> Columns:
    """Return one column, or one for each number that a row has there."""
    if field == "values":
        return {name: values[:, at] for at, name in enumerate(NAMES)}
    if field == "stderr":
        return {f"{name}_stderr": values[:, at] for at, name in enumerate(NAMES)}
    if field == "covariance":
        pairs = [(at, to) for at in range(len(OBSERVABLES)) for to in range(at, len(OBSERVABLES))]
        return {f"{NAMES[at]}_cov_{NAMES[to]}": values[:, at, to] for at, to in pairs}
    if field in VECTORS:
        return {f"{name}_{field}": values[:, at] for at, name in enumerate(ACTUATORS)}
    return {field: np.char.decode(values, "utf-8") if values.dtype.kind == "S" else values}


def _extra(name: str) -> Any:
    try:
        return __import__(name)
    except ImportError as error:
        raise SessionError(
            f"{name} is not installed: pip install 'magis-calib[analysis]'"
        ) from error
