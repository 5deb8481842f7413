"""What `replay --config` prints and writes: how far the estimates moved under another configuration."""

from __future__ import annotations

from pathlib import Path

from magis_calib.domain.errors import ConfigError
from magis_calib.domain.quantities import OBSERVABLES
from magis_calib.recording.serial import to_json
from magis_calib.replay.moved import Move, Moves


def moves_in_words(moves: Moves) -> str:
    """Return the report for people."""
    lines = [f"{'':4}{'compared':>9}{f'moved > {moves.limit:g} σ':>16}{'became usable':>15}{'became unusable':>17}"]
    lines += [
        f"{OBSERVABLES[one.observable].label:4}{one.compared:>9}{one.moved:>16}{len(one.became_usable):>15}"
        f"{len(one.became_unusable):>17}"
        for one in moves.changes()
    ]
    worst = moves.worst()
    lines += ["moved furthest:"] if worst else ["nothing moved"]
    return "\n".join([*lines, *(f"  {_move_in_words(one)}" for one in worst)])


def write_moves(path: Path, moves: Moves) -> None:
    """Write the report as JSON. Raises `ConfigError` where it cannot be written."""
    numbers = {"schema": 1, "limit": moves.limit, "observables": moves.changes(), "worst": moves.worst()}
    try:
        path.write_text(to_json(numbers) + "\n", encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be written: {error}") from error


def _move_in_words(one: Move) -> str:
    shown = OBSERVABLES[one.observable]
    before = f"{shown.shown(one.recorded)} ± {shown.shown(one.recorded_stderr)}"
    now = f"{shown.shown(one.now)} ± {shown.shown(one.now_stderr)}"
    return (
        f"drop {one.drop_id}, {shown.label}: recorded {before}, now {now} {shown.shown_unit}, by {one.moved_by:.1f} σ"
    )
