"""Predicts a whole recording beside its replay; the newest wish counts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Container, Sequence
from dataclasses import replace

from magis_calib.config.station import Station
from magis_calib.domain.control import gain_in_words
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.errors import ConfigError
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.replay.changes import Changes, ObservableChange, changed
from magis_calib.replay.spreads import held_in_words, spreads
from magis_calib.replay.what_if import Otherwise, what_if
from magis_calib.state.commands import Suppose
from magis_calib.state.history import History
from magis_calib.state.what_if import Supposition

log = logging.getLogger(__name__)

TOLD_EVERY = 20
"""Drops after which the progress is told."""


class Supposing:
    """Works in a thread of its own. Any thread may read `state`; one asks."""

    def __init__(self, recorded: Station, records: Sequence[DropRecord], restarts: Container[int]) -> None:
        """`recorded`: the station as it was; at `restarts` a run began that knew nothing of the drops before."""
        self._recorded, self._records, self._restarts = recorded, records, restarts
        self._wish: Suppose | None = None
        self._turning = threading.Lock()
        self.state: Supposition | None = None

    def begin(self, wish: Suppose) -> str:
        """Begin to predict, or forget what was predicted; return in words what becomes of it."""
        if not wish.targets and not wish.gains:
            self._turn(wish, None)
            return "nothing is supposed any more"
        try:
            changes = _changes(wish)
            station = changed(self._recorded, changes)
        except (ConfigError, ValueError) as error:
            self._turn(wish, None)
            return f"not predicted: {error}"
        words = _in_words(wish)
        self._turn(wish, Supposition(words, 0, len(self._records)))
        threading.Thread(target=self._work, args=(wish, station, changes), name="suppose", daemon=True).start()
        return f"predicting {len(self._records)} drops with {words}"

    def _work(self, wish: Suppose, station: Station, changes: Changes) -> None:
        try:
            self._predict(wish, station, changes)
        except Exception as error:
            log.exception("fault while predicting")
            self._tell(wish, problem=f"not predicted: {error}")

    def _predict(self, wish: Suppose, station: Station, changes: Changes) -> None:
        drops: list[Otherwise] = []
        history = History(max(1, len(self._records)))
        for one in what_if(self._recorded, station, changes, self._records, self._restarts):
            if self._wish is not wish:
                return
            drops.append(one)
            history.add(replace(one.record, estimate=one.estimate, in_force=one.in_force, targets=one.targets))
            if len(drops) % TOLD_EVERY == 0:
                self._tell(wish, done=len(drops))
        if drops:
            self._tell(wish, done=len(drops), rows=history.rows, spreads=tuple(spreads(drops)),
                       held=held_in_words(drops))  # fmt: skip
        else:
            self._tell(wish, problem="no drop of this session has known setpoints: nothing to predict")

    def _turn(self, wish: Suppose, state: Supposition | None) -> None:
        with self._turning:
            self._wish, self.state = wish, state

    def _tell(self, wish: Suppose, **news: object) -> None:
        """Replace the state, unless something else was asked for since."""
        with self._turning:
            if self._wish is wish and self.state is not None:
                self.state = replace(self.state, **news)  # type: ignore[arg-type]


def _changes(wish: Suppose) -> Changes:
    names = {**wish.targets, **wish.gains}
    return Changes(observables={
        name: ObservableChange(target=wish.targets.get(name), gain=wish.gains.get(name)) for name in names
    })  # fmt: skip


def _in_words(wish: Suppose) -> str:
    targets = (
        f"target of {OBSERVABLES[name].label} {OBSERVABLES[name].shown(value)} {OBSERVABLES[name].shown_unit}".rstrip()
        for name, value in wish.targets.items()
    )
    gains = (f"gain of {OBSERVABLES[name].label} {gain_in_words(gain)}" for name, gain in wish.gains.items())
    return ", ".join((*targets, *gains)).replace("-", "−")
