"""Predicts a whole recording beside its replay; what was asked last counts."""

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
from magis_calib.state.answer import Refusal
from magis_calib.state.commands import Suppose
from magis_calib.state.history import History
from magis_calib.state.what_if import WhatIfState

log = logging.getLogger(__name__)

TOLD_EVERY = 20
"""Drops after which the progress is told."""


class Supposing:
    """Works in a thread of its own. Any thread may read `state`; one asks."""

    def __init__(
        self, recorded: Station, records: Sequence[DropRecord], restarts: Container[int]
    ) -> None:
        """`recorded`: the station as it was.

        At `restarts` a run began that knew nothing of the drops before.
        """
        self._recorded = recorded
        self._records = records
        self._restarts = restarts
        self._request: Suppose | None = None
        self._turning = threading.Lock()
        self.state: WhatIfState | None = None

    def begin(self, request: Suppose) -> str:
        """Begin to predict, or forget what was predicted; return in words what becomes of it."""
        if not request.targets and not request.gains:
            self._turn(request, None)
            return "nothing is supposed any more"
        try:
            changes = _changes(request)
            station = changed(self._recorded, changes)
        except (ConfigError, ValueError) as error:
            self._turn(request, None)
            return Refusal(f"not predicted: {error}")
        words = _in_words(request)
        self._turn(request, WhatIfState(words, 0, len(self._records)))
        threading.Thread(
            target=self._work, args=(request, station, changes), name="suppose", daemon=True
        ).start()
        return f"predicting {len(self._records)} drops with {words}"

    def _work(self, request: Suppose, station: Station, changes: Changes) -> None:
        try:
            self._predict(request, station, changes)
        except Exception as error:
            log.exception("fault while predicting")
            self._tell(request, problem=f"not predicted: {error}")

    def _predict(self, request: Suppose, station: Station, changes: Changes) -> None:
        drops: list[Otherwise] = []
        history = History(max(1, len(self._records)))
        for one in what_if(self._recorded, station, changes, self._records, self._restarts):
            if self._request is not request:
                return
            drops.append(one)
            history.add(
                replace(
                    one.record, estimate=one.estimate, in_force=one.in_force, targets=one.targets
                )
            )
            if len(drops) % TOLD_EVERY == 0:
                self._tell(request, done=len(drops))
        if drops:
            self._tell(
                request,
                done=len(drops),
                rows=history.rows,
                spreads=tuple(spreads(drops)),
                held=held_in_words(drops),
            )
        else:
            self._tell(
                request, problem="no drop of this session has known setpoints: nothing to predict"
            )

    def _turn(self, request: Suppose, state: WhatIfState | None) -> None:
        with self._turning:
            self._request = request
            self.state = state

    def _tell(self, request: Suppose, **news: object) -> None:
        """Replace the state, unless something else was asked for since."""
        with self._turning:
            if self._request is request and self.state is not None:
                self.state = replace(self.state, **news)  # type: ignore[arg-type]


def _changes(request: Suppose) -> Changes:
    names = {**request.targets, **request.gains}
    return Changes(observables={name: _change(request, name) for name in names})


def _change(request: Suppose, name: str) -> ObservableChange:
    return ObservableChange(target=request.targets.get(name), gain=request.gains.get(name))


def _in_words(request: Suppose) -> str:
    targets = (
        f"target of {OBSERVABLES[name].label} {OBSERVABLES[name].with_unit(value)}".rstrip()
        for name, value in request.targets.items()
    )
    gains = (
        f"gain of {OBSERVABLES[name].label} {gain_in_words(gain)}"
        for name, gain in request.gains.items()
    )
    return ", ".join((*targets, *gains)).replace("-", "−")
