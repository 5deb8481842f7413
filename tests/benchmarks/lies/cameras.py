"""Two camera drivers written by hand from docs/protocol.md, and a liar between them and us."""

from __future__ import annotations

import json
import random
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import zmq

from magis_calib.config.station import Station
from magis_calib.domain.camera import VIEWS, ImagePair, View
from magis_calib.domain.estimate import StationEstimate, Value, ViewEstimate
from magis_calib.domain.quantities import OBSERVABLES
from simulators.instrument.numbers import load_plant_numbers
from simulators.plant import Plant
from tests.bench import FACTS
from tests.feedback.station import FIT_SIGMA, estimated

SIDE_PX = 8
SPACING_NS = 1_000_000_000
"""Between drops, as planned and as the triggers say; they come as fast as they are done."""
NOTHING = "no cloud"


@dataclass(frozen=True)
class Sheet:
    """A frame as it is sent: pixels, header, and the drop that its pixels are of."""

    counts: np.ndarray
    header: Mapping[str, Any]
    of_drop: int


@dataclass
class Before:
    """The frames of one view before this one."""

    taken: list[Sheet] = field(default_factory=list)
    sent: list[Sheet] = field(default_factory=list)


Lie = Callable[[Sheet, Before], list[Sheet]]
"""What is sent in place of a frame."""


class LyingCameras:
    """Both drivers; used by the thread that makes the drops. `estimate` is asked by another."""

    def __init__(self, station: Station, seed: int, lying: range, views: str, lie: Lie) -> None:
        self._station = station
        self._plant = Plant(load_plant_numbers(), "short", seed)
        self._rng = np.random.default_rng(seed)
        self._begin_ns = time.time_ns()
        self._lying = lying
        self._views = views
        self._lie = lie
        self._before: dict[View, Before] = {view: Before() for view in VIEWS}
        self._truth: dict[int, StationEstimate] = {}
        self._of_drop: dict[str, int] = {}
        self._context = zmq.Context()
        self._sockets: dict[tuple[View, str], zmq.Socket[bytes]] = {}
        self.wrong: set[int] = set()
        """Drop numbers under which a picture of another drop was sent."""

    def planned_ns(self, drop_id: int) -> int:
        """Return when a drop is planned."""
        return self._begin_ns + drop_id * SPACING_NS

    def photograph(self, drop_id: int, in_force: Mapping[str, float], turn: int) -> None:
        """Make both frames of a drop and send what is told of them; `turn`: of its numbering."""
        key = drop_id + 1_000_000 * turn
        true = self._plant.drop(key, in_force).observables
        noise = FIT_SIGMA * self._rng.standard_normal(len(FIT_SIGMA))
        seen = {name: true[name] + noise[row] for row, name in enumerate(OBSERVABLES)}
        self._truth[key] = replace(estimated(drop_id, seen), views=views_of(drop_id))
        for view in VIEWS:
            counts = 16 * self._rng.integers(1, 4095, (SIDE_PX, SIDE_PX)).astype(np.uint16)
            sheet = Sheet(counts, self._header(view, drop_id), key)
            lies = drop_id in self._lying and view in self._views
            before = self._before[view]
            for told in self._lie(sheet, before) if lies else [sheet]:
                self._send(view, drop_id, key, told)
                before.sent.append(told)
            before.taken.append(sheet)

    def estimate(self, pair: ImagePair, *how: object) -> StationEstimate:
        """Return what the pixels show, whatever their header says; nothing where they are dark."""
        keys = {view: self._of_drop.get(pair.frames[view].header.checksum) for view in VIEWS}
        found = self._truth[keys["y"] or keys["x"] or pair.drop_id]
        blind = [view for view in VIEWS if keys[view] is None]
        return _without(replace(found, drop_id=pair.drop_id), blind)

    def close(self) -> None:
        self._context.destroy(linger=0)

    def _header(self, view: View, drop_id: int) -> dict[str, Any]:
        return {
            "type": "frame",
            "protocol": 1,
            "station": "bottom",
            "camera": self._station.camera(view).name,
            "view": view,
            "drop_id": drop_id,
            "sequence_type": "interferometer",
            "session": "s1",
            "sequence": drop_id,
            "trigger_time_ns": self.planned_ns(drop_id),
            "exposure_s": 1e-4,
            "rows": SIDE_PX,
            "columns": SIDE_PX,
            "dtype": "uint16",
            "pixel_format": "Mono16",
            "bits": 12,
            "alignment": "left",
        }

    def _send(self, view: View, drop_id: int, key: int, sheet: Sheet) -> None:
        raw = sheet.counts.astype("<u2").tobytes()
        checksum = f"{zlib.crc32(raw):08x}"
        if sheet.of_drop:
            self._of_drop[checksum] = sheet.of_drop
        if sheet.of_drop != key and sheet.of_drop:
            self.wrong.add(drop_id)
        header = {"checksum": checksum, **sheet.header}
        socket = self._socket(view, str(header["session"]))
        socket.send_multipart([json.dumps(header).encode(), raw])

    def _socket(self, view: View, session: str) -> zmq.Socket[bytes]:
        """Return the socket of this session, which has said hello."""
        if (view, session) not in self._sockets:
            socket = self._context.socket(zmq.DEALER)
            socket.connect(self._station.links.camera)
            facts = FACTS | {"rows": SIDE_PX, "columns": SIDE_PX}
            hello = {"type": "hello", "protocols": [1], "station": "bottom", "view": view}
            own = {"camera": self._station.camera(view).name, "session": session, "facts": facts}
            socket.send(json.dumps(hello | own).encode())
            assert socket.poll(10_000), "no answer to a hello"
            self._sockets[view, session] = socket
        return self._sockets[view, session]


