"""The command line of every program here: nothing abbreviated, minus signs before values."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from typing import Any

NUMBER = r"-(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|-inf|-nan"
PUBLIC_KEY = r"-[0-9a-zA-Z.\-:+=^!/*?&<>()\[\]{}@%$#]{39}"
"""A key of 40 characters (Z85, https://rfc.zeromq.org/spec/32/): one in 85 begins with a minus."""
A_VALUE = re.compile(f"{NUMBER}|{PUBLIC_KEY}")


class UsageError(Exception):
    """Words of a command that contradict each other, or a value that cannot be: exit code 2."""


class Parser(argparse.ArgumentParser):
    """Takes an option by its whole name only, and negative numbers and keys as values."""

    def __init__(self, **options: Any) -> None:
        """Take what `argparse.ArgumentParser` takes, by keyword."""
        options["allow_abbrev"] = False
        super().__init__(**options)
        self.command = str(self.prog).rpartition(" ")[2]
        self.intermixed = False
        """Whether options may stand between values: `fit IMAGE --gain 2 IMAGE`."""

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Return what was asked for; leave with exit code 2 and a message where it cannot be."""
        parse = self.parse_intermixed_args if self.intermixed else super().parse_args
        return parse(args, namespace)

    def _parse_optional(self, arg_string: str) -> Any:
        """Say that a word is a value, as argparse does for plain digits after a minus sign."""
        known = arg_string.partition("=")[0] in self._option_string_actions
        return (
            None
            if not known and A_VALUE.fullmatch(arg_string)
            else super()._parse_optional(arg_string)
        )


def judged(check: Callable[[str], str]) -> Callable[[str], str]:
    """Return what reads a text that `check` accepts; its `ValueError` is what is said."""

    def parse(text: str) -> str:
        try:
            return check(text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from error

    return parse


def number(above: float = -math.inf, least: float = -math.inf) -> Callable[[str], float]:
    """Return what reads a finite number above, or of at least, a limit."""
    limit = f" above {above:g}" if above > -math.inf else f" of at least {least:g}"
    wanted = limit if max(above, least) > -math.inf else ""

    def parse(text: str) -> float:
        value = float(text)
        if not (math.isfinite(value) and value > above and value >= least):
            raise argparse.ArgumentTypeError(f"wanted a number{wanted}, got {text}")
        return value

    parse.__name__ = "number"
    return parse


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """Return what reads a whole number from `least` on, up to `most`."""
    wanted = f"of at least {least}" if most is None else f"from {least} to {most}"

    def parse(text: str) -> int:
        value = int(text)
        if value < least or (most is not None and value > most):
            raise argparse.ArgumentTypeError(f"wanted a whole number {wanted}, got {text}")
        return value

    parse.__name__ = "whole number"
    return parse
