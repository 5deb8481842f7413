"""Opening a recording: asked for without stopping anything, shown in a window of its own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QProcess, Qt
from PySide6.QtWidgets import QFileDialog, QWidget

from magis_calib.host.child import python_module
from magis_calib.recording.listing import is_session


def ask_for_recording(parent: QWidget, begin_in: str, chosen: Callable[[str], None]) -> QFileDialog:
    """Ask for the folder of a session in a dialog that blocks nothing; `chosen` hears of it."""
    dialog = QFileDialog(parent, "Folder of a recorded session", begin_in)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setModal(False)
    dialog.fileSelected.connect(chosen)
    dialog.show()
    return dialog


def replay_apart(folder: str) -> str:
    """Replay a recording in a program of its own; return what is to be said."""
    if refusal := why_no_recording(folder):
        return f"▲ {refusal}"
    program, *words = python_module("magis_calib", "replay", folder)
    begun, _ = QProcess.startDetached(program, words)
    name = Path(folder).name
    return (
        f"replaying {name} in a window of its own" if begun else f"▲ {program}: cannot be started"
    )


def why_no_recording(folder: str) -> str:
    """Say why this folder cannot be replayed; empty where it can."""
    return (
        ""
        if is_session(Path(folder))
        else f"{folder}: not a recording: wanted a folder with segment-*.h5 in it"
    )
