"""`magis-calib PROCEDURE`: one procedure of the catalogue on real or simulated hardware."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from magis_calib.cli.options import add_run_and_station
from magis_calib.cli.run import run_for
from magis_calib.host.command_line import Parser, UsageError
from magis_calib.procedures.catalogue import KNOWN
from magis_calib.procedures.protocol import Option, ProcedureSpec
from magis_calib.state.commands import StartProcedure


def specs_of(command: str) -> dict[str, ProcedureSpec]:
    """Return the procedures of a command by the word that names each, empty for the only one."""
    grouped = {
        name.removeprefix(f"{command}_"): spec
        for name, spec in KNOWN.items()
        if spec.group == command
    }
    return grouped or {"": KNOWN[command]}


def commands() -> list[str]:
    """Return the commands that procedures make, in the order of the catalogue."""
    return list(dict.fromkeys(spec.group or spec.name for spec in KNOWN.values()))


def add_options(parser: Parser) -> None:
    """Add what every run takes, and what the procedures of this command declare."""
    if parser.command not in commands():
        parser.prog = "magis-calib"
        parser.error(f"no command {parser.command!r}: `magis-calib --help` lists them")
    specs = specs_of(parser.command)
    parser.description = "\n".join(
        f"`{f'{parser.prog} {word}'.strip()}`: {spec.summary}.\n{spec.about}".rstrip()
        for word, spec in specs.items()
    )
    if "" not in specs:
        parser.add_argument(
            "name", choices=specs, metavar="NAME", help=f"one of {', '.join(specs)}"
        )
    parser.set_defaults(command=parser.command)
    add_run_and_station(parser)
    group = parser.add_argument_group(f"of {parser.command}")
    for option in dict.fromkeys(one for spec in specs.values() for one in spec.options):
        _add(group, option, [word for word, spec in specs.items() if option in spec.options])


def _add(group: argparse._ArgumentGroup, option: Option, words: Sequence[str]) -> None:
    """Add one option; where it was not said nothing is there: the procedure knows what is usual."""
    flag, _, metavar = option.flag.partition(" ")
    usual = f" (default {option.default})" if option.default else ""
    only = f"{', '.join(words)}: " if len(words) == 1 and words[0] else ""
    told = {
        "dest": f"of_{option.name}",
        "default": argparse.SUPPRESS,
        "help": f"{only}{option.meaning}{usual}",
    }
    if option.read is bool:
        group.add_argument(flag, action="store_true", **told)  # type: ignore[arg-type]
    else:
        action = "append" if option.many else "store"
        group.add_argument(flag, type=option.read, action=action, metavar=metavar, **told)  # type: ignore[arg-type]


def run(asked: argparse.Namespace) -> int:
    """Run the procedure; return 0 where it ended well, 1 where not.

    Raises `UsageError` for an option of another procedure.
    """
    specs = specs_of(asked.command)
    word = getattr(asked, "name", "")
    spec = specs[word]
    called = f"{asked.command} {word}".strip()
    every = {one.name: one for other in specs.values() for one in other.options}
    given = {name: getattr(asked, f"of_{name}") for name in every if hasattr(asked, f"of_{name}")}
    own = {one.name for one in spec.options}
    for name in given.keys() - own:
        raise UsageError(f"{every[name].flag.partition(' ')[0]}: not an option of {called}")
    return run_for(asked, lambda: StartProcedure(spec.name, given))
