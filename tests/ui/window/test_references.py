"""Some releases of PySide6 give back a reference to None with every call until the interpreter dies
of it.
"""

from __future__ import annotations

import sys

import pytest
from PySide6.QtCore import QObject, QPointF
from PySide6.QtGui import QColor, QPainterPath
from PySide6.QtWidgets import QApplication, QLabel


@pytest.mark.skipif(sys.version_info >= (3, 12), reason="None lives for ever from Python 3.12 on")
def test_calls_into_qt_lose_no_references_to_none(qapp: QApplication) -> None:
    label, path, thing = QLabel(), QPainterPath(), QObject()
    before = sys.getrefcount(None)
    for number in range(1000):
        label.setText(str(number))
        label.setVisible(False)
        label.setMinimumWidth(number % 7)
        label.setToolTip("")
        path.lineTo(QPointF(number, number))
        thing.setObjectName("")
        thing.setProperty("colour", QColor(number % 256, 0, 0))
        assert label.parent() is None
    lost = before - sys.getrefcount(None)
    label.deleteLater()
    assert lost < 300
