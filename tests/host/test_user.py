"""Who runs a program, and has no name on this machine."""

from __future__ import annotations

import getpass
import os

import pytest

from magis_calib.cli.main import main
from magis_calib.host.user import Owner, login_name


def test_a_user_without_a_name_has_the_same_one_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert login_name() == Owner.of_this_process().user == f"uid {os.getuid()}"


@pytest.mark.parametrize(
    ("words", "option"),
    [
        (["keys", "list"], "--keys DIR"),
        (["products", "list"], "--products-dir DIR"),
        (["session", "list"], "DIR"),
        (["check"], "--session-dir DIR"),
    ],
)
def test_a_user_without_a_home_is_told_what_to_name(words, option, monkeypatch, capsys) -> None:
    def nobody(*_: object) -> None:
        raise KeyError("uid not found")

    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "USER", "LOGNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", nobody)
    assert main(words) == 2
    assert capsys.readouterr().err.endswith(f"no home folder: {option} names one to use\n")
    for command in (["--help"], ["keys", "--help"], ["session", "list", "--help"]):
        with pytest.raises(SystemExit) as left:
            main(command)
        assert left.value.code == 0
        assert "Traceback" not in capsys.readouterr().err


def test_a_home_that_cannot_be_used_is_named(monkeypatch, capsys) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/proc/nobody")
    assert main(["keys", "list"]) == 2
    said = capsys.readouterr().err
    assert "/proc/nobody" in said
    assert "--keys DIR names another folder" in said
    assert said.count("\n") == 1
