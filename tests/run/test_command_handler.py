"""What the operator asks while drops come: shadow, targets, the way back, alarms."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq

from magis_calib.app.headless import news
from magis_calib.app.live import LiveRun, RunRequest
from magis_calib.app.report import build_report
from magis_calib.app.show import farewell, finish
from magis_calib.config.loading import load_config, parse_json_config, select_station
from magis_calib.config.station import Config, Station, default_text
from magis_calib.domain.control import SHADOW
from magis_calib.recording.reader import Session
from magis_calib.run.engine import Engine
from magis_calib.state.commands import (
    Acknowledge,
    CancelProcedure,
    Certify,
    CloseLoop,
    HoldLoop,
    OpenLoop,
    Promote,
    ReturnTo,
    SetActuator,
    SetTarget,
    ShadowLoop,
    StopRun,
)
from magis_calib.state.snapshot import Snapshot
from tests.bench import Controllers, Driver, running, until
from tests.pictures import Scene
from tests.run.conftest import Bench

pytestmark = pytest.mark.station

AWAY = Scene(x=2e-4)


def outcome(drop_id: int, word: str) -> Callable[[Snapshot], bool]:
    return lambda s: any(
        one.drop_id == drop_id and one.decision.outcome == word for one in s.records
    )


def has_alarm(key: str) -> Callable[[Snapshot], bool]:
    return lambda s: key in {alarm.key for alarm in s.alarms}


def no_alarm(key: str) -> Callable[[Snapshot], bool]:
    return lambda s: key not in {alarm.key for alarm in s.alarms}


def answered(bench: Bench, command: Any, words: str) -> Snapshot:
    bench.engine.submit(command)
    return until(bench.engine, lambda s: words in s.note, words)


def readbacks(bench: Bench) -> dict[str, float]:
    return {
        name: value
        for bank in bench.controllers.banks.values()
        for name, value in bank.readback().items()
    }


@contextmanager
def plugged(
    config: Config, station: Station, sessions: Path, config_file: Path | None = None
) -> Iterator[Bench]:
    """The bench of `conftest.py` on a station of the test's own."""
    with zmq.Context() as context:
        drivers = {view: Driver(context, station, view) for view in ("x", "y")}
        bench = Bench(None, station, Controllers(station), drivers, sessions)
        try:
            live = LiveRun(config, "bottom", station, RunRequest(sessions, config_file=config_file))
            with running(live.engine, live.close) as engine:
                for driver in drivers.values():
                    assert driver.hello()["type"] == "welcome"
                bench.engine = engine
                until(engine, lambda snapshot: snapshot.actuators, "the controllers are known")
                yield bench
        finally:
            for driver in drivers.values():
                driver.close()
            bench.controllers.close()


def with_loop(station: Station, **changes: Any) -> Station:
    return station.model_copy(update={"loop": station.loop.model_copy(update=changes)})


def test_an_answer_tells_by_its_code_what_became_of_which_command(bench: Bench) -> None:
    done = answered(bench, OpenLoop(), "loop open").answer
    refused = answered(bench, CancelProcedure(), "no procedure runs").answer
    assert (done.to, done.refused) == ("OpenLoop", False)
    assert (refused.to, refused.refused) == ("CancelProcedure", True)
    assert refused.number > done.number


def stopped(bench: Bench) -> Engine:
    bench.engine.submit(StopRun())
    assert bench.engine.wait(30)
    return bench.engine


# ---- shadow


def test_in_shadow_everything_is_decided_and_logged_and_nothing_is_sent_until_the_loop_is_closed(
    bench,
) -> None:
    before = readbacks(bench)
    answered(bench, ShadowLoop(), "shadow: decides and logs, sends nothing")
    bench.drop(1, AWAY)
    snapshot = until(bench.engine, outcome(1, "held"), "decided")
    decision = snapshot.records[-1].decision
    assert snapshot.loop == "shadow"
    assert decision.reason == SHADOW
    assert decision.sent == {}
    assert decision.proposal.limited["trap_x_m"] < -10e-6
    assert readbacks(bench) == before
    answered(bench, CloseLoop(), "loop closed")
    bench.drop(2, AWAY)
    until(bench.engine, outcome(2, "applied"), "promoted")
    assert readbacks(bench)["trap_x_m"] < -10e-6
    stopped(bench)
    with Session(Path(snapshot.session)) as session:
        assert [one.decision.reason for one in session.records] == [SHADOW, ""]