def views_of(drop_id: int) -> dict[View, ViewEstimate]:
    """Return fits of both views that can be used."""
    return {
        view: ViewEstimate(
            *(view, drop_id, "two_port_fringe", {}, (), np.empty((0, 0)), True, ("position",), ()),
            *(1.0, Value(), 0, 0, 1, {}),
        )
        for view in VIEWS
    }


def _without(estimate: StationEstimate, blind: list[View]) -> StationEstimate:
    """Return an estimate without what these views alone tell."""
    gone = {"x": ("x_m", "fringe_x_rad_per_m", "fringe_z_rad_per_m", "phase_rad"), "y": ("y_m",)}
    names = [name for view in blind for name in gone[view]]
    names += ["z_m"] if len(blind) == len(VIEWS) else []
    rows = [list(OBSERVABLES).index(name) for name in names]
    covariance = estimate.covariance.copy()
    covariance[rows, :] = covariance[:, rows] = np.nan
    views = {
        view: replace(one, usable=False, reasons=(NOTHING,)) if view in blind else one
        for view, one in estimate.views.items()
    }
    return replace(
        estimate,
        values={**estimate.values, **dict.fromkeys(names, np.nan)},
        stderr={**estimate.stderr, **dict.fromkeys(names, np.nan)},
        covariance=covariance,
        usable=len(blind) < len(VIEWS),
        reasons=(NOTHING,) if blind else (),
        views=views,
    )


def _changed(sheet: Sheet, counts: np.ndarray | None = None, **header: Any) -> list[Sheet]:
    seen = sheet.of_drop if counts is None else 0
    pixels = sheet.counts if counts is None else counts
    return [Sheet(pixels, {**sheet.header, **header}, seen)]


def zeros(rng: random.Random) -> Lie:
    """A3: every count is 0."""
    return lambda sheet, before: _changed(sheet, np.zeros_like(sheet.counts))


def shifted(rng: random.Random) -> Lie:
    """A3: 12 bits aligned to the right."""
    return lambda sheet, before: _changed(sheet, sheet.counts >> 4)


def swapped(rng: random.Random) -> Lie:
    """A3: the other byte first."""
    return lambda sheet, before: _changed(sheet, sheet.counts.byteswap())


def dark(rng: random.Random) -> Lie:
    """A4: pictures with nothing in them."""

    def lie(sheet: Sheet, before: Before) -> list[Sheet]:
        noise = np.random.default_rng(rng.randrange(2**32)).integers(6, 9, sheet.counts.shape)
        return _changed(sheet, (16 * noise).astype(np.uint16))

    return lie


def frozen(rng: random.Random) -> Lie:
    """B1: the last picture again under a new number and time."""

    def lie(sheet: Sheet, before: Before) -> list[Sheet]:
        old = before.sent[-1 if rng.random() < 0.5 else 0] if before.sent else sheet
        return [Sheet(old.counts, sheet.header, old.of_drop)]

    return lie


def a_drop_late(rng: random.Random) -> Lie:
    """The picture of the drop before, with its own time, under this number."""

    def lie(sheet: Sheet, before: Before) -> list[Sheet]:
        if not before.taken:
            return []
        old = before.taken[-1]
        return [Sheet(old.counts ^ 16, {**old.header, **_numbers(sheet)}, old.of_drop)]

    return lie


def _numbers(sheet: Sheet) -> dict[str, Any]:
    return {name: sheet.header[name] for name in ("drop_id", "sequence")}


def trigger(rng: random.Random) -> Lie:
    """A14, B18: trigger times that are another drop's, in other units, of another year."""
    off = rng.choice(
        (
            lambda ns: ns + SPACING_NS,
            lambda ns: ns - SPACING_NS,
            lambda ns: ns + rng.choice((-1, 1)) * SPACING_NS // 2,
            lambda ns: ns // 1_000_000,
            lambda ns: 0,
            lambda ns: ns + 6 * 3600 * 1_000_000_000,
        )
    )
    return lambda sheet, before: _changed(
        sheet, trigger_time_ns=max(0, off(sheet.header["trigger_time_ns"]))
    )


def exposure(rng: random.Random) -> Lie:
    """A14: an exposure longer than the time between drops."""
    return lambda sheet, before: _changed(sheet, exposure_s=rng.choice((1.5, 100.0, 1e9)))


def second_driver(rng: random.Random) -> Lie:
    """A8: another driver of the same camera, with other pictures."""

    def lie(sheet: Sheet, before: Before) -> list[Sheet]:
        other = Sheet(sheet.counts ^ 32, {**sheet.header, "session": "s2"}, 0)
        return [sheet, other] if rng.random() < 0.5 else [other, sheet]

    return lie


def numbers_again(rng: random.Random) -> Lie:
    """B5: nothing but the truth of the cameras; the drop system begins with drop 1 again."""
    return lambda sheet, before: [sheet]


KINDS: tuple[Callable[[random.Random], Lie], ...] = (
    *(
        zeros,
        shifted,
        swapped,
        dark,
        frozen,
        a_drop_late,
        trigger,
        exposure,
        second_driver,
        numbers_again,
    ),
)
