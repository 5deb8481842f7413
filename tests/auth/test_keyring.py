"""The folder of keys: made once, secrets kept from others, the list read anew, mistakes named."""

from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path

import pytest
import zmq

from magis_calib.auth.keyring import ALLOWED, OWN, Keyring, Peer
from magis_calib.cli.main import main
from magis_calib.domain.errors import ConfigError


def test_a_folder_is_made_on_first_use_with_secrets_that_only_their_user_reads(
    tmp_path: Path,
) -> None:
    keyring = Keyring.at(tmp_path / "config" / "keys", ("laser", "cavity"))
    wanted = {**OWN, "laser": "controller", "cavity": "controller"}
    assert {peer.name: peer.role for peer in keyring.parties().values()} == wanted
    for name in wanted:
        assert stat.S_IMODE((keyring.folder / f"{name}.key").stat().st_mode) == 0o600
        pair = keyring.pair(name)
        assert (
            zmq.curve_public(pair.secret.encode()).decode()
            == pair.public
            == keyring.named(name).public
        )
        assert pair.secret not in repr(pair)
    assert stat.S_IMODE(keyring.folder.stat().st_mode) == 0o700
    assert Keyring.at(keyring.folder).pair("camera") == keyring.pair("camera")


def public_of_application(folder: Path, found: multiprocessing.SimpleQueue) -> None:
    found.put(Keyring.at(folder).pair("application").public)


def test_programs_that_start_together_find_the_same_keys(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    found = context.SimpleQueue()
    many = [
        context.Process(target=public_of_application, args=(tmp_path / "keys", found))
        for _ in range(4)
    ]
    for one in many:
        one.start()
    assert len({found.get() for _ in many}) == 1
    for one in many:
        one.join()
    assert os.listdir(tmp_path) == ["keys"]


def test_a_secret_that_others_can_read_is_not_used(tmp_path: Path) -> None:
    keyring = Keyring.at(tmp_path / "keys")
    (keyring.folder / "camera.key").chmod(0o640)
    with pytest.raises(ConfigError, match=r"camera\.key.*got mode 640: chmod 600"):
        keyring.pair("camera")


def test_who_is_made_is_let_in_and_who_is_revoked_is_not(tmp_path: Path) -> None:
    keyring, other = Keyring.at(tmp_path / "keys"), Keyring(tmp_path / "keys")
    path = keyring.make("LM3", "camera")
    public = keyring.pair("LM3").public
    assert other.parties()[public] == Peer("LM3", "camera", public)
    keyring.revoke("LM3")
    assert public not in other.parties()
    assert not path.exists()
    with pytest.raises(ConfigError, match="'LM3' is not let in"):
        keyring.revoke("LM3")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("key = 3", r"wanted only \[\[key\]\] tables"),
        ("[[key]]\nname = 'a'\nrole = 'king'\npublic = 'x'", "camera, controller, observer"),
        ("[[key]]\nname = 'a'\nrole = 'camera'\npublic = 'x'", "40 characters"),
        ("[[key]\n", "cannot be read"),
        ("\xff", "cannot be read"),
    ],
)
def test_a_list_that_cannot_be_used_is_named(tmp_path: Path, text: str, wanted: str) -> None:
    keyring = Keyring.at(tmp_path / "keys")
    (keyring.folder / ALLOWED).write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=wanted) as error:
        Keyring(keyring.folder)
    assert str(keyring.folder / ALLOWED) in str(error.value)


def test_the_same_name_or_key_twice_is_refused(tmp_path: Path) -> None:
    keyring = Keyring.at(tmp_path / "keys")
    known = keyring.named("camera")
    for peer in (Peer("camera", "camera", "x" * 40), Peer("other", "observer", known.public)):
        with pytest.raises(ConfigError, match="must be new"):
            keyring.allow(peer)
    text = (keyring.folder / ALLOWED).read_text()
    (keyring.folder / ALLOWED).write_text(text + text.split("\n\n")[-1])
    with pytest.raises(ConfigError, match="there twice"):
        keyring.parties()


def test_the_command_lists_makes_allows_and_revokes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(tmp_path / "keys")
    public, _ = zmq.curve_keypair()
    assert main(["keys", "--keys", folder, "make", "LM3", "--role", "camera"]) == 0
    assert (
        main(["keys", "--keys", folder, "allow", "wall", "--role", "observer", public.decode()])
        == 0
    )
    assert main(["keys", "--keys", folder, "revoke", "camera"]) == 0
    capsys.readouterr()
    assert main(["keys", "--keys", folder, "list"]) == 0
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[1:]]
    assert {(row[0], row[1]) for row in rows} == {
        ("application", "application"),
        ("LM3", "camera"),
        ("drop_system", "controller"),
        ("laser", "controller"),
        ("observer", "observer"),
        ("wall", "observer"),
    }
    assert ["wall", "observer", public.decode()] in rows
    assert (
        main(["keys", "--keys", folder, "allow", "two words", "--role", "camera", public.decode()])
        == 2
    )
    assert "wanted a name" in capsys.readouterr().err


@pytest.mark.parametrize("mode", [0o666, 0o662, 0o664, 0o622])
def test_a_list_that_others_can_write_lets_nobody_in(tmp_path: Path, mode: int) -> None:
    keyring = Keyring.at(tmp_path / "keys")
    (keyring.folder / ALLOWED).chmod(mode)
    for asked in (keyring.parties, lambda: Keyring(keyring.folder)):
        with pytest.raises(ConfigError, match=f"chmod go-w {keyring.folder / ALLOWED}"):
            asked()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("name", [ALLOWED, "camera.key"])
def test_keys_of_another_user_are_not_taken(tmp_path: Path, name: str) -> None:
    keyring = Keyring.at(tmp_path / "keys")
    os.chown(keyring.folder / name, 1234, 1234)
    with pytest.raises(ConfigError, match="wanted a file of this user's or root's"):
        (keyring.parties() if name == ALLOWED else keyring.pair("camera"))


def test_the_list_is_made_for_its_user_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        keyring = Keyring.at(tmp_path / "keys")
    finally:
        os.umask(before)
    assert stat.S_IMODE((keyring.folder / ALLOWED).stat().st_mode) == 0o644
    assert Keyring(keyring.folder).parties()
