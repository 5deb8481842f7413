"""What a run ends with whose station is gone: the same, at whatever moment of a drop it went."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from magis_calib.actuators.controllers import ControllerSet
from magis_calib.actuators.live import LiveActuators
from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.app.show import finish
from magis_calib.app.simulated import SimulatedProcess, on_free_ports
from magis_calib.domain.camera import Frame
from magis_calib.domain.drop_record import DropRecord
from magis_calib.estimation.pair import Fitting
from magis_calib.run.components import Components
from magis_calib.run.engine import Engine
from magis_calib.state.commands import StopRun
from simulators.options import SimulationOptions
from tests.bench import running, until

pytestmark = pytest.mark.station

FROM_DROP = 3
LATE_FRAMES = '[[fault]]\nkind = "frame_late"\nview = "y"\ndelay_s = 3.0\nfrom_drop = 3\n'


class At:
    """A part of the run, as it is but for one call: before that (or after it), a trap springs."""

    def __init__(self, part: Any, call: str, spring: Callable[[Any], None], after: bool) -> None:
        self._part, self._call, self._spring, self._after = part, call, spring, after

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._part, name)
        if name != self._call:
            return found

        def call(*words: Any, **named: Any) -> Any:
            if not self._after:
                self._spring(None)
            answer = found(*words, **named)
            if self._after:
                self._spring(answer)
            return answer

        return call


class Gone:
    """One live run on a simulated station that can be killed at a moment."""

    def __init__(self, live: LiveRun, simulated: SimulatedProcess) -> None:
        self.live, self.simulated = live, simulated
        self.drops = 0

    @property
    def parts(self) -> Components:
        return self.live.components

    def kill(self, answer: object = None) -> None:
        """Kill the station, without a word."""
        self.simulated.kill()

    def kill_in_time(self, answer: object = None) -> None:
        """The same, once some drops went well."""
        if self.drops >= FROM_DROP - 1:
            self.kill()

    def counted(self, record: DropRecord) -> None:
        self.drops += 1

    def actuators(self, call: str, after: bool = False) -> dict[str, Any]:
        """Hands whose laser controller has a trap at this call."""
        controllers: dict[str, Any] = dict(self.live.controllers)
        controllers["laser"] = At(controllers["laser"], call, self.kill_in_time, after)
        return {
            "actuators": LiveActuators(
                ControllerSet(controllers), self.parts.station, self.parts.safety
            )
        }


def at_once(gone: Gone) -> dict[str, Any]:
    gone.kill()
    return {}


def announced(gone: Gone) -> dict[str, Any]:
    def spring(drops: Any) -> None:
        if any(one.drop_id >= FROM_DROP for one in drops):
            gone.kill()

    return {"drop_system": At(gone.parts.drop_system, "announcements", spring, True)}


def half_received(gone: Gone) -> dict[str, Any]:
    def spring(event: Any) -> None:
        if isinstance(event, Frame) and event.header.drop_id >= FROM_DROP:
            gone.kill()

    return {"source": At(gone.parts.source, "receive", spring, True)}


def fitting(gone: Gone) -> dict[str, Any]:
    return {
        "estimator": At(Fitting(gone.parts.station), "estimate", gone.kill_in_time, after=False)
    }


def done(gone: Gone) -> dict[str, Any]:
    return {"drop_system": At(gone.parts.drop_system, "done", gone.kill_in_time, True)}


MOMENTS: dict[str, Callable[[Gone], dict[str, Any]]] = {
    "before the first announcement": at_once,
    "between announcement and frames": announced,
    "between the two frames": half_received,
    "during the fit": fitting,
    "during the check": lambda gone: gone.actuators("check"),
    "during the write": lambda gone: gone.actuators("write"),
    "between the two writes": lambda gone: gone.actuators("write", after=True),
    "during the read-back": lambda gone: gone.actuators("read"),
    "after the drop": done,
}


@pytest.fixture
def gone(config, station, tmp_path: Path) -> Iterator[Gone]:
    (tmp_path / "faults.toml").write_text(LATE_FRAMES)
    options = SimulationOptions(sensor="small", interval_s=0.0, faults=tmp_path / "faults.toml")
    with on_free_ports(station, own=False) as (free, _):
        links = free.links.model_copy(update={"reply_timeout_s": 0.3})
        free = free.model_copy(update={"links": links})
        keys = tmp_path / "keys"
        live = LiveRun(config, "bottom", free, RunRequest(tmp_path / "s", go_on=False, keys=keys))
        simulated = SimulatedProcess(options, free, None, "bottom", None, keys)
        live.watch(simulated.link)
        try:
            yield Gone(live, simulated)
        finally:
            simulated.stop()


def ended(gone: Gone, tmp_path: Path) -> tuple[int, dict[str, Any]]:
    code = finish(gone.live.engine, tmp_path / "r.json", gone.parts.station, None, None)
    return code, json.loads((tmp_path / "r.json").read_text())


@pytest.mark.parametrize("moment", MOMENTS)
def test_it_ends_with_1_and_the_report_names_who_is_gone(gone, moment, tmp_path, capsys) -> None:
    trapped = {"observe": gone.counted, **MOMENTS[moment](gone)}
    gone.live.engine = Engine(replace(gone.parts, **trapped))
    with running(gone.live.engine, gone.live.close) as engine:
        until(
            engine,
            lambda now: any(one.key == "link simulated station" for one in now.alarms),
            f"the station is gone: {moment}",
        )
        engine.submit(StopRun())
        assert engine.wait(30)
        code, report = ended(gone, tmp_path)
    assert (code, report["exit"]) == (1, "fault")
    standing = {one["key"]: one for one in report["alarms"] if one["over_ns"] is None}
    assert standing["link simulated station"]["severity"] == "act"
    assert "magis-sim ended with -9" in standing["link simulated station"]["text"]
    known = moment != "before the first announcement"
    assert ("fault" in standing) == known
    assert ("did not tell where the setpoints are left" in engine.fault) == known
    assert "magis-calib: " in capsys.readouterr().err.splitlines()[-1]


def test_one_that_is_there_at_the_end_ends_with_0(gone, tmp_path) -> None:
    with running(gone.live.engine, gone.live.close) as engine:
        until(engine, lambda now: now.counters.complete >= 2, "two drops")
        engine.submit(StopRun())
        assert engine.wait(30)
        code, report = ended(gone, tmp_path)
    assert (code, report["exit"]) == (0, "stopped")
    assert [one for one in report["alarms"] if one["over_ns"] is None] == []
