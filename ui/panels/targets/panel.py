"""Targets, gains and limits of the loop; new ones are applied after a yes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QBoxLayout,
    QScrollArea,
    QStackedWidget,
    QWidget,
)

from magis_calib.state.commands import Command, SetGain, SetLimits, SetTarget
from magis_calib.state.snapshot import Snapshot
from ui.models.editable_settings import (
    FOR_THIS_RUN,
    Change,
    Item,
    Key,
    SettingKind,
    commands,
    items_of,
    why_read_only,
)
from ui.panels.targets.rows import TargetRow, TargetsBlock
from ui.style.colours import DIM, INFO, LOOK
from ui.widgets.boxes import fill, in_column, in_row, scroll
from ui.widgets.buttons import push_button
from ui.widgets.confirm import ConfirmBar
from ui.widgets.label import ElidedLabel
from ui.widgets.quiet import FocusTabs

PAGES: dict[str, dict[str, tuple[SettingKind, ...]]] = {
    "Targets and gains": {"target": ("target",), "gain": ("gain",)},
    "Limits": {"limit": ("minimum", "maximum"), "limit of steps": ("step_cap", "excursion")},
}


OF_APPLY = f"asks first, listing every change; {FOR_THIS_RUN}"
SETS = {one.__name__ for one in (SetTarget, SetGain, SetLimits)}
OF_PUT_BACK = "clear everything that was typed and not applied"
OF_SAVED = "type what the configuration file says; apply it as any other change"


class Page(QScrollArea):
    """Blocks beside each other, or below where there is no room for that.

    It scrolls when the dock is low.
    """

    def __init__(self, blocks: list[TargetsBlock]) -> None:
        """`blocks` lie on the page from left to right."""
        super().__init__()
        self._blocks = blocks
        inside = QWidget()
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight, inside)
        fill(self._box, *blocks, margins_px=(0, 0, 0, 0), spacing_px=0)
        scroll(self, inside)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: D102
        super().resizeEvent(event)
        self.follow_width()

    def follow_width(self) -> None:
        """Lay the blocks beside each other where both have room."""
        beside = self.width() >= self._all_beside_px()
        self._box.setDirection(
            QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        )

    def _all_beside_px(self) -> int:
        """Return the width that all blocks need beside each other, and the scroll bar."""
        blocks_px = sum(block.minimumSizeHint().width() for block in self._blocks)
        return blocks_px + self.verticalScrollBar().width()


class TargetsPanel(QWidget):
    """Shows what is in force and asks the run to change it; holds nothing but what is typed."""

    def __init__(self, submit: Callable[[Command], None]) -> None:
        """`submit` hands a command to the run."""
        super().__init__()
        self._submit = submit
        self._snapshot: Snapshot | None = None
        self._requested: dict[Key, Change] = {}
        """What the question is about, and then what was asked of the run and is not seen in force
        yet.
        """
        self._blocks = {
            kinds: TargetsBlock(title) for page in PAGES.values() for title, kinds in page.items()
        }
        self._pages = [
            Page([self._blocks[kinds] for kinds in blocks.values()]) for blocks in PAGES.values()
        ]
        self._tabs = FocusTabs("targets and gains, or limits")
        self._stack = QStackedWidget()
        self._state = ElidedLabel(grows=True)
        self.apply = push_button("Apply…", OF_APPLY, self.ask_to_apply, hardware=True)
        self.put_back = push_button("Put back", OF_PUT_BACK, self.clear)
        self.take_saved = push_button("Saved values", OF_SAVED, self._type_saved)
        self.question = ConfirmBar("Apply", "Cancel")
        self.question.accepted.connect(self._send)
        self.question.rejected.connect(self._forget)
        self._add_pages()
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
        editable = not why_read_only(snapshot)
        for kinds, block in self._blocks.items():
            block.show_items([one for one in items.values() if one.key[0] in kinds], editable)
        for page in self._pages:
            page.follow_width()
        if not self.question.isVisible():
            self._forget_done(items)
        self._follow_edits()

    def _forget_done(self, items: Mapping[Key, Item]) -> None:
        """Clear what was asked for and is in force now."""
        done = [key for key, one in self._requested.items() if items[key].current == one.value]
        for key in done:
            self._requested.pop(key)
            self.rows[key].write("")

    def take_focus(self) -> None:
        """Give the keyboard to the first field."""
        self._tabs.setCurrentIndex(0)
        first = next(iter(self.rows.values()), None)
        (first.edit if first is not None and not first.edit.isReadOnly() else self._tabs).setFocus()

    def ask_to_apply(self) -> None:
        """Ask whether what is typed shall be in force, listing every change."""
        changes = self._changes()
        if changes and not self._refused() and not self._why_read_only():
            self._requested = changes
            listed = "; ".join(_listed(changes))
            self.question.show_question(f"apply {listed}? {FOR_THIS_RUN.capitalize()}")

    def clear(self) -> None:
        """Clear everything that was typed."""
        for row in self.rows.values():
            row.write("")
        self._forget()
        self._follow_edits()

    def _changes(self) -> dict[Key, Change]:
        rows = self.rows.items()
        return {key: one for key, row in rows if (one := row.change()) is not None}

    def _refused(self) -> list[str]:
        rows = self.rows.values()
        return [f"{row.label}: {row.refusal}" for row in rows if row.refusal]

    def _why_read_only(self) -> str:
        known = self._snapshot
        return "nothing is known of the loop yet" if known is None else why_read_only(known)

    def _send(self) -> None:
        if self._snapshot is not None:
            for command in commands(self._requested, self._snapshot):
                self._submit(command)
        self._tabs.setFocus()

    def _forget(self) -> None:
        """Drop the question: it was about other numbers than those that stand there now."""
        self._requested = {}
        self.question.hide()

    def _type_saved(self) -> None:
        for row in self.rows.values():
            row.write_saved()
        self._follow_edits()

    def _follow_edits(self) -> None:
        """Judge what is typed: say how much would change, and offer what can be done."""
        for row in self.rows.values():
            row.mark_typed()
        changes, refused, closed = self._changes(), self._refused(), self._why_read_only()
        other = _listed(changes) != _listed(self._requested)
        if self.question.isVisible() and (other or refused or closed):
            self._forget()
        self._offer(bool(changes) and not refused, closed)
        self._state.say(*self._words(changes, refused, closed))

    def _offer(self, can_apply: bool, closed: str) -> None:
        rows = self.rows.values()
        differs = any(one.item.saved != one.item.current for one in rows)
        self.apply.setEnabled(can_apply and not closed)
        self.put_back.setEnabled(any(row.edit.text() for row in rows))
        self.take_saved.setEnabled(not closed and differs)

    def _words(
        self, changes: Mapping[Key, Change], refused: list[str], closed: str
    ) -> tuple[str, str, str]:
        """Say how much would change, or why nothing can: text, colour and hover."""
        if closed:
            return f"■ {closed}", DIM, ""
        if refused:
            return f"▲ {refused[0]}", LOOK, "\n".join(refused[1:])
        if answer := self._answer():
            return f"▲ {answer}", LOOK, ""
        if changes:
            many = "s" if len(changes) != 1 else ""
            listed = "\n".join(_listed(changes))
            return f"✎ {len(changes)} change{many}, not applied yet", INFO, listed
        return "type a new value, then apply; " + FOR_THIS_RUN, DIM, ""

    def _answer(self) -> str:
        """Return why the run did not take what it was asked for last.

        Empty where nothing is waited for.
        """
        answer = self._snapshot.answer if self._snapshot is not None else None
        waited_for = self._requested and self.question.isHidden()
        if answer is None or not waited_for or not answer.refused or answer.to not in SETS:
            return ""
        return answer.words

    def _lay_out(self) -> None:
        buttons = (self.take_saved, self.put_back, self.apply)
        line = in_row(self._tabs, (self._state, 1), *buttons, margins_px=(0, 0, 4, 0), spacing_px=6)
        parts = (line, self.question, (self._stack, 1))
        in_column(*parts, on=self, margins_px=(2, 2, 2, 0), spacing_px=2)

    def _add_pages(self) -> None:
        for title, page in zip(PAGES, self._pages, strict=True):
            self._tabs.addTab(title)
            self._stack.addWidget(page)
        self._tabs.setDrawBase(False)
        self._tabs.currentChanged.connect(self._stack.setCurrentIndex)
        for block in self._blocks.values():
            block.edited.connect(self._follow_edits)
            block.apply_wanted.connect(self.ask_to_apply)


def _listed(changes: Mapping[Key, Change]) -> list[str]:
    return [change.in_words() for change in changes.values()]
