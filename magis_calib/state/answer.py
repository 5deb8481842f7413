"""What became of something that an operator asked for."""

from __future__ import annotations

from dataclasses import dataclass


class Refusal(str):
    """Words that say why something asked for was not done: the type is what one concludes from."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one command, or to what was begun with it."""

    words: str
    to: str = ""
    """Name of the command, as "SetTarget"; empty for work that has ended beside the run."""
    refused: bool = False
    """What was asked for was not done."""
    number: int = 0
    """Answers of a run are counted, from 1."""