def test_a_run_may_begin_in_shadow_and_says_so(config, quick_station, session_dir) -> None:
    with plugged(config, with_loop(quick_station, start="shadow"), session_dir) as bench:
        bench.drop(1, AWAY)
        snapshot = until(bench.engine, outcome(1, "held"), "decided")
        lines = list(news(None, snapshot))
        assert lines[0] == "loop SHADOW"
        assert any(line.startswith("drop 1 ") and SHADOW in line for line in lines)
        assert snapshot.alarms == ()


def test_closing_tells_the_loop_where_it_is_closed(bench, monkeypatch) -> None:
    approved = []
    loop = bench.engine._pipeline.loop
    resume = loop.resume
    monkeypatch.setattr(
        loop, "resume", lambda commanded: (approved.append(dict(commanded)), resume(commanded))
    )
    answered(bench, HoldLoop(), "loop held")
    answered(bench, CloseLoop(), "loop closed")
    assert approved == [readbacks(bench)]


def test_what_was_recorded_so_far_is_certified_beside_the_run(bench) -> None:
    bench.drop(1, AWAY)
    until(bench.engine, outcome(1, "applied"), "the drop")
    until(bench.engine, lambda s: s.counters.stored == 2, "stored")
    snapshot = answered(
        bench, Certify(), "1 with an outcome, 1 fitted; 2 frames stored, no frame missing"
    )
    told = json.loads((Path(snapshot.session) / "certificate.json").read_text(encoding="utf-8"))
    assert (told["stored"], told["gaps"], told["closed"]) == (2, [], False)


# ---- targets


def test_a_target_can_be_moved_and_the_loop_follows(bench) -> None:
    snapshot = answered(bench, SetTarget("x_m", 30e-6), "target of x 0.0 → 30.0 µm")
    assert snapshot.targets["x_m"] == 30e-6
    bench.drop(1)
    record = until(bench.engine, outcome(1, "applied"), "the drop").records[-1]
    assert record.decision.proposal.error["x_m"] == pytest.approx(
        record.estimate.values["x_m"] - 30e-6, abs=5e-6
    )
    assert record.targets["x_m"] == 30e-6
    assert readbacks(bench)["trap_x_m"] > 10e-6
    report = build_report(stopped(bench), bench.station, None, None)
    assert report["observables"]["x_m"]["target"] == 30e-6
    with Session(Path(report["session"])) as session:
        assert session.records[0].targets["x_m"] == 30e-6


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("x_mm", 0.0, "wanted one of x_m, y_m"),
        ("x_m", math.nan, "wanted a finite number"),
        ("x_m", -math.inf, "wanted a finite number"),
        (
            "x_m",
            600e-6,
            "x out of reach: trap x would have to go to 600.00, its range is [-500.00, 500.00] µm",
        ),
        ("fringe_z_rad_per_m", -1e4, "κz out of reach: timing asymmetry"),
    ],
)
def test_a_target_that_cannot_be_is_refused_in_words(
    bench, name: str, value: float, words: str
) -> None:
    before = bench.engine.snapshot.targets
    snapshot = answered(bench, SetTarget(name, value), words)
    assert "target not set" in snapshot.note
    assert snapshot.targets == before


# ---- the way back


def test_setpoints_of_an_earlier_drop_are_returned_to_in_steps_and_read_back(bench) -> None:
    answered(bench, OpenLoop(), "loop open")
    bench.drop(1)
    start = until(bench.engine, outcome(1, "held"), "the first drop").records[-1].in_force
    for number in range(1, 4):
        words = f"reads {number * 45:.2f} µm"
        answered(bench, SetActuator("trap_x_m", number * 45e-6), words)
    answered(
        bench,
        SetActuator("launch_tilt_x_rad", start["launch_tilt_x_rad"] + 1e-6),
        "launch tilt x set by hand",
    )
    assert readbacks(bench)["trap_x_m"] == pytest.approx(135e-6)
    snapshot = answered(
        bench,
        ReturnTo(start, "the setpoints of drop 1"),
        "went to the setpoints of drop 1 in 3 steps",
    )
    assert readbacks(bench) == pytest.approx(start, abs=1e-12)
    assert {one.name: one.readback for one in snapshot.actuators} == readbacks(bench)
    assert all(bank.limit_violations == 0 for bank in bench.controllers.banks.values())
    bench.drop(2)
    record = until(bench.engine, outcome(2, "held"), "the second drop").records[-1]
    assert record.in_force == pytest.approx(start, abs=1e-12)


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        ({"trap_x_m": 1.0}, "trap_x_m = 1: outside its range"),
        ({"trap_x_m": math.nan}, "trap_x_m = nan: not a finite number"),
        ({"trap_q_m": 0.0}, "trap_q_m = 0: no parameter of this name"),
        ({}, "they are not known"),
    ],
)
def test_a_goal_that_cannot_be_reached_moves_nothing_at_all(bench, goal, words) -> None:
    before = readbacks(bench)
    answered(bench, HoldLoop(), "loop held")
    answered(bench, ReturnTo({**goal, **({"trap_y_m": 1e-4} if goal else {})}, "there"), words)
    assert readbacks(bench) == before


