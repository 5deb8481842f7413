"""Arrangements, themes and pictures of the window."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QSettings
from PySide6.QtGui import QAction
from window_bench import StationBench, kept_in, let_qt_work, wait_until

from ui.style.scheme import LARGEST_PT, SCHEMES, USUAL_PT, Scheme, choose, chosen

pytestmark = pytest.mark.station


@pytest.fixture(scope="module")
def bench(qapp, tmp_path_factory):
    folder = tmp_path_factory.mktemp("looks")
    with StationBench(folder, kept_in(folder)) as bench:
        wait_until(lambda: len(bench.snapshot.records) >= 2, "two drops")
        yield bench


def chosen_in_menu(bench: StationBench, text: str) -> None:
    (action,) = [
        one
        for one in bench.window.menus.all_actions
        if one.text().replace("&", "").startswith(text)
    ]
    assert isinstance(action, QAction)
    action.trigger()
    let_qt_work(50)
    bench.drawn()


def test_each_arrangement_shows_what_it_is_for_and_leads_back(bench: StationBench) -> None:
    docks = bench.window.docks
    docks["Fringe"].setFloating(True)
    chosen_in_menu(bench, "Arrange for replay")
    assert {name for name, dock in docks.items() if dock.isHidden()} == {"Procedures", "Alarms"}
    assert not docks["Fringe"].isFloating()
    chosen_in_menu(bench, "Arrange for commission")
    assert [name for name, dock in docks.items() if dock.isHidden()] == ["What if"]
    assert docks["Procedures"].visibleRegion().boundingRect().height() > 100, "it is the one on top"
    chosen_in_menu(bench, "Arrange for run")
    assert (
        docks["Ledger"].visibleRegion().boundingRect().height() > 50 or bench.window.height() < 800
    )


def test_a_theme_and_a_size_are_kept_for_the_next_start(bench: StationBench) -> None:
    chosen_in_menu(bench, "Light colours")
    chosen_in_menu(bench, "Larger type")
    chosen_in_menu(bench, "Larger type")
    chosen_in_menu(bench, "Smaller type")
    kept = QSettings(bench.settings.fileName(), QSettings.Format.IniFormat)
    bench.settings.sync()
    assert (kept.value("window/theme"), float(str(kept.value("window/font_pt")))) == ("light", 10.0)


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.1."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.03928 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("scheme", SCHEMES.values(), ids=list(SCHEMES))
def test_all_words_stand_out_from_their_ground(scheme: Scheme) -> None:
    """Contrast of at least 4.5 for text (WCAG 2.1, 1.4.3), 3 for what is drawn (1.4.11)."""
    for word, least in dict.fromkeys(
        ("text", "dim", "look", "act", "info", "shadow", "procedure"), 4.5
    ).items():
        for ground in ("panel", "background", "alternate"):
            lighter, darker = sorted(
                (luminance(getattr(scheme, one)) for one in (word, ground)), reverse=True
            )
            assert (lighter + 0.05) / (darker + 0.05) >= least, (word, ground)
    for drawn in ("series", "port_a", "port_b"):
        lighter, darker = sorted(
            (luminance(getattr(scheme, one)) for one in (drawn, "panel")), reverse=True
        )
        assert (lighter + 0.05) / (darker + 0.05) >= 3.0, drawn


@pytest.mark.parametrize(
    ("theme", "size", "wanted"),
    [
        ("light", "11", ("light", 11.0)),
        ("dark", 9, ("dark", 9.0)),
        (None, None, ("dark", USUAL_PT)),
        ("pink", "huge", ("dark", USUAL_PT)),
        ("light", LARGEST_PT + 1, ("light", USUAL_PT)),
    ],
)
def test_what_cannot_be_understood_is_the_usual_look(
    theme: object, size: object, wanted: tuple[str, float]
) -> None:
    try:
        choose(theme, size)
        assert chosen() == (SCHEMES[wanted[0]], wanted[1])
    finally:
        choose(None, None)


def magis_calib(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "magis_calib", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_picture_is_taken_after_the_drops_and_the_run_ends(tmp_path: Path) -> None:
    brightness = {}
    for theme in SCHEMES:
        picture = tmp_path / f"{theme}.png"
        words = [
            "--simulate",
            "--sensor",
            "small",
            "--interval",
            "0",
            "--drops",
            "3",
            "--theme",
            theme,
            "--window-size",
            "1280x720",
            "--arrangement",
            "commission",
            "--screenshot",
            str(picture),
            "--session-dir",
            str(tmp_path / "sessions"),
        ]
        done = subprocess.run(
            [sys.executable, "-m", "magis_calib", *words],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert " 0 lost; session " in done.stderr
        with Image.open(picture) as image:
            assert image.size == (1280, 720)
            brightness[theme] = float(np.asarray(image.convert("L")).mean())
    assert brightness["light"] > brightness["dark"] + 60


def test_a_picture_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    words = [
        "--simulate",
        "--sensor",
        "small",
        "--screenshot",
        str(tmp_path / "no" / "picture.png"),
    ]
    done = magis_calib(*words)
    assert done.returncode == 2
    assert "wanted an existing folder" in done.stderr
