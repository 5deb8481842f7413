"""The keys of a station in one folder: a file for each party, and the list of whom to let in."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Self, get_args

import zmq

from magis_calib.config.fields import toml_table
from magis_calib.domain.errors import ConfigError
from magis_calib.host.files import read_text, replace_text
from magis_calib.host.user import own_folder

Role = Literal["application", "camera", "controller", "observer"]
ROLES: tuple[Role, ...] = get_args(Role)
OWN: Mapping[str, Role] = {
    "application": "application",
    "camera": "camera",
    "observer": "observer",
}
"""Parties that get a key when a folder is made, beside the controllers: enough for a station and
its simulated hardware on one machine.
"""
CONTROLLERS = ("laser", "drop_system")
"""Those of the station as shipped."""
ALLOWED = "allowed.toml"
LISTED_MODE = 0o644
"""Of the list: everybody may know whom it names."""
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
KEY = re.compile(r"[0-9A-Za-z.\-:+=^!/*?&<>()\[\]{}@%$#]{40}")
"""Z85 (ZeroMQ RFC 32) of 32 bytes."""
_SECRET = (
    "# Secret: for the machine of {name} alone, readable by its user alone (chmod 600). "
    "docs/security.md\n"
)
_LISTED = (
    "# Whom to let in, by role. Read anew whenever it changes; `magis-calib keys` writes it. "
    "docs/security.md\n"
)


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody who is let in."""

    name: str
    role: Role
    public: str
    """Z85, 40 characters."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A party's own keys, Z85."""

    public: str
    secret: str = field(repr=False)


class Keyring:
    """A folder of keys. May be used by any thread.

    Every method raises `ConfigError` where the folder is not right.
    """

    def __init__(self, folder: Path) -> None:
        """Use a folder that is there."""
        self.folder = folder
        self._stamp: tuple[int, int, int] | None = None
        self._parties: Mapping[str, Peer] = {}
        if not (folder / ALLOWED).is_file():
            raise ConfigError(
                f"{folder}: no folder of keys: wanted {ALLOWED} in it; `magis-calib keys list` "
                f"makes one"
            )
        self.parties()

    @classmethod
    def at(cls, folder: Path, controllers: Sequence[str] = CONTROLLERS) -> Self:
        """Use this folder, made on first use: by one of several programs that start together.

        `controllers` are those of the station: each gets a key then.
        """
        if not folder.exists():
            _make(folder, {**OWN, **dict.fromkeys(controllers, "controller")})
        return cls(folder)

    def pair(self, name: str) -> Pair:
        """Return a party's own keys. Others may not be able to read its file."""
        path = self.folder / f"{name}.key"
        try:
            known = path.stat()
            table = toml_table(read_text(path))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: the key of {name} cannot be read: {error}") from error
        _refuse_if_not_ours(path, known)
        if known.st_mode & 0o077:
            raise ConfigError(
                f"{path}: wanted a secret that only its user can read, got mode "
                f"{known.st_mode & 0o777:o}: chmod 600 {path}"
            )
        return Pair(_key(path, table, "public"), _key(path, table, "secret"))

    def parties(self) -> Mapping[str, Peer]:
        """Return everybody who is let in, by public key, as the list says now."""
        path = self.folder / ALLOWED
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            _refuse_if_not_ours(path, status)
            if stamp != self._stamp:
                self._parties = _listed(path, toml_table(read_text(path)))
                self._stamp = stamp
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: cannot be read: {error}") from error
        return self._parties

    def named(self, name: str) -> Peer:
        """Return the party of this name."""
        for peer in self.parties().values():
            if peer.name == name:
                return peer
        raise ConfigError(
            f"{self.folder / ALLOWED}: {name!r} is not let in: wanted one of "
            f"{sorted(peer.name for peer in self.parties().values())}"
        )

    def make(self, name: str, role: Role) -> Path:
        """Make keys for a new party, let it in, and return the file with its secret."""
        path = self.folder / f"{name}.key"
        if path.exists():
            raise ConfigError(
                f"{path}: there is a key of {name!r} already: revoke it first, or take another name"
            )
        pair = _new_pair()
        self.allow(Peer(name, role, pair.public))
        _write_secret(path, name, pair)
        return path

    def allow(self, peer: Peer) -> None:
        """Let somebody in, from their next message on."""
        if (
            not NAME.fullmatch(peer.name)
            or not KEY.fullmatch(peer.public)
            or peer.role not in ROLES
        ):
            raise ConfigError(
                f"{peer}: wanted a name of letters, digits, _ . -, a role of {', '.join(ROLES)} "
                "and a public key of 40 characters (Z85)"
            )
        known = self.parties()
        if peer.public in known or peer.name in {one.name for one in known.values()}:
            raise ConfigError(
                f"{self.folder / ALLOWED}: name and key must be new, got {peer.name!r} "
                f"{peer.public}"
            )
        _write_list(self.folder, [*known.values(), peer])

    def revoke(self, name: str) -> None:
        """Let somebody in no longer, from their next message on.

        A secret that lies here is deleted.
        """
        gone = self.named(name)
        _write_list(self.folder, [one for one in self.parties().values() if one != gone])
        (self.folder / f"{name}.key").unlink(missing_ok=True)


