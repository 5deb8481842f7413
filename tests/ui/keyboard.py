"""An operator without a mouse: the keys of an entry of the menus, Tab from control to control,
Escape.
"""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog, QLineEdit, QMenu, QWidget
from window_bench import WindowBench, delete_now, wait_until


class Keys:
    """The keys of one entry of the menus: called, they are pressed, and what follows is drawn.

    An entry that has none is chosen in its menu.
    """

    def __init__(self, bench: WindowBench, action: QAction) -> None:
        self.bench, self.times = bench, 0
        self._action = action

    def __call__(self) -> None:
        heard: list[QAction] = []
        bring_to_front(self.bench)
        listening = self._action.triggered.connect(lambda *_: heard.append(self._action))
        if self._action.shortcut().isEmpty():
            self._action.trigger()
        else:
            QTest.keySequence(self.bench.window, self._action.shortcut())
        self._action.disconnect(listening)
        assert len(heard) == 1, f"{self._action.shortcut().toString()} was not heard"
        self.times += 1
        self.bench.drawn()


def plain(action: QAction) -> str:
    """Return the text of an entry without the mark of its letter."""
    return action.text().replace("&", "")


def entries(menu: QMenu) -> Iterator[QAction]:
    """Yield every entry of a menu and of those within it."""
    for action in menu.actions():
        inner = action.menu()
        if isinstance(inner, QMenu):
            yield from entries(inner)
        elif not action.isSeparator():
            yield action


def bring_to_front(bench: WindowBench) -> None:
    """Have the window hear the keyboard, as an operator does who turns to it."""
    bench.window.activateWindow()
    wait_until(bench.window.isActiveWindow, "the keyboard")


def press(key: Qt.Key) -> None:
    """Press a key where the keyboard is."""
    focused = QApplication.focusWidget()
    assert focused is not None, "nothing has the keyboard"
    QTest.keyClick(focused, key)


def has_keyboard(widget: QWidget) -> bool:
    """Tell whether the keyboard is in this widget."""
    focused = QApplication.focusWidget()
    return focused is not None and (focused is widget or widget.isAncestorOf(focused))


def opened(bench: WindowBench, kind: type[QDialog] = QDialog) -> QDialog:
    """Wait for the one dialog of this kind and for the keyboard in it."""
    wait_until(
        lambda: [one for one in bench.window.findChildren(kind) if one.isVisible()], "a dialog"
    )
    (dialog,) = bench.window.findChildren(kind)
    dialog.activateWindow()
    wait_until(lambda: has_keyboard(dialog), "the keyboard in the dialog")
    return dialog


def closed(bench: WindowBench, kind: type[QDialog] = QDialog) -> None:
    """Wait until no dialog of this kind is left."""

    def none_left() -> bool:
        delete_now()
        return not bench.window.findChildren(kind)

    wait_until(none_left, "the end of the dialog")


def type_file(bench: WindowBench, name: str) -> None:
    """Type a name into the file dialog that stands open, and Return."""
    dialog = opened(bench, QFileDialog)
    edit = dialog.findChild(QLineEdit, "fileNameEdit")
    assert edit.hasFocus()
    edit.selectAll()
    QTest.keyClicks(edit, name)
    press(Qt.Key.Key_Return)
    closed(bench, QFileDialog)
