"""Who runs a program, and has no name on this machine."""

from __future__ import annotations

import getpass
import os

import pytest

from magis_calib.host.user import Owner, login_name


def test_a_user_without_a_name_has_the_same_one_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("no such user")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert login_name() == Owner.of_this_process().user == f"uid {os.getuid()}"