def default_keys_dir() -> Path:
    """Return the folder of keys in this user's configuration. Raises `OSError` without a home."""
    return own_folder("config", "--keys") / "keys"


def _make(folder: Path, parties: Mapping[str, Role]) -> None:
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        begun = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".keys-"))
    except OSError as error:
        raise ConfigError(
            f"{folder}: cannot be made: {error.strerror}; --keys DIR names another folder"
        ) from error
    pairs = {name: _new_pair() for name in parties}
    for name, pair in pairs.items():
        _write_secret(begun / f"{name}.key", name, pair)
    _write_list(begun, [Peer(name, role, pairs[name].public) for name, role in parties.items()])
    try:
        begun.rename(folder)
    except OSError:  # somebody else was faster: theirs counts
        shutil.rmtree(begun)


def _new_pair() -> Pair:
    public, secret = zmq.curve_keypair()
    return Pair(public.decode(), secret.decode())


def _write_secret(path: Path, name: str, pair: Pair) -> None:
    text = f'{_SECRET.format(name=name)}public = "{pair.public}"\nsecret = "{pair.secret}"\n'
    with os.fdopen(
        os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)


def _row(one: Peer) -> str:
    return f'\n[[key]]\nname = "{one.name}"\nrole = "{one.role}"\npublic = "{one.public}"\n'


def _write_list(folder: Path, parties: list[Peer]) -> None:
    rows = [_row(one) for one in parties]
    replace_text(folder / ALLOWED, _LISTED + "".join(rows), LISTED_MODE)


def _refuse_if_not_ours(path: Path, known: os.stat_result) -> None:
    """Refuse a file that another user could have written: whoever is in the list is let in."""
    if known.st_uid not in (0, os.geteuid()):
        raise ConfigError(
            f"{path}: wanted a file of this user's or root's, got one of user {known.st_uid}"
        )
    if known.st_mode & 0o022:
        raise ConfigError(
            f"{path}: wanted a file that only its user can write, got mode "
            f"{known.st_mode & 0o777:o}: chmod go-w {path}"
        )


def _listed(path: Path, table: Mapping[str, object]) -> Mapping[str, Peer]:
    rows = table.get("key")
    if set(table) - {"key"} or not isinstance(rows, list):
        raise ConfigError(f"{path}: wanted only [[key]] tables, got {sorted(table)}")
    found: dict[str, Peer] = {}
    for row in rows:
        if (
            not isinstance(row, dict)
            or set(row) != {"name", "role", "public"}
            or row["role"] not in ROLES
        ):
            raise ConfigError(
                f"{path}: wanted name, role ({', '.join(ROLES)}) and public in each [[key]], got "
                f"{row}"
            )
        peer = Peer(str(row["name"]), row["role"], _key(path, row, "public"))
        if peer.public in found or peer.name in {one.name for one in found.values()}:
            raise ConfigError(f"{path}: {peer.name}: its name or key is there twice")
        found[peer.public] = peer
    return found


def _key(path: Path, table: Mapping[str, object], name: str) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not KEY.fullmatch(value):
        raise ConfigError(f"{path}: {name}: wanted a key of 40 characters (Z85)")
    return value
