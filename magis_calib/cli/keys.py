"""`magis-calib keys`: who is let in at the sockets.

Make, allow and revoke keys (docs/security.md).
"""

from __future__ import annotations

import argparse

from magis_calib.auth.keyring import ROLES, Keyring, Peer, default_keys_dir
from magis_calib.cli.options import add_keys_option
from magis_calib.host.command_line import Parser


def run(asked: argparse.Namespace) -> int:
    """List or change whom to let in."""
    for line in _done(Keyring.at(asked.keys or default_keys_dir()), asked):
        print(line)
    return 0


def _done(keyring: Keyring, arguments: argparse.Namespace) -> list[str]:
    match arguments.what:
        case "make":
            path = keyring.make(arguments.name, arguments.role)
            return [
                f"{path}: made; {arguments.name} is let in as {arguments.role}",
                f"for its own machine: this file, and the public key of whom it connects to or who "
                f"connects to it "
                f"(application {keyring.named('application').public})",
            ]
        case "allow":
            keyring.allow(Peer(arguments.name, arguments.role, arguments.public))
            return [f"{arguments.name} is let in as {arguments.role} from now on"]
        case "revoke":
            keyring.revoke(arguments.name)
            return [f"{arguments.name} is not let in from the next message on"]
    parties = sorted(keyring.parties().values(), key=lambda one: (ROLES.index(one.role), one.name))
    here = {path.stem for path in keyring.folder.glob("*.key")}
    lines = [
        f"{one.name:24s} {one.role:12s} {one.public}  "
        f"{'secret here' if one.name in here else ''}".rstrip()
        for one in parties
    ]
    return [f"{keyring.folder}:", *lines]


def add_options(parser: Parser) -> None:
    """Add the options of this command."""
    add_keys_option(parser)
    commands = parser.add_subparsers(dest="what", required=True)
    commands.add_parser("list", help="whom the sockets let in, by role, with their public keys")
    making = commands.add_parser("make", help="make a pair of keys here and let it in")
    allowing = commands.add_parser("allow", help="let in a key that was made elsewhere")
    for one in (making, allowing):
        one.add_argument("name", metavar="NAME", help="what it is called in lists and logs")
        one.add_argument(
            "--role", choices=ROLES, required=True, help="what it may do (docs/security.md)"
        )
    allowing.add_argument("public", metavar="PUBLIC", help="its public key, 40 characters (Z85)")
    revoking = commands.add_parser(
        "revoke", help="let somebody in no longer, from the next message on"
    )
    revoking.add_argument("name", metavar="NAME")