def test_a_return_is_refused_while_the_loop_is_closed(bench) -> None:
    before = readbacks(bench)
    answered(
        bench,
        ReturnTo({"trap_x_m": 1e-4}, "there"),
        "not moved: open, hold or shadow the loop first",
    )
    assert readbacks(bench) == before


def test_a_return_that_a_controller_stops_says_at_which_step(bench) -> None:
    answered(bench, HoldLoop(), "loop held")
    bank, asked = bench.controllers.banks["drop_system"], []
    judge = bank.refusal

    def refuse_the_second(setpoints):
        asked.append(setpoints)
        return judge(setpoints if len(asked) <= 2 else {"trap_x_m": 1e9})

    bank.refusal = refuse_the_second
    snapshot = answered(bench, ReturnTo({"trap_x_m": 2e-4}, "there"), "did not go to there")
    assert "(at step 2)" in snapshot.note
    assert 0 < readbacks(bench)["trap_x_m"] < 60e-6


# ---- at the stop


def test_at_the_stop_the_last_good_setpoints_can_be_returned_to(
    config, quick_station, session_dir
) -> None:
    with plugged(
        config, with_loop(quick_station, start="open", on_stop="last_good"), session_dir
    ) as bench:
        bench.drop(1)
        until(bench.engine, outcome(1, "held"), "a good drop")
        answered(bench, SetActuator("trap_x_m", 45e-6), "reads 45.00 µm")
        bench.drop(2, AWAY)
        until(bench.engine, outcome(2, "held"), "a drop out of tolerance")
        engine = stopped(bench)
        assert (
            "went to the setpoints of drop 1, the last good one in 1 step, read back"
            in farewell(engine)
        )
        assert readbacks(bench)["trap_x_m"] == 0.0
        final = json.loads((Path(engine.snapshot.session) / "final.json").read_text())
        assert final["readback"]["trap_x_m"] == 0.0
        assert "went to the setpoints of drop 1" in final["on_stop"]


def test_without_a_good_drop_the_setpoints_are_kept_and_it_is_said(
    config, quick_station, session_dir
) -> None:
    with plugged(
        config, with_loop(quick_station, start="open", on_stop="last_good"), session_dir
    ) as bench:
        answered(bench, SetActuator("trap_x_m", 45e-6), "reads 45.00 µm")
        bench.drop(1, AWAY)
        until(bench.engine, outcome(1, "held"), "a drop out of tolerance")
        engine = stopped(bench)
        assert "none of the last 1 drops was within tolerance: the setpoints are kept" in farewell(
            engine
        )
        assert finish(engine, None, bench.station, None, None) == 0
        assert readbacks(bench)["trap_x_m"] == pytest.approx(45e-6)


def test_at_the_stop_the_setpoints_of_the_start_can_be_returned_to(
    config, quick_station, session_dir
) -> None:
    with plugged(
        config, with_loop(quick_station, start="open", on_stop="start"), session_dir
    ) as bench:
        answered(bench, SetActuator("trap_x_m", 45e-6), "reads 45.00 µm")
        engine = stopped(bench)
        assert "went to the setpoints of the start in 1 step, read back" in farewell(engine)
        assert finish(engine, None, bench.station, None, None) == 0
        assert readbacks(bench)["trap_x_m"] == 0.0


