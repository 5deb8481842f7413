"""A panel's content, or the words that say why there is none yet."""

from __future__ import annotations

from PySide6.QtWidgets import QLabel, QStackedLayout, QWidget

from ui.style.colours import DIM


def quiet_words(text: str = "") -> QLabel:
    """Return the label of words that stand where nothing else does."""
    label = QLabel(text)
    label.setWordWrap(True)
    label.setStyleSheet(f"color: {DIM}; padding: 16px;")
    return label


def write(label: QLabel, text: str, colour: str) -> None:
    """Write this in a colour, where it is not there already: a style costs more than a text."""
    if text != label.text():
        label.setText(text)
        label.setStyleSheet(f"color: {colour};")


class OrWords(QStackedLayout):
    """Lies on a panel and shows either; words at first."""

    def __init__(self, panel: QWidget, content: QWidget, words: QLabel | None = None) -> None:
        """Lie on `panel`; `words`: the label instead of `content`, where it looks otherwise."""
        super().__init__(panel)
        self._content = content
        self._words = words or quiet_words()
        self.addWidget(self._words)
        self.addWidget(content)

    @property
    def are_words(self) -> bool:
        """Whether words stand instead of the content."""
        return self.currentWidget() is self._words

    def say(self, text: str) -> None:
        """Show these words."""
        self._words.setText(text)
        self.setCurrentWidget(self._words)

    def show_content(self) -> None:
        """Show the content."""
        self.setCurrentWidget(self._content)
