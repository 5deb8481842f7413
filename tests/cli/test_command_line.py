"""The command line of every program: what is not said whole is refused, what is said is used."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator
from pathlib import Path

import pytest
import zmq

from magis_calib.cli.main import COMMANDS, Command, main, parser_of
from magis_calib.cli.procedures import commands
from magis_calib.host.command_line import A_VALUE, Parser
from magis_calib.procedures.catalogue import KNOWN
from simulators import main as simulator


def parsers() -> Iterator[tuple[str, Parser]]:
    """Every parser that a user meets, also of commands within commands."""
    yield "magis-sim", simulator._parser()
    for name in [*COMMANDS, *commands()]:
        module = COMMANDS[name].module if name in COMMANDS else "procedures"
        yield name, parser_of(name, importlib.import_module(f"magis_calib.cli.{module}"))


def with_commands_within() -> Iterator[tuple[str, Parser]]:
    for name, parser in parsers():
        yield name, parser
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                yield from ((f"{name} {word}", one) for word, one in action.choices.items())


PARSERS = dict(with_commands_within())


@pytest.mark.parametrize("name", PARSERS)
def test_no_option_is_understood_by_its_beginning(name: str, capsys) -> None:
    parser = PARSERS[name]
    flags = [flag for flag in parser._option_string_actions if flag.startswith("--")]
    for flag in flags:
        for short in {flag[:-1], flag[:5]} - set(flags) - {"--"}:
            for words in ([short], [f"{short}=1"], [short, "1"]):
                with pytest.raises(SystemExit, match="2"):
                    parser.parse_args(words)


@pytest.mark.parametrize(
    "key", ["-hHeA5]zKW!hw+:yu5C%gzVYM*Xq?4&Ek8.Pq3jz", "--" + "a" * 38, "-" * 40]
)
def test_a_key_that_begins_with_a_minus_sign_is_a_key(key: str, tmp_path: Path, capsys) -> None:
    folder = f"--keys={tmp_path / 'keys'}"
    assert main(["keys", folder, "allow", "somebody", "--role", "camera", key]) == 0
    assert main(["keys", folder, "list"]) == 0
    assert f"somebody                 camera       {key}" in capsys.readouterr().out


def test_every_key_that_libzmq_makes_is_a_value_on_the_command_line() -> None:
    keys = [zmq.curve_keypair()[0].decode() for _ in range(2000)]
    begins = [one for one in keys if one.startswith("-")]
    assert begins
    assert all(A_VALUE.fullmatch(one) for one in begins)


def test_an_option_of_forty_characters_stays_an_option() -> None:
    folder = Path("/tmp/01234567890123456789x")
    word = f"--session-dir={folder}"
    assert A_VALUE.fullmatch(word), "as long as a key, and of its letters"
    assert PARSERS["run"].parse_args([word]).session_dir == folder


@pytest.mark.parametrize("value", ["-1", "-1e-3", "-.5", "-2.5E+3", "-inf"])
def test_negative_values_are_values_with_and_without_equals(value: str) -> None:
    parser = Parser(prog="any")
    parser.add_argument("--offset", type=float)
    parser.add_argument("place", type=float, nargs="?")
    assert parser.parse_args(["--offset", value]).offset == float(value)
    assert parser.parse_args([f"--offset={value}"]).offset == float(value)
    assert parser.parse_args([value]).place == float(value)


@pytest.mark.parametrize("flag", ["--from=1e-6", "--to=2e-6", "--points=5"])
def test_what_a_procedure_does_not_know_is_refused(flag: str, capsys) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["scan", "coriolis", flag, "--simulate"])
    assert f"{flag.partition('=')[0]}: not an option of scan coriolis" in capsys.readouterr().err


def test_every_option_of_every_procedure_is_said_on_the_command_line() -> None:
    for spec in KNOWN.values():
        flags = PARSERS[spec.group or spec.name]._option_string_actions
        assert {one.flag.partition(" ")[0] for one in spec.options} <= flags.keys()


def test_what_only_a_simulated_station_knows_starts_no_real_one(capsys) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--seed", "5", "--auto"])
    assert "--seed: only with --simulate" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words",
    [
        ["--config", "no.toml", "--auto"],
        ["replay", "nowhere"],
        ["why", "nowhere", "--drop=1"],
        ["ledger", "nowhere"],
        ["settings", "nowhere"],
        ["session", "show", "nowhere"],
        ["products", "show", "nothing"],
        ["config", "--check", "no.toml"],
        ["keys", "--keys", "/dev/null", "list"],
        ["check", "--config", "no.toml"],
        ["check-driver", "--config", "no.toml"],
        *([name, *["detuning"] * (name == "scan"), "--config", "no.toml"] for name in commands()),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_is_said_in_the_name_of_the_command(words: list[str], capsys) -> None:
    assert main(words) == 2
    name = "magis-calib" if words[0].startswith("-") else f"magis-calib {words[0]}"
    assert capsys.readouterr().err.startswith(f"{name}: ")


def test_a_word_that_is_no_command_is_named(capsys) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["calibrat", "--simulate"])
    assert "no command 'calibrat'" in capsys.readouterr().err


def test_a_new_command_is_one_file_and_one_line(tmp_path: Path, monkeypatch, capsys) -> None:
    import magis_calib.cli

    (tmp_path / "greet.py").write_text(
        '"""Greets."""\n\ndef add_options(parser):\n    parser.add_argument("whom")\n\n'
        "def run(asked):\n    print('hello', asked.whom)\n    return 0\n"
    )
    monkeypatch.setattr(magis_calib.cli, "__path__", [*magis_calib.cli.__path__, str(tmp_path)])
    monkeypatch.setitem(COMMANDS, "greet", Command("greet", "greet WHOM", "greets", "loop"))
    assert main(["greet", "you"]) == 0
    assert capsys.readouterr().out == "hello you\n"