def test_a_start_that_was_never_read_is_not_gone_back_to(
    config, quick_station, session_dir
) -> None:
    live = LiveRun(
        config, "bottom", with_loop(quick_station, on_stop="start"), RunRequest(session_dir)
    )
    with running(live.engine, live.close) as engine:
        engine.submit(StopRun())
        assert engine.wait(30)
        assert "never read: nothing was moved" in farewell(engine)
        assert engine.fault == ""


def test_a_start_that_cannot_be_returned_to_is_a_fault(
    config, quick_station, session_dir, capsys
) -> None:
    with plugged(
        config, with_loop(quick_station, start="open", on_stop="start"), session_dir
    ) as bench:
        answered(bench, SetActuator("trap_x_m", 45e-6), "reads 45.00 µm")
        bench.controllers.mute.update(("laser", "drop_system"))
        engine = stopped(bench)
        assert finish(engine, None, bench.station, None, None) == 1
        assert "did not go to the setpoints of the start" in capsys.readouterr().err


def test_a_configuration_of_before_on_stop_is_still_read(config: Config) -> None:
    table = json.loads(config.model_dump_json(by_alias=True))
    loop = table["stations"]["bottom"]["loop"]
    del loop["on_stop"]
    for old, new in ((True, "start"), (False, "keep")):
        loop["restore_on_stop"] = old
        station = select_station(parse_json_config(json.dumps(table), "a session"), None)[1]
        assert station.loop.on_stop == new
    assert select_station(load_config(None), None)[1].loop.on_stop == "keep"


# ---- alarms


def test_an_alarm_is_acknowledged_by_somebody_until_its_trouble_ends(bench, caplog) -> None:
    caplog.set_level(logging.INFO, "magis_calib.run.alarms")
    bench.controllers.mute.add("laser")
    before = until(bench.engine, has_alarm("link laser"), "the alarm")
    (alarm,) = [one for one in before.alarms if one.key == "link laser"]
    assert any(
        line.startswith("ALARM act: laser") and alarm.remedy in line for line in news(None, before)
    )
    after = answered(bench, Acknowledge("link laser", "ada"), "acknowledged by ada: link laser")
    (known,) = [one for one in after.alarms if one.key == "link laser"]
    assert (known.acknowledged_by, known.since_ns) == ("ada", alarm.since_ns)
    assert known.acknowledged_ns >= alarm.since_ns
    assert any(line.startswith("acknowledged by ada: laser") for line in news(before, after))
    answered(bench, Acknowledge("link laser", ""), "wanted the name of who knows of it")
    answered(
        bench, Acknowledge("link laser", "bob"), "no alarm 'link laser' waits to be acknowledged"
    )
    with zmq.Context() as context, context.socket(zmq.SUB) as socket:
        socket.connect(bench.station.links.telemetry)
        socket.subscribe(b"snapshot")
        assert socket.poll(10_000)
        told = json.loads(socket.recv_multipart()[1])
    (published,) = [one for one in told["alarms"] if one["key"] == "link laser"]
    assert published["acknowledged_by"] == "ada"
    assert published["acknowledged_ns"] == known.acknowledged_ns
    assert {"severity", "text", "remedy", "since_ns"} <= set(published)
    bench.controllers.mute.clear()
    over = until(bench.engine, no_alarm("link laser"), "it is over")
    assert any(line.startswith("over: laser") for line in news(after, over))
    (past,) = [one for one in over.past_alarms if one.key == "link laser"]
    assert past.since_ns == alarm.since_ns <= past.until_ns
    bench.controllers.mute.add("laser")
    (anew,) = [
        one
        for one in until(bench.engine, has_alarm("link laser"), "again").alarms
        if one.key == "link laser"
    ]
    assert anew.acknowledged_by == ""
    assert anew.since_ns > past.until_ns
    for words in ("acknowledged by ada: laser", "over: laser"):
        assert any(record.message.startswith(words) for record in caplog.records)
    report = build_report(stopped(bench), bench.station, None, None)
    standing = {one["key"]: one for one in report["alarms"] if one["over_ns"] is None}
    assert set(standing["link laser"]) == {
        "key",
        "severity",
        "text",
        "remedy",
        "since_ns",
        "over_ns",
        "acknowledged_by",
    }
    assert standing["link laser"]["over_ns"] is None
    over = [one for one in report["alarms"] if one["key"] == "link laser" and one["over_ns"]]
    assert [one["over_ns"] for one in over] == [past.until_ns]
    assert over[0]["remedy"] == alarm.remedy
    history = [one for one in report["alarm_history"] if one["key"] == "link laser"]
    assert [one["until_ns"] for one in history] == [past.until_ns, None]


