"""Targets, gains and limits of the loop: saved, current, allowed, and new ones that are applied
after a yes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from magis_calib.state.commands import Command
from magis_calib.state.snapshot import Snapshot
from ui.models.editable_settings import (
    FOR_THIS_RUN,
    Change,
    Key,
    SettingKind,
    commands,
    items_of,
    why_read_only,
)
from ui.panels.targets.rows import TargetRow, TargetsBlock
from ui.style.colours import DIM, INFO, LOOK
from ui.widgets.confirm import ConfirmBar
from ui.widgets.label import ElidedLabel
from ui.widgets.quiet import FocusTabs

PAGES: dict[str, dict[str, tuple[SettingKind, ...]]] = {
    "Targets and gains": {"target": ("target",), "gain": ("gain",)},
    "Limits": {"limit": ("minimum", "maximum"), "limit of steps": ("step_cap", "excursion")},
}


class Page(QScrollArea):
    """Blocks beside each other, or below where there is no room for that.

    It scrolls when the dock is low.
    """

    def __init__(self, blocks: list[TargetsBlock]) -> None:
        super().__init__()
        self._blocks = blocks
        inside = QWidget()
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, inside)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(0)
        for block in blocks:
            self._box.addWidget(block)
        self.setWidget(inside)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102
        super().resizeEvent(event)
        self.follow_width()

    def follow_width(self) -> None:
        """Lay the blocks beside each other where both have room."""
        wide = (
            sum(block.minimumSizeHint().width() for block in self._blocks)
            + self.verticalScrollBar().width()
        )
        beside = self.width() >= wide
        self._box.setDirection(
            QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        )


class TargetsPanel(QWidget):
    """Shows what is in force and asks the run to change it; holds nothing but what is typed."""

    def __init__(self, submit: Callable[[Command], None]) -> None:
        super().__init__()
        self._submit = submit
        self._snapshot: Snapshot | None = None
        self._asked: dict[Key, Change] = {}
        """What the question is about, and then what was asked of the run and is not seen in force
        yet.
        """
        self._blocks = {
            kinds: TargetsBlock(title) for page in PAGES.values() for title, kinds in page.items()
        }
        self._tabs = FocusTabs("targets and gains, or limits")
        self._stack = QStackedWidget()
        self._state = ElidedLabel(grows=True)
        self.apply = _button("Apply…", f"asks first, listing every change; {FOR_THIS_RUN}")
        self.put_back = _button("Put back", "clear everything that was typed and not applied")
        self.take_saved = _button(
            "Saved values",
            "type what the configuration file says; apply it as any other change",
        )
        self.apply.setProperty("hardware", True)
        self.question = ConfirmBar("Apply", "Cancel")
        self.question.accepted.connect(self._send)
        self.question.rejected.connect(self._forget)
        self.apply.clicked.connect(self.ask)
        self.put_back.clicked.connect(self.clear)
        self.take_saved.clicked.connect(self._type_saved)
        self._lay_out()

    @property
    def rows(self) -> dict[Key, TargetRow]:
        """All rows."""
        return {key: row for block in self._blocks.values() for key, row in block.rows.items()}

    def refresh(self, snapshot: Snapshot, now_s: float) -> None:
        """Show what is saved and in force.

        What was asked for and is in force now is no longer a change.
        """
        self._snapshot = snapshot
        items = items_of(snapshot)
        for kinds, block in self._blocks.items():
            block.show_items(
                [item for item in items.values() if item.key[0] in kinds],
                not why_read_only(snapshot),
            )
        for number in range(self._stack.count()):
            page = self._stack.widget(number)
            assert isinstance(page, Page)
            page.follow_width()
        if not self.question.isVisible():
            rows = self.rows
            done = [
                key for key, change in self._asked.items() if items[key].current == change.value
            ]
            for key in done:
                self._asked.pop(key)
                rows[key].write("")
        self._follow_edits()

    def take_focus(self) -> None:
        """Give the keyboard to the first field."""
        self._tabs.setCurrentIndex(0)
        first = next(iter(self.rows.values()), None)
        (first.edit if first is not None and not first.edit.isReadOnly() else self._tabs).setFocus()

    def ask(self) -> None:
        """Ask whether what is typed shall be in force, listing every change."""
        changes = self._changes()
        if (
            not changes
            or self._refused()
            or self._snapshot is None
            or why_read_only(self._snapshot)
        ):
            return
        self._asked = changes
        self.question.ask(f"apply {'; '.join(_listed(changes))}? {FOR_THIS_RUN.capitalize()}")

    def clear(self) -> None:
        """Clear everything that was typed."""
        for row in self.rows.values():
            row.write("")
        self._forget()
        self._follow_edits()

    def _changes(self) -> dict[Key, Change]:
        found = {key: row.change() for key, row in self.rows.items()}
        return {key: change for key, change in found.items() if change is not None}

    def _refused(self) -> list[str]:
        rows = self.rows.values()
        return [
            f"{row.edit.accessibleName().removeprefix('new ')}: {row.refusal}"
            for row in rows
            if row.refusal
        ]

    def _send(self) -> None:
        if self._snapshot is not None:
            for command in commands(self._asked, self._snapshot):
                self._submit(command)
        self._tabs.setFocus()

    def _forget(self) -> None:
        """Drop the question: it was about other numbers than those that stand there now."""
        self._asked = {}
        self.question.hide()

    def _type_saved(self) -> None:
        for row in self.rows.values():
            item = row.item
            row.write(item.typed(item.saved) if item.saved != item.current else "")
        self._follow_edits()

    def _follow_edits(self) -> None:
        """Judge what is typed: say how much would change, and offer what can be done."""
        for row in self.rows.values():
            row.judge()
        changes, refused = self._changes(), self._refused()
        closed = (
            why_read_only(self._snapshot)
            if self._snapshot is not None
            else "nothing is known of the loop yet"
        )
        if self.question.isVisible() and (
            _listed(changes) != _listed(self._asked) or refused or closed
        ):
            self._forget()
        typed = any(row.edit.text() for row in self.rows.values())
        self.apply.setEnabled(bool(changes) and not refused and not closed)
        self.put_back.setEnabled(typed)
        self.take_saved.setEnabled(
            not closed and any(one.item.saved != one.item.current for one in self.rows.values())
        )
        count = f"✎ {len(changes)} change{'s' if len(changes) != 1 else ''}, not applied yet"
        if closed:
            self._state.say(f"■ {closed}", DIM)
        elif refused:
            self._state.say(f"▲ {refused[0]}", LOOK, "\n".join(refused[1:]))
        elif answer := self._answer():
            self._state.say(f"▲ {answer}", LOOK)
        elif changes:
            self._state.say(count, INFO, "\n".join(_listed(changes)))
        else:
            self._state.say("type a new value, then apply; " + FOR_THIS_RUN, DIM)

    def _answer(self) -> str:
        """Return why the run did not take what it was asked for last.

        Empty where nothing is waited for.
        """
        note = self._snapshot.note if self._snapshot is not None else ""
        return note if self._asked and self.question.isHidden() and " not set: " in note else ""

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        line = QHBoxLayout()
        column.setContentsMargins(2, 2, 2, 0)
        column.setSpacing(2)
        line.setContentsMargins(0, 0, 4, 0)
        line.setSpacing(6)
        line.addWidget(self._tabs)
        line.addWidget(self._state, 1)
        for button in (self.take_saved, self.put_back, self.apply):
            line.addWidget(button)
        for title, blocks in PAGES.items():
            self._tabs.addTab(title)
            self._stack.addWidget(Page([self._blocks[kinds] for kinds in blocks.values()]))
        self._tabs.setDrawBase(False)
        self._tabs.currentChanged.connect(self._stack.setCurrentIndex)
        for block in self._blocks.values():
            block.edited.connect(self._follow_edits)
            block.asked.connect(self.ask)
        column.addLayout(line)
        column.addWidget(self.question)
        column.addWidget(self._stack, 1)


def _listed(changes: Mapping[Key, Change]) -> list[str]:
    return [change.in_words() for change in changes.values()]


def _button(text: str, hover: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(hover)
    button.setAccessibleName(f"{text.rstrip('…')}: {hover}")
    return button
