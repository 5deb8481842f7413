"""Paperwork that takes a while and moves nothing: done beside the run, the answer is told later."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from pathlib import Path

from magis_calib.recording.certificate import CERTIFICATE
from magis_calib.recording.looking import ask_child

PATIENCE_S = 60.0


class Clerk:
    """Takes one order at a time. Used by the worker; the paperwork is done in a thread and a child of its own."""

    def __init__(self) -> None:
        """Have nothing to do."""
        self._done: deque[str] = deque()
        self._busy: threading.Thread | None = None

    def certify(self, session: str) -> str:
        """Begin to count what a session holds so far; return what is to be said now."""
        if not session:
            return "no certificate: nothing is recorded"
        if self._busy is not None and self._busy.is_alive():
            return "the last certificate is still being written"
        self._busy = threading.Thread(target=self._certified, args=(Path(session),), name="certificate", daemon=True)
        self._busy.start()
        return f"counting what {Path(session).name} holds"

    def told(self) -> Iterator[str]:
        """Yield the answers that have come."""
        while self._done:
            yield self._done.popleft()

    def _certified(self, session: Path) -> None:
        answer = ask_child("magis_calib.recording.certificate", [str(session)], PATIENCE_S)
        if isinstance(answer, str):
            self._done.append(f"no certificate: {answer}")
            return
        gaps = answer["gaps_in_all"]
        missing = f"{gaps} frames missing: {', '.join(answer['gaps'][:5])}" if gaps else "no frame missing"
        self._done.append(
            f"certified: {answer['announced']} drops announced, {answer['recorded']} with an outcome, "
            f"{answer['fitted']} fitted; {answer['stored']} frames stored, {missing}; {session / CERTIFICATE}"
        )
