"""What was asked of the controllers, by whom, and what they answered: a JSON line each."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from magis_calib.host.files import open_anew
from magis_calib.link.control_messages import Answer, ControllerRequest


class CommandLog:
    """Writes as commands come. Used by one thread."""

    def __init__(self, path: Path | None) -> None:
        """Begin a new file; None to write nothing. Raises `OSError`."""
        self._file = None if path is None else os.fdopen(open_anew(path), "w", encoding="utf-8")

    def add(self, controller: str, who: str, request: ControllerRequest, answer: Answer) -> None:
        """Write down a request that may change something; `who`: the name of its key."""
        if self._file is None or request.request not in ("write", "sequence"):
            return
        line = {
            "time_ns": time.time_ns(),
            "controller": controller,
            "by": who,
            "session": request.session,
            "number": request.number,
            "request": request.request,
            "commit": request.commit,
            "setpoints": request.setpoints,
            "sequence_type": request.sequence_type,
            "ok": answer.ok,
            "refused": answer.error.code if answer.error else None,
            "effective_drop": answer.effective_drop,
        }
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
