"""Gains and limits that the operator changes in a run: what is accepted, and what the loop then
does.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from magis_calib.actuators.timeline import Timeline
from magis_calib.config.station import Station
from magis_calib.domain.control import Decision, Limits, Setpoints
from magis_calib.domain.drop_record import DropRecord
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.domain.serial import record_from_json, to_json
from magis_calib.feedback.evaluation import DropContext
from magis_calib.feedback.explanation import explained
from magis_calib.feedback.live_settings import station_in_force, tuned
from magis_calib.feedback.loop import Loop
from magis_calib.feedback.target_range import out_of_reach, reach
from magis_calib.state.commands import SetGain, SetLimits, SetTarget
from tests.feedback.station import allowed, estimated

X = list(OBSERVABLES).index("x_m")


def nominal(station: Station) -> dict[str, float]:
    return {name: one.nominal for name, one in station.loop.actuators.items()}


def limits(station: Station, **changes: float | str) -> Limits:
    return replace(Limits.of(station.loop.actuators["trap_x_m"]), **changes)


def record_of(drop: int) -> DropRecord:
    estimate = estimated(drop, dict.fromkeys(OBSERVABLES, 0.0))
    return DropRecord(
        drop, 0, "interferometer", True, estimate, Decision(drop, 0, "held", ""), {}, {}
    )


class Drops:
    """A loop on a plant that does what the matrix says, about a disturbance in x."""

    def __init__(self, station: Station, seed: int = 3) -> None:
        self.station, self.loop, self.facts = station, Loop(station), allowed(station)
        self.timeline, self.drop, self._rng = (
            Timeline(nominal(station)),
            0,
            np.random.default_rng(seed),
        )

    def take(self, count: int, x_m: float = 0.0) -> list[Setpoints]:
        """Take drops; return the setpoints that each one saw."""
        seen = []
        for _ in range(count):
            self.drop += 1
            in_force = self.timeline.in_force(self.drop)
            noise = 15e-6 * self._rng.standard_normal()
            values = dict(
                zip(OBSERVABLES, self.loop.response.predict(in_force).tolist(), strict=True)
            )
            values["x_m"] += x_m + noise
            at = DropContext(in_force, self.timeline.newest(), self.facts)
            judged = self.loop.judge(estimated(self.drop, values), "interferometer", at)
            if judged.proposal is not None and not judged.hold:
                self.timeline.change(self.drop + 1, judged.proposal.limited)
            seen.append(in_force)
        return seen

    def ask(self, command: SetGain | SetLimits | SetTarget) -> str:
        return tuned(command, self.loop, self.timeline.newest(), self.facts)


# ---- gains


def test_a_gain_becomes_fixed_where_the_bank_stands_and_nothing_jumps(station: Station) -> None:
    drops = Drops(station)
    drops.take(60, x_m=100e-6)
    before = drops.loop._filters.predicted()[0].copy()
    assert drops.ask(SetGain("x_m", 0.3)) == "gain of x auto → 0.3"
    assert drops.loop._filters.predicted()[0] == pytest.approx(before, abs=1e-15)
    measured = before.copy()
    measured[X] += 50e-6
    drops.loop._filters.update(measured, np.zeros(6), np.zeros(6))
    assert drops.loop._filters.predicted()[0][X] - before[X] == pytest.approx(0.3 * 50e-6)


def test_back_to_auto_the_bank_knows_all_that_came_meanwhile(station: Station) -> None:
    """As if the gain had never been fixed: the same measurements give the same expectation."""
    seen = 15e-6 * np.random.default_rng(5).standard_normal((40, 6))
    fixed, learning = Loop(station), Loop(station)
    for number, measured in enumerate(seen):
        if number == 10:
            fixed.adjust({"x_m": 0.05}, {})
        for loop in (fixed, learning):
            loop._filters.update(measured.copy(), np.full(6, 1e-14), np.zeros(6))
    assert fixed._filters.predicted()[0][X] != learning._filters.predicted()[0][X]
    fixed.adjust({}, {})
    assert fixed._filters.predicted()[0].tolist() == learning._filters.predicted()[0].tolist()


@pytest.mark.parametrize("gain", [0.0, 2.0, -0.1, math.nan, math.inf, "automatic"])
def test_a_gain_that_cannot_be_is_refused(station: Station, gain: float | str) -> None:
    drops = Drops(station)
    said = drops.ask(SetGain("x_m", gain))  # type: ignore[arg-type]
    assert (
        said
        == f'gain not set: gain: wanted "auto" or a number greater than 0 and less than 2, got '
        f"{gain!r}"
    )
    assert drops.loop.gains == {}


def test_an_unknown_name_is_refused(station: Station) -> None:
    drops = Drops(station)
    assert "gain not set: wanted one of x_m, y_m" in drops.ask(SetGain("q_m", 0.5))
    assert "limits not set: wanted one of trap_x_m" in drops.ask(SetLimits("q_m", limits(station)))


# ---- limits


def test_the_loop_stays_within_new_limits_and_step_cap(station: Station) -> None:
    drops = Drops(station)
    said = drops.ask(SetLimits("trap_x_m", limits(station, minimum=-40e-6, step_cap=7e-6)))
    assert said == "limits of trap x: minimum -500.00 → -40.00 µm, step cap 50.00 → 7.00 µm"
    way = [one["trap_x_m"] for one in drops.take(60, x_m=300e-6)]
    assert min(way) == pytest.approx(-40e-6)
    assert np.abs(np.diff(way)).max() == pytest.approx(7e-6)


def test_an_excursion_ends_the_way_from_the_approved_point(station: Station) -> None:
    drops = Drops(station)
    assert "excursion 450.00 → 20.00 µm" in drops.ask(
        SetLimits("trap_x_m", limits(station, excursion=20e-6))
    )
    assert min(one["trap_x_m"] for one in drops.take(40, x_m=300e-6)) == pytest.approx(-20e-6)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"minimum": 1e-4, "maximum": 1e-4}, "must lie in [minimum, maximum]"),
        ({"minimum": 1e-4}, "nominal 0 must lie in [minimum, maximum] = [0.0001, 0.0005]"),
        ({"minimum": 0.0, "maximum": 0.0}, "trap x: wanted minimum < maximum, got [0.00, 0.00] µm"),
        (
            {"maximum": 501e-6},
            "wanted within the controller's [-500.00, 500.00], got [-500.00, 501.00] µm",
        ),
        ({"step_cap": 0.0}, "step_cap: Input should be greater than 0, got 0.0"),
        ({"step_cap": 51e-6}, "wanted a step cap of at most the controller's 50.00, got 51.00 µm"),
        ({"excursion": -1e-6}, "excursion"),
        ({"minimum": math.nan}, "minimum: Input should be a finite number, got nan"),
        (
            {"maximum": 20e-6},
            "trap x stands at 30.00: wanted limits that hold it, got [-500.00, 20.00] µm",
        ),
    ],
)
def test_limits_that_cannot_be_are_refused(
    station: Station, changes: dict[str, float], words: str
) -> None:
    drops = Drops(station)
    drops.timeline.change(1, {"trap_x_m": 30e-6})
    said = drops.ask(SetLimits("trap_x_m", limits(station, **changes)))
    assert said.startswith("limits not set: ")
    assert words in said
    assert drops.loop.limits == {}


def test_limits_wait_until_the_controller_has_described_the_actuator(station: Station) -> None:
    said = tuned(SetLimits("trap_x_m", limits(station, step_cap=1e-6)), Loop(station), {}, {})
    assert said == "limits not set: trap x: its controller has not described it yet"


def test_a_target_is_judged_by_the_limits_in_force(station: Station) -> None:
    drops = Drops(station)
    assert drops.ask(SetTarget("x_m", 200e-6)).startswith("target of x")
    drops.ask(SetLimits("trap_x_m", limits(station, maximum=100e-6)))
    assert "its range is [-500.00, 100.00] µm" in drops.ask(SetTarget("x_m", 300e-6))
    in_force = station_in_force(station, drops.loop).loop
    assert (in_force.observables["x_m"].target, in_force.actuators["trap_x_m"].maximum) == (
        200e-6,
        100e-6,
    )
    assert station.loop.actuators["trap_x_m"].maximum == 500e-6, (
        "the configuration itself is never changed"
    )


# ---- reach


@pytest.mark.parametrize("name", list(OBSERVABLES))
def test_targets_are_accepted_up_to_the_ends_of_the_reach_and_refused_beyond(
    station: Station, name: str
) -> None:
    loop, at, facts = (
        Loop(station),
        nominal(station) | {"trap_x_m": 100e-6, "timing_asymmetry_s": 1e-6},
        {},
    )
    low, high = reach(loop, at, facts)[name]
    assert low < loop.targets[name] < high
    width = high - low
    for end, out in ((low, -1.0), (high, 1.0)):
        assert out_of_reach(name, end - out * 1e-4 * width, loop, at, facts) == ""
        if name != "phase_rad":
            assert "out of reach" in out_of_reach(name, end + out * 1e-4 * width, loop, at, facts)


# ---- what a record tells


def test_a_record_carries_only_what_is_not_as_configured_and_is_read_back(station: Station) -> None:
    drops = Drops(station)
    plain = drops.loop.stamped(record_of(1))
    assert (plain.gains, plain.limits) == ({}, {})
    changed = limits(station, step_cap=7e-6)
    drops.ask(SetGain("y_m", 0.25))
    drops.ask(SetLimits("trap_x_m", changed))
    record = record_from_json(to_json(drops.loop.stamped(plain)))
    assert (record.gains, record.limits) == ({"y_m": 0.25}, {"trap_x_m": changed})
    assert "gain of y in force: 0.25, not as configured" in explained(record)
    assert (
        "limits of trap x in force: [−500.00, 500.00], step cap 7.00, excursion 450.00 µm"
        in explained(record)
    )
    other = Loop(station)
    other.follow(record)
    assert (other.gains, other.limits, other.config) == (
        record.gains,
        record.limits,
        drops.loop.config,
    )
    other.follow(plain)
    assert other.config == station.loop
    assert "not as configured" not in explained(plain)


def test_a_record_of_before_gains_were_recorded_is_read(station: Station) -> None:
    text = to_json(Loop(station).stamped(record_of(1))).replace(',"gains":{},"limits":{}', "")
    assert '"gains"' not in text
    assert record_from_json(text).gains == {}
