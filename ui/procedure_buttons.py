"""A button for each procedure there is."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout

from magis_calib.feedback.procedures.known import KNOWN


class ProcedureButtons(QVBoxLayout):
    """One below the other. Emits `wanted` with the name of the procedure."""

    wanted = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self.setSpacing(4)
        self.by_name: dict[str, QPushButton] = {}
        for name in KNOWN:
            button = self.by_name[name] = QPushButton(name.replace("_", " "))
            button.setProperty("hardware", True)
            button.setAccessibleName(f"start {name}: {KNOWN[name].summary}")
            button.clicked.connect(lambda _checked=False, name=name: self.wanted.emit(name))
            self.addWidget(button)
        self.addStretch(1)

    def offer(self, refusal: str) -> None:
        """Let all be pressed; or none, and say why on hover."""
        for name, button in self.by_name.items():
            button.setEnabled(not refusal)
            told = f"\n▲ not now: {refusal}" if refusal else "\nasks first"
            button.setToolTip(f"{name}: {KNOWN[name].summary}{told}")

    def have_focus(self) -> bool:
        """Tell whether the keyboard is on one of them."""
        return any(button.hasFocus() for button in self.by_name.values())
