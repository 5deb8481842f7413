"""A display that does not answer is no display: Qt would end the program, run and all."""

from __future__ import annotations

import pytest

from magis_calib.app.display import why_no_window


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({}, "are not set"),
        ({"DISPLAY": ":77"}, "DISPLAY=:77 does not answer"),
        ({"DISPLAY": "nonsense"}, "DISPLAY=nonsense does not answer"),
        ({"WAYLAND_DISPLAY": "wayland-77"}, "WAYLAND_DISPLAY=wayland-77 does not answer"),
        ({"DISPLAY": ":77", "QT_QPA_PLATFORM": "offscreen"}, ""),
    ],
)
def test_why_there_is_no_window(monkeypatch, variables: dict[str, str], words: str) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert words in (said := why_no_window())
    assert bool(said) == bool(words)
