"""Putting the measured matrix in force: asked in place, saying what replaces what."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePath

from magis_calib.host.user import login_name
from magis_calib.state.commands import Command, Promote
from magis_calib.state.matrix import NO_FILE, MeasuredMatrix
from magis_calib.state.snapshot import Snapshot
from ui.models.live import why_over
from ui.models.matrix_views import NONE_MEASURED
from ui.widgets.confirm import ConfirmBar


class PromoteQuestion(ConfirmBar):
    """Says what would be written, or why nothing can be; a yes sends the command."""

    def __init__(self, submit: Callable[[Command], None]) -> None:
        """`submit` hands a command to the run."""
        super().__init__("Promote", "Cancel")
        self.yes.setAccessibleName("promote the measured matrix")
        self.no.setAccessibleName("do not promote it")
        self._submit = submit
        self._pending: MeasuredMatrix | None = None
        self.accepted.connect(self._promote)
        self.rejected.connect(self._forget)

    def refresh(self, snapshot: Snapshot) -> None:
        """Give up where the answer could not be obeyed, or another matrix was measured since."""
        if self._pending is not None and (
            why_not_promoted(snapshot) or snapshot.measured is not self._pending
        ):
            self._forget()
            self.hide()

    def ask_about(self, snapshot: Snapshot) -> None:
        """Ask whether the measured matrix shall be in force."""
        refusal = why_not_promoted(snapshot)
        measured = snapshot.measured
        self._pending = None if refusal else measured
        if refusal or measured is None:
            self.show_question(f"▲ cannot promote: {refusal}", allowed=False)
        else:
            self.show_question(_request(measured, snapshot))

    def _promote(self) -> None:
        if self._pending is not None:
            self._submit(Promote(self._pending.product, login_name()))
        self._forget()

    def _forget(self) -> None:
        self._pending = None


def _request(measured: MeasuredMatrix, snapshot: Snapshot) -> str:
    """Write which would replace which, and where."""
    new = measured.matrix
    return (
        f"put {new.name} ({new.origin}) in place of {measured.saved}, for station "
        f"{snapshot.station}? "
        f"Written into {snapshot.configuration}, in force from the next start on"
    )


def why_not_promoted(snapshot: Snapshot) -> str:
    """Say why nothing can be promoted now; empty where something can."""
    if over := why_over(snapshot):
        return over
    if snapshot.measured is None:
        return NONE_MEASURED
    return _why_not_written(snapshot.measured, snapshot.configuration)


def _why_not_written(measured: MeasuredMatrix, configuration: str) -> str:
    """Say why the configuration file cannot take the matrix; empty where it can."""
    if not configuration:
        product = PurePath(measured.product).name
        command = f"magis-calib products promote {product} --config station.toml"
        return f"{NO_FILE}; then ask again, or `{command}`"
    if measured.promoted:
        name = measured.matrix.name
        return f"{configuration} names {name} already, in force from the next start on"
    return "" if measured.saved else f"{configuration} cannot be read"
