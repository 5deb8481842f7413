"""What a procedure left: its numbers, where it is, its picture, and the optimum that may be set."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from magis_calib.domain.commands import ReturnTo
from magis_calib.domain.snapshot import ProcedureState
from ui.product_picture import PictureButton
from ui.product_words import Optimum, optimum_of, product_in_words


class ProductView(QWidget):
    """Shows the product of the procedure that ended last; hidden where there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._found, self.path, self.picture = QLabel(), QLineEdit(), PictureButton()
        self._found.setWordWrap(True)
        self._found.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.path.setReadOnly(True)
        self.path.setAccessibleName("path of the product")
        self.set_button = QPushButton("Set it")
        self.set_button.setProperty("hardware", True)
        self.set_button.setToolTip("move the actuator to the optimum that was found; asks first")
        self.optimum: Optimum | None = None
        column, line = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        line.addWidget(self.path, 1)
        line.addWidget(self.picture)
        line.addWidget(self.set_button)
        column.addWidget(self._found)
        column.addLayout(line)
        self.hide()

    def tell(self, state: ProcedureState | None) -> None:
        """Show what this procedure left, once it has ended."""
        path = "" if state is None or state.running else state.product
        if path == self.path.text():
            return
        lines = product_in_words(path) if path else []
        self._found.setText("  ·  ".join(line.replace(" ", "\u00a0") for line in lines))  # wrapped between, not within
        self._found.setVisible(bool(lines))
        self.path.setText(path)
        self.path.setToolTip(f"{path}\nthe product; `magis-calib products show` tells all of it")
        self.picture.of(path)
        self.optimum = optimum_of(path) if path else None
        self.set_button.setVisible(self.optimum is not None)
        self.setVisible(bool(path))

    def proposal(self) -> ReturnTo | None:
        """Return the move to the optimum; None where there is none."""
        if self.optimum is None:
            return None
        return ReturnTo({self.optimum.actuator: self.optimum.setpoint}, f"the optimum of {self.optimum.kind}")
