"""The picture of a product in a window of its own. Drawn by a process apart: nothing here waits for it."""

from __future__ import annotations

import sys

from PySide6.QtCore import QProcess, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtWidgets import QDialog, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget


class PictureButton(QPushButton):
    """Draws the product it was told of and shows the picture."""

    def __init__(self) -> None:
        super().__init__("Picture")
        self.setToolTip("draw what was found, in a window of its own")
        self._product = ""
        self._drawing = QProcess(self)
        self._drawing.finished.connect(self._drawn)
        self.clicked.connect(self._draw)

    def of(self, product: str) -> None:
        """Take the path of the product to draw; empty where there is none."""
        self._product = product
        self.setVisible(bool(product))

    def _draw(self) -> None:
        self.setEnabled(False)
        self._drawing.start(sys.executable, ["-m", "magis_calib", "products", "picture", self._product])

    def _drawn(self, exit_code: int) -> None:
        self.setEnabled(True)
        said = bytes(self._drawing.readAllStandardOutput().data()).decode(errors="replace").strip()
        wrong = bytes(self._drawing.readAllStandardError().data()).decode(errors="replace").strip()
        picture = QPixmap(said) if exit_code == 0 else QPixmap()
        PictureWindow(self._product, picture, wrong or said, self.window()).show()


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
