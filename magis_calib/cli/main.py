"""`magis-calib`: runs a station with its window, headless, or from a recording."""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from types import ModuleType

from magis_calib.domain.errors import MagisError
from magis_calib.host.child import leave_out_working_folder, stranger_among_us
from magis_calib.host.command_line import Parser, UsageError
from magis_calib.host.memory import keep_freed_memory
from magis_calib.host.stopping import interrupt_on_stops, leave_at_once_on_stops
from magis_calib.host.terminal import open_what_is_closed, remark, say_whatever_the_locale


@dataclass(frozen=True, slots=True)
class Command:
    """One command: its module has `add_options(parser)` and `run(asked)`, the exit code.

    The module's docstring is the help. `MagisError` and `OSError` end it with their words, code 2.
    """

    module: str
    words: str
    """How it is called, for the list of commands."""
    summary: str
    more: str
    """What documents it: a file of docs/ without its ending, or a heading of the README."""


COMMANDS = {
    "run": Command("run", "", "run a station, with its window or headless", "operator"),
    "replay": Command(
        "replay",
        "replay SESSION",
        "send a recording through the same pipeline, compare, estimate anew, ask what if",
        "replay",
    ),
    "fit": Command(
        "fit", "fit IMAGE…", "fit images from files with the same code, one JSON line each", "fit"
    ),
    "why": Command(
        "why", "why SESSION --drop N", "tell everything about one decision of the loop", "loop"
    ),
    "ledger": Command(
        "decisions", "ledger SESSION", "list, filter and export all decisions", "loop"
    ),
    "settings": Command(
        "settings",
        "settings SESSION",
        "list every setpoint vector with the result it gave, compare two, bring the controllers "
        "back to one",
        "loop",
    ),
    "calibrate": Command(
        "calibrate",
        "calibrate",
        "walk through a plan of procedures, to a certificate",
        "procedures",
    ),
    "products": Command(
        "products",
        "products",
        "list, show, draw, certify and compare what procedures found; promote a matrix into "
        "a configuration",
        "procedures",
    ),
    "session": Command(
        "session",
        "session",
        "list, show, check, certify, repair, export and prune what was recorded",
        "session-format",
    ),
    "config": Command(
        "config",
        "config",
        "print the commented configuration (`--default`), judge one (`--check FILE`)",
        "contracts",
    ),
    "keys": Command(
        "keys", "keys", "list whom the sockets let in, make and revoke keys", "security"
    ),
    "check": Command(
        "check",
        "check",
        "say whether this machine is ready for a run, with remedies",
        "observability",
    ),
    "check-driver": Command(
        "check_driver",
        "check-driver",
        "tell the author of a camera driver what is wrong with their frames",
        "protocol",
    ),
    "check-controller": Command(
        "check_controller",
        "check-controller NAME",
        "tell the author of a controller what it answers right and wrong",
        "protocol",
    ),
    "protocol": Command(
        "protocol",
        "protocol",
        "print the JSON Schema of the messages on the wire (`--schema`), all or one",
        "protocol",
    ),
    "benchmark": Command(
        "benchmark",
        "benchmark",
        "judge the estimator by pictures whose answer is known",
        "Benchmark",
    ),
}
SWITCH_S = 5e-4
"""A thread that wants to run waits so long for one that does: the recorder shall not hold up a
decision for 5 ms.
"""
INTERRUPTED = 130
THREAD_LIMITS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return 0 fine, 1 fault, 2 bad configuration or usage, 130 interrupted.

    `argv`: words of a command; None for those that this process was started with.
    """
    settle_in()
    if argv is None:
        interrupt_on_stops()
        leave_out_working_folder()
    words: Sequence[str] | None = list(sys.argv[1:] if argv is None else argv)
    if stranger := stranger_among_us():
        print(f"magis-calib: {stranger}", file=sys.stderr)
        return 2
    try:
        words = words or _words_of_the_window()
        code = 0 if words is None else _obey(words)
        sys.stdout.flush()
    except BrokenPipeError:  # nobody reads any more: not worth a traceback
        _say_no_more()
        return 0
    except OSError as error:  # what was to be written is not
        _say_no_more()
        remark(f"magis-calib: stdout: cannot be written: {error.strerror}")
        return 2
    except KeyboardInterrupt:
        return INTERRUPTED
    finally:
        if argv is None:
            leave_at_once_on_stops()
    return code


def _say_no_more() -> None:
    """Let what is still to be written go nowhere: Python writes it when it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _words_of_the_window() -> Sequence[str] | None:
    """Ask somebody at a screen who said nothing; None where they leave."""
    from magis_calib.cli.welcome import what_to_run  # only a run without a word needs it

    return what_to_run()


def _obey(words: Sequence[str]) -> int:
    """Run the command that the first word names; `run` where it names none."""
    name = words[0] if words and not words[0].startswith("-") else "run"
    module = importlib.import_module(f"magis_calib.cli.{_module_of(name)}")
    parser = parser_of(name, module)
    gc.freeze()  # what was imported stays: to look through it again takes 50 ms every few drops
    asked = parser.parse_args(words[words[:1] == [name] :])
    try:
        code: int = module.run(asked)
    except UsageError as error:
        parser.error(str(error))
    except BrokenPipeError:
        raise
    except (MagisError, OSError) as error:
        remark(f"{parser.prog}: {_in_words(error)}")
        return 2
    return code


def _in_words(error: MagisError | OSError) -> str:
    """Say what is wrong, without the number that the system gives it."""
    if not isinstance(error, OSError) or error.errno is None:
        return str(error)
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror}"


def _module_of(name: str) -> str:
    """Return the module of a command: what is not in the table is a procedure of the catalogue."""
    return COMMANDS[name].module if name in COMMANDS else "procedures"


def parser_of(name: str, module: ModuleType) -> Parser:
    """Return the parser of a command."""
    parser = Parser(
        prog="magis-calib" if name == "run" else f"magis-calib {name}",
        description=getattr(module, "HELP", module.__doc__),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog=_other_commands() if name == "run" else None,
    )
    parser.command = name
    module.add_options(parser)
    return parser


def _other_commands() -> str:
    from magis_calib.cli.procedures import commands  # where only they are asked for

    words = textwrap.fill(", ".join(dict.fromkeys([*COMMANDS, *commands()])).removeprefix("run, "))
    return f"Other commands:\n{words};\neach explains itself with --help."


def settle_in() -> None:
    """Give this process its habits: threads, memory, how soon one thread makes room for another."""
    open_what_is_closed()
    say_whatever_the_locale()
    for name in THREAD_LIMITS:
        os.environ.setdefault(name, "1")
    keep_freed_memory()
    sys.setswitchinterval(SWITCH_S)


if __name__ == "__main__":
    sys.exit(main())
