"""No window is left behind by any test here: neither a dialog, nor a dock that floats."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from window_bench import delete_now, let_qt_work


@pytest.fixture(autouse=True)
def no_window_left_behind() -> Iterator[None]:
    """Fail a test that leaves a window, but for hidden menus:
    those of plots have no owner in Qt.
    """
    before = set(QApplication.topLevelWidgets())
    yield
    for _ in range(20):
        if not (left := _windows() - before):
            return
        delete_now()
        let_qt_work(20)
    pytest.fail(f"windows left behind: {[(type(one).__name__, one.windowTitle()) for one in left]}")


def _windows() -> set[QWidget]:
    return {
        one
        for one in QApplication.topLevelWidgets()
        if one.isVisible() or not isinstance(one, QMenu)
    }
