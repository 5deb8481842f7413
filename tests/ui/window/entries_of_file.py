"""What the keys of the menus File and Help do."""

from __future__ import annotations

import json
import zipfile
from functools import partial
from pathlib import Path

from keyboard import Keys, closed, opened, press, type_file
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QCursor
from PySide6.QtWidgets import QLabel
from window_bench import said, wait_until

from magis_calib.recording.certificate import CERTIFICATE
from ui.panels.trends.panel import TrendsPanel
from ui.window.help_text import ABOUT, units_text


def certifies(keys: Keys) -> None:
    bench = keys.bench
    certificate = Path(bench.snapshot.session) / CERTIFICATE
    drops = len(bench.snapshot.records)
    assert not certificate.exists()
    keys()
    wait_until(lambda: bench.snapshot.note.startswith("certified: "), "the certificate")
    assert str(certificate) in bench.snapshot.note
    assert json.loads(certificate.read_text())["recorded"] >= drops


def bundles(keys: Keys) -> None:
    bench = keys.bench
    keys()
    wait_until(lambda: bench.snapshot.note.startswith("support bundle: "), "the bundle")
    path = Path(bench.snapshot.note.removeprefix("support bundle: "))
    assert path.parent == Path(bench.snapshot.session)
    assert zipfile.is_zipfile(path)


def asks_which_recording(keys: Keys) -> None:
    bench, folder = keys.bench, Path(keys.bench.settings.fileName()).parent
    keys()
    type_file(bench, str(folder))
    bench.drawn()
    assert f"▲ {folder}: not a recording" in said(bench.window.statusBar())
    keys()
    opened(bench)
    press(Qt.Key.Key_Escape)
    closed(bench)
    assert not bench.snapshot.finished


def exports(keys: Keys) -> None:
    bench, path = keys.bench, Path(keys.bench.settings.fileName()).parent / "plot.png"
    QCursor.setPos(bench.window.mapToGlobal(bench.window.menuBar().geometry().center()))
    bench.window.bring_up("Trends")
    bench.window.panels.of(TrendsPanel).pages.tabBar().setFocus()
    bench.drawn()
    keys()
    type_file(bench, str(path))
    wait_until(lambda: f"exported {path}" in said(bench.window.statusBar()), "the plot")
    with Image.open(path) as picture:
        assert min(picture.size) > 50


def helps(title: str, words: str, keys: Keys) -> None:
    bench = keys.bench
    keys()
    dialog = opened(bench)
    assert dialog.windowTitle() == title
    assert words in dialog.findChild(QLabel).text()
    press(Qt.Key.Key_Escape)
    closed(bench)


FILE = {
    "Certify what was recorded so far": certifies,
    "Save a support bundle": bundles,
    "Open a recording…": asks_which_recording,
    "Export the plot under the pointer or in the panel with the focus…": exports,
}
HELP = {
    "Shortcuts": partial(helps, "Shortcuts", "<b>Ctrl+Return</b>"),
    "Units and names": partial(helps, "Units and names", units_text()),
    "About magis-calib": partial(helps, "About magis-calib", ABOUT),
}