def test_all_alarms_are_acknowledged_at_once(bench) -> None:
    bench.controllers.mute.update(("laser", "drop_system"))
    until(
        bench.engine,
        lambda s: {"link laser", "link drop_system"} <= {one.key for one in s.alarms},
        "two alarms",
    )
    snapshot = answered(bench, Acknowledge("", "ada"), "acknowledged by ada")
    known = {one.key: one.acknowledged_by for one in snapshot.alarms}
    assert known["link laser"] == known["link drop_system"] == "ada"


def dark(bench: Bench, first: int, last: int) -> None:
    """Send drops without atoms: each is measured, none can be used."""
    for drop_id in range(first, last + 1):
        bench.drop(drop_id, Scene(atoms=0.0))
        until(bench.engine, outcome(drop_id, "held"), f"drop {drop_id}")


def test_a_loop_that_holds_by_itself_is_an_alarm_and_ends_the_run_with_1(bench, capsys) -> None:
    dark(bench, 1, 2)
    assert "loop" not in {alarm.key for alarm in bench.engine.snapshot.alarms}
    dark(bench, 3, 3)
    (alarm,) = [
        one
        for one in until(bench.engine, has_alarm("loop"), "the alarm").alarms
        if one.key == "loop"
    ]
    assert alarm.severity == "act"
    assert bench.engine.snapshot.records[-1].decision.reason in alarm.text
    assert "magis-calib why" in alarm.remedy
    bench.drop(4)
    until(bench.engine, no_alarm("loop"), "a good drop ends it")
    dark(bench, 5, 7)
    until(bench.engine, has_alarm("loop"), "it comes again")
    answered(bench, CloseLoop(), "loop closed")
    until(bench.engine, no_alarm("loop"), "to close the loop again ends it, too")
    dark(bench, 8, 10)
    engine = stopped(bench)
    assert engine.fault == ""
    assert finish(engine, None, bench.station, None, None) == 1
    assert "the loop does not correct" in capsys.readouterr().err
    assert build_report(engine, bench.station, None, None)["exit"] == "fault"


@pytest.mark.parametrize("wish", [HoldLoop(), OpenLoop(), ShadowLoop()])
def test_what_the_operator_holds_is_no_alarm_and_no_fault(bench, wish) -> None:
    bench.engine.submit(wish)
    dark(bench, 1, 3)
    for drop_id in range(4, 7):
        bench.drop(drop_id, AWAY)
        until(bench.engine, outcome(drop_id, "held"), f"drop {drop_id}")
    dark(bench, 7, 9)
    answered(bench, CloseLoop(), "loop closed")
    engine = stopped(bench)
    assert "loop" not in {alarm.key for alarm in engine.snapshot.alarms}
    assert finish(engine, None, bench.station, None, None) == 0


def test_a_refused_correction_that_still_stands_at_the_end_is_a_fault(bench) -> None:
    bank = bench.controllers.banks["laser"]
    judge = bank.refusal
    bank.refusal = lambda setpoints: judge({**setpoints, "mirror_tilt_x_rad": 1.0})
    bench.drop(1)
    until(bench.engine, outcome(1, "refused"), "the drop")
    assert finish(stopped(bench), None, bench.station, None, None) == 1


# ---- promotion


def test_without_a_configuration_file_nothing_is_promoted_and_the_answer_says_what_to_do(
    bench,
) -> None:
    snapshot = answered(
        bench,
        Promote("response.json", "somebody"),
        "not promoted: this run has no configuration file",
    )
    assert "`magis-calib config --default > station.toml`" in snapshot.note
    assert "`--config station.toml`" in snapshot.note


def test_what_cannot_be_promoted_leaves_the_configuration_alone(
    config, quick_station, tmp_path
) -> None:
    own = tmp_path / "own.toml"
    own.write_text(default_text(), encoding="utf-8")
    with plugged(config, quick_station, tmp_path / "sessions", config_file=own) as bench:
        answered(
            bench, Promote(str(tmp_path / "gone.json"), "somebody"), "gone.json: not a product"
        )
    assert own.read_text(encoding="utf-8") == default_text()
