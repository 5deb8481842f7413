"""Picture and certificate of a product. Made by a process apart: nothing here waits for it."""

from __future__ import annotations

import sys

from PySide6.QtCore import QProcess, Qt, Signal
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QDialog, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget


class PaperButton(QPushButton):
    """Has something made of the product it was told of: `what` is a word of `magis-calib products`.

    Emits `made` with the product, the path of what was made, and in words why there is none.
    """

    made = Signal(str, str, str)

    def __init__(self, text: str, what: str, hover: str) -> None:
        super().__init__(text)
        self.setToolTip(hover)
        self._what, self._product = what, ""
        self._making = QProcess(self)
        self._making.finished.connect(self._done)
        self.clicked.connect(self._make)

    def of(self, product: str) -> None:
        """Take the path of the product; empty where there is none."""
        self._product = product
        self.setVisible(bool(product))

    def _make(self) -> None:
        self.setEnabled(False)
        self._making.start(sys.executable, ["-m", "magis_calib", "products", self._what, self._product])

    def _done(self, exit_code: int) -> None:
        self.setEnabled(True)
        said = bytes(self._making.readAllStandardOutput().data()).decode(errors="replace").strip()
        wrong = bytes(self._making.readAllStandardError().data()).decode(errors="replace").strip()
        self.made.emit(self._product, said if exit_code == 0 else "", wrong or said)


def show_picture(parent: QWidget, product: str, path: str, words: str) -> None:
    """Open a window with the picture; or with the words why there is none."""
    PictureWindow(product, QPixmap(path), words, parent).show()


class PictureWindow(QDialog):
    """One picture; or why there is none."""

    def __init__(self, product: str, picture: QPixmap, words: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(product)
        label, scrolled = QLabel(words), QScrollArea()
        label.setAccessibleName(f"picture of {product}")
        if not picture.isNull():
            label.setPixmap(picture)
            label.resize(picture.size())
        scrolled.setWidget(label)
        QVBoxLayout(self).addWidget(scrolled)
        self.resize(720, min(700, 60 + max(100, label.height())))
