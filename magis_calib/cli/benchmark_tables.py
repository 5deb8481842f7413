"""The benchmark's results as tables for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from magis_calib.benchmark.good import GoodResult
from magis_calib.benchmark.grid import CellResult, GridResult
from magis_calib.benchmark.hostile import HostileTrial
from magis_calib.benchmark.long_period import LongPeriodResult
from magis_calib.benchmark.packing import PackingResult
from magis_calib.benchmark.plain import PlainResult
from magis_calib.benchmark.statistic import BenchmarkVerdict
from magis_calib.benchmark.timing import TimingResult


def tables_of(name: str, result: Any) -> list[RenderableType]:
    """Return what to print for the result of a section."""
    parts = PARTS[type(result)](result)
    return (
        parts if isinstance(result, JUDGED_APART) else [*parts, *_failures(name, result.verdicts())]
    )


def _titled(*columns: str, title: str) -> Table:
    return Table(*columns, box=None, title=title, title_justify="left")


def _good(result: GoodResult) -> list[RenderableType]:
    return [
        f"good: {len(result.refusals)} of {result.pictures} good pictures refused",
        *(
            f"  --seed {result.seed} --show good --only {one.index}: {one.cell}: "
            f"{'; '.join(one.reasons)}"
            for one in result.refusals[:20]
        ),
    ]


def _packing(result: PackingResult) -> Table:
    table = _titled(
        "",
        *(one.compression for one in result.ways),
        title="recording: both views of a full-size drop, one core",
    )
    table.add_row("ratio", *(f"{one.ratio:.2f}" for one in result.ways))
    table.add_row("write, MB/s", *(f"{one.write_mb_per_s:.0f}" for one in result.ways))
    table.add_row("write and sync, MB/s", *(f"{one.synced_mb_per_s:.0f}" for one in result.ways))
    table.add_row("read, MB/s", *(f"{one.read_mb_per_s:.0f}" for one in result.ways))
    return table


def _timing(result: TimingResult) -> Table:
    table = _titled(
        "",
        *(one.name for one in result.setups),
        title="timing: from pixels to the station estimate, ms",
    )
    table.add_row("repeats", *(str(one.repeats) for one in result.setups))
    table.add_row("p50", *(f"{one.p50_s * 1e3:.0f}" for one in result.setups))
    table.add_row("p99", *(f"{one.p99_s * 1e3:.0f}" for one in result.setups))
    for stage in result.setups[0].stages_p50_s:
        table.add_row(
            f"{stage} p50", *(f"{one.stages_p50_s[stage] * 1e3:.1f}" for one in result.setups)
        )
    table.add_row("memory / images", *(f"{one.memory_over_images:.2f}" for one in result.setups))
    return table


def _plain(result: PlainResult) -> Table:
    table = _titled(
        "parameter",
        "stderr over plain",
        "pull",
        "plain pull",
        title=f"plain: one view in {result.ours_s * 1e3:.0f} ms; plain lmfit on every pixel "
        f"{result.plain_s:.1f} s, {result.plain_s / result.ours_s:.0f} times slower",
    )
    for name, plain in result.plain.items():
        pull = f"{result.ours[name].pull:+.2f}" if name in result.ours else ""
        table.add_row(name, f"{result.precision(name):.3f}", pull, f"{plain.pull:+.2f}")
    return table


def _pooled(pooled: CellResult) -> Table:
    table = _titled(
        "parameter",
        "views",
        "rmse/bound",
        "mean pull",
        "pull s.d.",
        title=f"grid: all cells, {pooled.views} views",
    )
    for one in pooled.statistics:
        table.add_row(
            one.name,
            str(one.views),
            f"{one.rmse_over_bound:.3f}",
            f"{one.mean_pull:+.3f}",
            f"{one.pull_sd:.3f}",
        )
    return table


def _cells(result: GridResult) -> Table:
    table = _titled(
        "atoms",
        "period",
        "excess",
        "refused",
        "rmse/bound",
        "mean pull",
        "pull s.d.",
        title="grid: each cell, worst parameter",
    )
    for cell in result.cells:
        known = [one for one in cell.statistics if one.views]
        if not known:
            table.add_row(*_place(cell))
            continue
        mean = max((one.mean_pull for one in known), key=abs)
        spreads = [one.pull_sd for one in known]
        table.add_row(
            *_place(cell),
            f"{max(one.rmse_over_bound for one in known):.3f}",
            f"{mean:+.3f}",
            f"{min(spreads):.3f}–{max(spreads):.3f}",
        )
    return table


def _place(result: CellResult) -> list[str]:
    cell = result.cell
    where = (
        ["all"] * 3
        if cell is None
        else [f"{cell.atoms:.0e}", f"{cell.period_m * 1e3:g} mm", f"{cell.excess:g}"]
    )
    return [*where, str(result.refused.total())]


def _coverage(result: LongPeriodResult) -> Table:
    table = _titled(
        "parameter",
        "views",
        "within ±1 (0.683)",
        "within ±2 (0.954)",
        title=f"long: {result.refused.total()} of {result.views} views refused",
    )
    for one in result.coverages:
        table.add_row(one.name, str(one.views), f"{one.within[1]:.3f}", f"{one.within[2]:.3f}")
    return table


def _hostile(trial: HostileTrial) -> list[RenderableType]:
    usable = sum(bool(one.usable) for one in trial.ordeals)
    found = ", ".join(
        f"{name} in {of[0]} of {of[1]}"
        for name in ("position", "fringe")
        for of in [trial.found(name)]
    )
    return [
        f"hostile: {len(trial.ordeals)} pictures, {usable} usable, {len(trial.offenders)} usable "
        f"and wrong; found where it is easy: {found}",
        *_refused(trial.refused),
        *(
            f"  --seed {trial.seed} --only {one.index}: "
            f"{'; '.join(offence.in_words() for offence in one.offences)}"
            for one in trial.offenders
        ),
    ]


def _refused(reasons: Counter[str]) -> list[RenderableType]:
    return [f"  refused {count}: {reason}" for reason, count in reasons.most_common(12)]


def _failures(name: str, verdicts: list[BenchmarkVerdict]) -> list[RenderableType]:
    failed = [verdict for verdict in verdicts if not verdict.passed]
    shown = [f"  failed {name}: {verdict.in_words()}" for verdict in failed[:20]]
    return [*shown, f"  … and {len(failed) - 20} more"] if len(failed) > 20 else list(shown)


PARTS: dict[type, Callable[[Any], list[RenderableType]]] = {
    TimingResult: lambda result: [_timing(result)],
    PackingResult: lambda result: [_packing(result)],
    PlainResult: lambda result: [_plain(result)],
    GridResult: lambda result: [_pooled(result.pooled), _cells(result)],
    LongPeriodResult: lambda result: [_coverage(result)],
    HostileTrial: _hostile,
    GoodResult: _good,
}
JUDGED_APART = (HostileTrial, GoodResult)
"""What these print says already what fails."""
