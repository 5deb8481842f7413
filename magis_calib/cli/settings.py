"""`magis-calib settings SESSION`: the setpoint vectors of a session, the result each gave, the way
back to one.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from magis_calib.app.restore import return_to
from magis_calib.cli.options import add_keys_option, add_session_argument
from magis_calib.cli.telling import telling
from magis_calib.config.loading import load_config, parse_json_config, select_station
from magis_calib.domain.control import Setpoints
from magis_calib.domain.errors import SessionError
from magis_calib.domain.quantities import ACTUATORS, OBSERVABLES, quantity_of
from magis_calib.domain.serial import to_json
from magis_calib.feedback.setpoint_history import Deviation, Setting, settings_of
from magis_calib.host.command_line import Parser, UsageError, whole
from magis_calib.recording.probe import opened


def run(asked: argparse.Namespace) -> int:
    """List, show, compare or return; 1 where a return did not arrive."""
    if asked.diff and len(asked.diff) > 2:
        raise UsageError(f"--diff: wanted one or two drops, got {len(asked.diff)}")
    known = SessionSettings.of(asked.session)
    if asked.back is not None:
        return _return(known, asked)
    if asked.drop is not None:
        print(_shown(known, asked.drop, asked.json))
    elif asked.diff:
        first, second = [*asked.diff, known.newest][:2]
        print(_difference(known, first, second, asked.json))
    else:
        _list(known, asked)
    return 0


def _return(known: SessionSettings, asked: argparse.Namespace) -> int:
    config = load_config(asked.config)
    name, station = select_station(config, asked.station or known.station)
    label = f"the setpoints of drop {asked.back}"
    return return_to(known.vector(asked.back), label, name, station, asked.keys)


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """What a session says of its setpoints."""

    path: Path
    station: str
    settings: list[Setting]

    @classmethod
    def of(cls, path: Path) -> SessionSettings:
        """Read a session. Raises `SessionError` or `ConfigError`."""
        with opened(path) as session, telling(path, "its setpoints"):
            config = parse_json_config(session.configuration, str(path))
            name, station = select_station(config, str(session.attribute("station")))
            observables = station.loop.observables
            targets = {one: about.target for one, about in observables.items()}
            tolerances = {one: about.tolerance for one, about in observables.items()}
            return cls(path, name, settings_of(session.records, targets, tolerances))

    @property
    def newest(self) -> int:
        """The newest drop whose setpoints are known. Raises `SessionError` where there is none."""
        if not self.settings:
            raise SessionError(f"{self.path}: no setpoints are known of any drop")
        return self.settings[-1].last_drop

    def setting(self, drop_id: int) -> Setting:
        """Return the vector in force for this drop. Raises `SessionError` where it is not known."""
        for one in self.settings:
            if one.first_drop <= drop_id <= one.last_drop:
                return one
        raise SessionError(
            f"{self.path}: no setpoints of drop {drop_id}; known are those of drops "
            f"{self.settings[0].first_drop if self.settings else '–'} to {self.newest}"
        )

    def vector(self, drop_id: int) -> Setpoints:
        """Return the setpoints in force for this drop, in the usual order.

        Raises `SessionError`.
        """
        found = self.setting(drop_id).setpoints
        known = [name for name in ACTUATORS if name in found]
        return {name: found[name] for name in [*known, *sorted(found.keys() - ACTUATORS.keys())]}


def _list(known: SessionSettings, arguments: argparse.Namespace) -> None:
    wanted = [one for one in known.settings if one.good or not arguments.good]
    wanted = wanted[-arguments.last :] if arguments.last else wanted
    if arguments.json:
        print(to_json({"schema": 1, "session": str(known.path), "settings": wanted}))
    else:
        for one in wanted:
            print(_line(one))


def _line(one: Setting) -> str:
    word = "good" if one.good else "off" if one.usable else "–"
    errors = "  ".join(_error(name, deviation) for name, deviation in one.deviations.items())
    told = errors or "nothing was measured"
    return f"{_drops(one):<16} {one.usable:4d} usable  {word:<4}  {told}"


def _error(name: str, deviation: Deviation) -> str:
    shown = OBSERVABLES[name]
    error = shown.with_error(deviation.mean, deviation.stderr).replace("-", "−")
    return f"{shown.label} {error} {shown.shown_unit}"


def _drops(one: Setting) -> str:
    if one.first_drop == one.last_drop:
        return f"drop {one.first_drop}"
    return f"drops {one.first_drop}–{one.last_drop}"


def _shown(known: SessionSettings, drop_id: int, as_json: bool) -> str:
    one, vector = known.setting(drop_id), known.vector(drop_id)
    if as_json:
        return to_json({"schema": 1, "session": str(known.path), "drop_id": drop_id, **_facts(one)})
    return "\n".join(
        [
            _line(one),
            *(_row(name, quantity_of(name).shown(value)) for name, value in vector.items()),
        ]
    )


def _facts(one: Setting) -> dict[str, Any]:
    return {name: getattr(one, name) for name in Setting.__dataclass_fields__}


def _difference(known: SessionSettings, first: int, second: int, as_json: bool) -> str:
    before, after = known.vector(first), known.vector(second)
    both = [name for name in before if name in after]
    if as_json:
        change = {name: after[name] - before[name] for name in both}
        return to_json(
            {
                "schema": 1,
                "session": str(known.path),
                "from_drop": first,
                "to_drop": second,
                "difference": change,
            }
        )
    rows = [f"drop {first} → drop {second}"]
    for name in both:
        shown = quantity_of(name)
        step = after[name] - before[name]
        if step:
            way = f"{shown.shown(before[name])} → {shown.shown(after[name])}"
            rows.append(_row(name, way, f": {'+' if step > 0 else ''}{shown.shown(step)}"))
        else:
            rows.append(_row(name, shown.shown(before[name]), ", the same"))
    return "\n".join(rows)


def _row(name: str, text: str, remark: str = "") -> str:
    shown = quantity_of(name)
    return f"  {shown.label:<18} {f'{text} {shown.shown_unit}'.rstrip()}{remark}".replace("-", "−")


def add_options(parser: Parser) -> None:
    """Add the options of this command."""
    add_session_argument(parser)
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--drop", type=int, metavar="N", help="print the vector in force for drop N")
    what.add_argument(
        "--diff",
        type=int,
        nargs="+",
        metavar="N",
        help="what changed from drop N to drop M (default: the newest)",
    )
    what.add_argument(
        "--return",
        dest="back",
        type=int,
        metavar="N",
        help="move the controllers to the setpoints of drop N, in steps and read back",
    )
    parser.add_argument(
        "--good", action="store_true", help="list only those with every observable within tolerance"
    )
    parser.add_argument("--last", type=whole(1), metavar="N", help="list the newest N only")
    parser.add_argument("--json", action="store_true", help="print JSON (SI)")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="with --return: says where the controllers are (default: the shipped one)",
    )
    add_keys_option(parser)
    parser.add_argument(
        "--station",
        metavar="NAME",
        help="with --return: a station of it (default: that of the session)",
    )
