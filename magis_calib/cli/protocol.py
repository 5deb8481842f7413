"""`magis-calib protocol --schema [MESSAGE]`: print the messages on the wire as JSON Schema.

All of them as one object, by their names, or one alone. docs/protocol.md says what they mean.
"""

from __future__ import annotations

import argparse
import json

from magis_calib.host.command_line import Parser, UsageError
from magis_calib.link.schemas import MESSAGES, schema_of

ALL = ""


def add_options(parser: Parser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--schema",
        nargs="?",
        const=ALL,
        required=True,
        metavar="MESSAGE",
        help=f"of one message: {', '.join(MESSAGES)} (default: of all)",
    )


def run(asked: argparse.Namespace) -> int:
    """Print the schema that is asked for. Raises `UsageError` for a name that is none."""
    if asked.schema not in (ALL, *MESSAGES):
        raise UsageError(f"--schema: wanted one of {', '.join(MESSAGES)}, got {asked.schema!r}")
    every = {name: schema_of(name) for name in MESSAGES}
    print(json.dumps(every if asked.schema == ALL else every[asked.schema], indent=2))
    return 0
