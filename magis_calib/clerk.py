"""Paperwork that takes a while and moves nothing: done beside the run, the answer is told later."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from magis_calib.domain.commands import Promote
from magis_calib.domain.errors import ConfigError, SessionError
from magis_calib.parts import Parts
from magis_calib.recording.certificate import CERTIFICATE
from magis_calib.recording.looking import ask_child
from magis_calib.recording.promotion import promote
from magis_calib.support import last_papers, write_bundle

PATIENCE_S = 60.0
NO_FILE = (
    "this run has no configuration file to write it into: write one with "
    "`magis-calib config --default > station.toml` and start again with `--config station.toml`"
)


class Clerk:
    """Takes one order at a time. Used by the worker; the paperwork is done in a thread of its own."""

    def __init__(self) -> None:
        """Have nothing to do."""
        self._done: deque[str] = deque()
        self._busy: threading.Thread | None = None

    def certify(self, session: str) -> str:
        """Begin to count what a session holds so far; return what is to be said now."""
        if not session:
            return "no certificate: nothing is recorded"
        return self._begin(lambda: _certified(Path(session)), f"counting what {Path(session).name} holds")

    def bundle(self, texts: Mapping[str, str], session: Path | None, products: Path | None) -> str:
        """Begin to write a support bundle into the session's folder (else that of the products)."""
        folder = session or products
        if folder is None:
            return "no support bundle: there is no folder for it, neither of a session nor of products"
        return self._begin(lambda: _bundled(folder, texts, last_papers(session, products)), "writing a support bundle")

    def promote(self, wish: Promote, parts: Parts) -> str:
        """Begin to put a measured matrix in force in the configuration file of the run."""
        if parts.mode == "replay":
            return "not promoted: this is a replay"
        config = parts.configuration
        if config is None:
            return f"not promoted: {NO_FILE}"
        return self._begin(lambda: _promoted(wish, config, parts.name), f"promoting {Path(wish.product).name}")

    def told(self) -> Iterator[str]:
        """Yield the answers that have come."""
        while self._done:
            yield self._done.popleft()

    def _begin(self, work: Callable[[], str], words: str) -> str:
        if self._busy is not None and self._busy.is_alive():
            return "the last paper is still being written"
        self._busy = threading.Thread(target=lambda: self._done.append(work()), name="clerk", daemon=True)
        self._busy.start()
        return words


def _certified(session: Path) -> str:
    answer = ask_child("magis_calib.recording.certificate", [str(session)], PATIENCE_S)
    if isinstance(answer, str):
        return f"no certificate: {answer}"
    gaps = answer["gaps_in_all"]
    missing = f"{gaps} frames missing: {', '.join(answer['gaps'][:5])}" if gaps else "no frame missing"
    missing += f" up to drop {answer['counted_to']}" if answer["counted_to"] is not None else ""
    return (
        f"certified: {answer['announced']} drops announced, {answer['recorded']} with an outcome, "
        f"{answer['fitted']} fitted; {answer['stored']} frames stored, {missing}; {session / CERTIFICATE}"
    )


def _bundled(folder: Path, texts: Mapping[str, str], files: list[Path]) -> str:
    try:
        return f"support bundle: {write_bundle(folder, texts, files)}"
    except OSError as error:
        return f"no support bundle: {error}"


def _promoted(wish: Promote, config: Path, station: str) -> str:
    try:
        done = promote(Path(wish.product), config, station, wish.who)
    except (ConfigError, SessionError, OSError) as error:
        return f"not promoted: {error}"
    return f"promoted by {wish.who}: {done}; this run keeps the one that it began with, the next start uses the new one"
