"""What a procedure left: its numbers, where it is, its picture, and the optimum that may be set."""

from __future__ import annotations

from PySide6.QtCore import QProcess, Qt, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QPixmap
from PySide6.QtWidgets import (
    QDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from magis_calib.host.child import python_module
from magis_calib.state.commands import ReturnTo
from magis_calib.state.procedure import ProcedureState
from ui.models.product_text import Optimum, optimum_of, product_in_words
from ui.widgets.boxes import in_column, in_row


class PaperButton(QPushButton):
    """Has something made of the product it was told of: `what` is a word of `magis-calib products`.

    Emits `made` with the product, the path of what was made, and in words why there is none.
    """

    made = Signal(str, str, str)

    def __init__(self, text: str, what: str, hover: str) -> None:
        """`text` and `hover`: of the button; `what`: it makes, a word of the command line."""
        super().__init__(text)
        self.setToolTip(hover)
        self._what = what
        self._product = ""
        self._making = QProcess(self)
        self._making.finished.connect(self._done)
        self.clicked.connect(self._make)

    def of(self, product: str) -> None:
        """Take the path of the product; empty where there is none."""
        self._product = product
        self.setVisible(bool(product))

    def _make(self) -> None:
        self.setEnabled(False)
        program, *words = python_module("magis_calib", "products", self._what, self._product)
        self._making.start(program, words)

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
        """`words` stand for an empty `picture`; `product`: its title; `parent` owns the window."""
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(product)
        label = QLabel(words)
        scrolled = QScrollArea()
        label.setAccessibleName(f"picture of {product}")
        if not picture.isNull():
            label.setPixmap(picture)
            label.resize(picture.size())
        scrolled.setWidget(label)
        QVBoxLayout(self).addWidget(scrolled)
        self.resize(720, min(700, 60 + max(100, label.height())))


class ProductView(QWidget):
    """Shows the product of the procedure that ended last; hidden where there is none."""

    def __init__(self) -> None:
        super().__init__()
        self._product = ""
        self._found = QLabel()
        self.path = QLineEdit()
        self.picture = PaperButton(
            "Picture", "picture", "draw what was found, in a window of its own"
        )
        self.picture.made.connect(lambda *made: show_picture(self.window(), *made))
        self.page = PaperButton(
            "Certificate", "certificate", "write the certificate of calibration and open it"
        )
        self.page.made.connect(self._open_page)
        self._found.setWordWrap(True)
        self._found.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.path.setReadOnly(True)
        self.path.setAccessibleName("path of the product")
        self.set_button = QPushButton("Set it")
        self.set_button.setProperty("hardware", True)
        self.set_button.setToolTip("move the actuator to the optimum that was found; asks first")
        self.optimum: Optimum | None = None
        line = in_row((self.path, 1), self.picture, self.page, self.set_button)
        in_column(self._found, line, on=self, margins_px=(0, 0, 0, 0), spacing_px=2)
        self.hide()

    def tell(self, state: ProcedureState | None) -> None:
        """Show what this procedure left, once it has ended."""
        path = "" if state is None or state.running else state.product
        if path == self._product:
            return
        self._product = path
        self._say_found(product_in_words(path) if path else [])
        self.path.setText(path)
        self.path.setToolTip(f"{path}\nthe product; `magis-calib products show` tells all of it")
        self.picture.of(path)
        certified = state is not None and state.name == "calibrate" and state.good
        self.page.of(path if certified else "")
        self.optimum = optimum_of(path) if path else None
        self.set_button.setVisible(self.optimum is not None)
        self.setVisible(bool(path))

    def _say_found(self, lines: list[str]) -> None:
        """Write the lines behind one another; they are wrapped between, not within."""
        self._found.setText("  ·  ".join(line.replace(" ", "\u00a0") for line in lines))
        self._found.setVisible(bool(lines))

    def _open_page(self, product: str, page: str, words: str) -> None:
        """Say where the certificate is, and hand it to whatever shows pages here."""
        self.path.setText(page or product)
        self.path.setToolTip(f"{page}\nthe certificate" if page else f"▲ {words}")
        if page:
            QDesktopServices.openUrl(QUrl.fromLocalFile(page))

    def proposal(self) -> ReturnTo | None:
        """Return the move to the optimum; None where there is none."""
        if self.optimum is None:
            return None
        goal = {self.optimum.actuator: self.optimum.setpoint}
        return ReturnTo(goal, f"the optimum of {self.optimum.kind}")
