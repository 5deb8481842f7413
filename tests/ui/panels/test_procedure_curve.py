"""The live curve of a procedure: what it measures is drawn while it runs, and is what it leaves in
the end.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication
from window_bench import StationBench, kept_in, said, wait_until

from magis_calib.domain.quantities import ACTUATORS
from magis_calib.products.store import read_product
from magis_calib.state.commands import CancelProcedure, StartProcedure
from ui.models.plot import Plot
from ui.panels.procedures.live_curve import ProcedureCurve
from ui.panels.procedures.panel import ProceduresPanel

pytestmark = pytest.mark.station


@pytest.fixture(scope="module")
def bench(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StationBench]:
    folder: Path = tmp_path_factory.mktemp("curves")
    with StationBench(folder, kept_in(folder)) as bench:
        wait_until(lambda: len(bench.snapshot.records) >= 12, "twelve drops")
        bench.window.menu_actions.show_procedures()
        bench.drawn()
        yield bench


def run(bench: StationBench, name: str, drops: int) -> None:
    """Begin it and let it take so many drops."""
    bench.engine.submit(StartProcedure(name))
    wait_until(
        lambda: (
            bench.snapshot.procedure
            and bench.snapshot.procedure.name == name
            and bench.snapshot.procedure.done >= drops
        ),
        f"{drops} drops of {name}",
    )
    bench.drawn()


def end(bench: StationBench) -> None:
    wait_until(lambda: not bench.snapshot.procedure.running, "its end")
    bench.drawn()


def shown(bench: StationBench) -> tuple[ProcedureCurve, Plot]:
    """Return what is drawn of the procedure, as an export finds it."""
    curve = bench.window.panels.of(ProceduresPanel).curve
    (plot,) = [one for one in bench.window.panels.plots() if one.view is curve.plot]
    return curve, plot


def test_a_scan_is_drawn_drop_by_drop_and_in_the_end_is_what_it_leaves(bench: StationBench) -> None:
    run(bench, "scan_pulse_area", 4)
    curve, plot = shown(bench)
    drawn = len(plot.table().columns["drop_id"])
    assert bench.snapshot.procedure.running
    assert 4 <= drawn < 26
    assert f"contrast against pulse area: {drawn} drops" in said(curve)
    end(bench)
    _, plot = shown(bench)
    columns = plot.table().columns
    left = read_product(Path(bench.snapshot.procedure.product)).numbers["points"]
    np.testing.assert_array_equal(columns["pulse_area"], [one["at"] for one in left])
    np.testing.assert_array_equal(columns["contrast"], [one["seen"] for one in left])
    np.testing.assert_array_equal(columns["contrast_stderr"], [one["stderr"] for one in left])
    assert plot.drops == (columns["drop_id"][0], columns["drop_id"][-1])
    assert "part" not in columns
    x, y = curve.plot._marks.getData()
    np.testing.assert_allclose((x, y), (columns["pulse_area"], columns["contrast"]))
    (low, high), (bottom, top) = curve.plot.getViewBox().viewRange()
    assert low < x.min() < x.max() < high
    assert bottom < y.min() < y.max() < top


def test_each_observable_of_a_poke_can_be_looked_at_against_its_actuator(
    bench: StationBench,
) -> None:
    run(bench, "poke", 8)
    curve, plot = shown(bench)
    assert {"pulse_area", "contrast"}.isdisjoint(plot.table().columns)
    entries = {action.text(): action for action in curve.button.menu().actions()}
    assert len(entries) == 6
    entries["z against launch frequency"].trigger()
    bench.engine.submit(CancelProcedure())
    end(bench)
    _, plot = shown(bench)
    assert curve.button.text() == "z against launch frequency ▾"
    columns, records = plot.table().columns, {one.drop_id: one for one in bench.snapshot.records}
    assert len(columns["drop_id"]) >= 8
    for drop, at, seen in zip(
        columns["drop_id"], columns["launch_frequency_hz"], columns["z_m"], strict=True
    ):
        assert (at, seen) == (
            records[drop].in_force["launch_frequency_hz"],
            records[drop].estimate.values["z_m"],
        )
    x, y = curve.plot._guide.getData()
    slope = (y[1] - y[0]) / (x[1] - x[0]) * ACTUATORS["launch_frequency_hz"].shown_scale / 1e6
    assert slope == pytest.approx(bench.snapshot.matrix.values["z_m"]["launch_frequency_hz"])


def test_two_interrogation_times_are_two_curves_in_one_plot(bench: StationBench) -> None:
    run(bench, "scan_coriolis", 14)
    end(bench)
    curve, plot = shown(bench)
    table = plot.table()
    assert set(table.columns["part"]) == {1, 2}
    assert table.notes == ("part 1: T 50 ms", "part 2: T 35 ms")
    assert "● T 50 ms   ○ T 35 ms" in said(curve)
    filled = [brush.style().value != 0 for brush in curve.plot._marks.data["brush"]]
    assert filled == [part == 1 for part in table.columns["part"]]


def test_the_steps_of_a_plan_follow_each_other_and_targets_are_drawn(bench: StationBench) -> None:
    run(bench, "calibrate", 2)
    first = {curve.axes.up for curve in bench.snapshot.procedure.curves}
    wait_until(
        lambda: (
            [
                len(curve.points) >= 2
                for curve in bench.snapshot.procedure.curves
                if curve.axes.up == "z_m"
            ]
            == [True]
        ),
        "two drops of the step that brings the position",
    )
    bench.drawn()
    curve, plot = shown(bench)
    low, high = curve.plot._band.getRegion()
    target, tolerance = bench.snapshot.targets["z_m"], bench.snapshot.tolerances["z_m"]
    assert (low, high) == pytest.approx((1e6 * (target - tolerance), 1e6 * (target + tolerance)))
    assert first == {"atoms"}
    assert min(plot.table().columns["drop_id"]) > 12
    bench.engine.submit(CancelProcedure())
    end(bench)
    assert curve.isVisible(), "what was measured stays when it ends"
