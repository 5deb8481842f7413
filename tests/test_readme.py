"""What README, CONTRIBUTING and docs/ name is there.

`python -m tests.test_readme` writes the list of commands.
"""

from __future__ import annotations

from pathlib import Path

from magis_calib.cli.main import COMMANDS
from magis_calib.cli.procedures import commands, specs_of

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
BEGIN, END = "| `magis-calib …` | what it does | more |\n|---|---|---|\n", "\n\nExit codes:"


def list_of_commands() -> str:
    """Return the list of commands, as their tables say; procedures stand with `calibrate`."""
    rows = []
    for name, one in COMMANDS.items():
        rows += procedures() if name == "calibrate" else []
        rows += [(one.words, one.summary, one.more)] if one.words else []
    return "\n".join(f"| `{words}` | {summary} | {_link(more)} |" for words, summary, more in rows)


def procedures() -> list[tuple[str, str, str]]:
    rows = []
    for name in (one for one in commands() if one not in COMMANDS):
        specs = specs_of(name)
        if "" in specs:
            rows.append((name, specs[""].summary, "procedures"))
        else:
            choices = ", ".join(f"`{word}`" for word in specs)
            rows.append(
                (
                    f"{name} NAME",
                    f"step one actuator, find where it is best: {choices}",
                    "procedures",
                )
            )
    return rows


def _link(more: str) -> str:
    return f"[{more}](docs/{more}.md)" if (ROOT / "docs" / f"{more}.md").exists() else "below"


def test_the_readme_lists_every_command() -> None:
    told = README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]
    assert told == list_of_commands(), "python -m tests.test_readme writes it"


if __name__ == "__main__":
    head, begin, rest = README.read_text(encoding="utf-8").partition(BEGIN)
    README.write_text(
        head + begin + list_of_commands() + END + rest.partition(END)[2], encoding="utf-8"
    )
