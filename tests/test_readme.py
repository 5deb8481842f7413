"""What README, CONTRIBUTING and docs/ name is there.

`python -m tests.test_readme` writes the list of commands.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from magis_calib.cli.main import COMMANDS, parser_of
from magis_calib.cli.procedures import commands, specs_of
from magis_calib.host.command_line import Parser
from simulators import main as simulator

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCUMENTS = [README, ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
BEGIN, END = "| `magis-calib …` | what it does | more |\n|---|---|---|\n", "\n\nExit codes:"
PATH = re.compile(
    r"(?<![\w/.-])(?:magis_calib|ui|hardware|simulators|tests|docs|packaging)/[\w./-]*"
)
MODULE = re.compile(r"python -m ((?:tests|magis_calib|simulators)(?:\.\w+)*)")
LINK = re.compile(r"\]\((?!http)([^)#]+)(?:#[^)]*)?\)")
SAID = re.compile(r"^\s*(magis-calib|magis-sim)\b(.*)$", re.MULTILINE)


def list_of_commands() -> str:
    """Return the list of commands, as their tables say; procedures stand with `calibrate`."""
    rows = []
    for name, one in COMMANDS.items():
        rows += procedures() if name == "calibrate" else []
        rows += [(one.words, one.summary, one.more)] if one.words else []
    return "\n".join(f"| `{words}` | {summary} | {_more(more)} |" for words, summary, more in rows)


def procedures() -> list[tuple[str, str, str]]:
    rows = []
    for name in (one for one in commands() if one not in COMMANDS):
        specs = specs_of(name)
        if "" in specs:
            rows.append((name, specs[""].summary, "procedures"))
        else:
            choices = ", ".join(f"`{word}`" for word in specs)
            words = f"step one actuator, find where it is best: {choices}"
            rows.append((f"{name} NAME", words, "procedures"))
    return rows


def _more(name: str) -> str:
    return f"[{name}](docs/{name}.md)" if (ROOT / "docs" / f"{name}.md").exists() else "below"


def test_the_readme_lists_every_command() -> None:
    told = README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert told == list_of_commands(), "python -m tests.test_readme writes it"


def test_each_file_on_the_path_of_a_pair_names_the_next() -> None:
    text = README.read_text(encoding="utf-8")
    section = text.partition("## The path of a pair\n")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| \d+ \| \w+ \| `([\w/.]+)` \|", section, re.MULTILINE)
    walked = [listed[0]]
    while len(walked) < 50:
        doc = ast.get_docstring(ast.parse((ROOT / walked[-1]).read_text(encoding="utf-8"))) or ""
        following = re.search(r"^Next on the path of a pair: `([\w/.]+)`\.$", doc, re.MULTILINE)
        if following is None:
            assert "Here the path of a pair ends." in doc
            break
        walked.append(following[1])
    assert walked == listed


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_every_file_and_module_named_is_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = [ROOT / one.rstrip("./") for one in PATH.findall(text)]
    named += [document.parent / one for one in LINK.findall(text)]
    assert [str(one) for one in named if not one.exists()] == []
    assert [one for one in MODULE.findall(text) if importlib.util.find_spec(one) is None] == []
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    asked = re.findall(r"(?:^|`)make ([\w-]+)", text, re.MULTILINE)
    assert set(asked) <= set(targets)


def lines_of(document: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield program and words of every command line in code blocks and between backticks."""
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"```(?!python|toml|json)\w*\n(.*?)```", text, re.DOTALL)
    inline = re.findall(r"(?<!`)`(magis-(?:calib|sim)(?: [^`]+)?)`", text)
    for program, rest in SAID.findall("\n".join([*blocks, *inline])):
        yield program, shlex.split(rest.partition("#")[0].replace("…", ""), posix=False)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda one: one.name)
def test_every_command_and_option_named_is_there(document: Path) -> None:
    for program, words in lines_of(document):
        said = f"{program} {' '.join(words)}"
        if words and words[0].endswith(":"):
            continue  # what a command says, not how it is called
        if program == "magis-sim":
            assert _flags(words) <= _known(simulator._parser()), said
            continue
        name = next((one for one in words if not one.startswith("-")), "run")
        name = name if words and words[0] == name else "run"
        assert name in (*COMMANDS, *commands()), said
        assert _flags(words) <= _known(_parser_of(name)), said


def _parser_of(name: str) -> Parser:
    module = COMMANDS[name].module if name in COMMANDS else "procedures"
    return parser_of(name, importlib.import_module(f"magis_calib.cli.{module}"))


def _flags(words: list[str]) -> set[str]:
    return {one.strip("[]").partition("=")[0] for one in words if one.strip("[").startswith("--")}


def _known(parser: Parser) -> set[str]:
    """Return the options of a parser, and of the commands within it."""
    flags = set(parser._option_string_actions)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            flags |= {flag for one in action.choices.values() for flag in _known(one)}
    return flags


if __name__ == "__main__":
    head, begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    table = head + begin + list_of_commands() + END + rest.partition(END)[2]
    README.write_text(table, encoding="utf-8")
