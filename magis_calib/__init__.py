"""Real-time calibration control for the MAGIS-100 atom interferometer."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from magis_calib.recording.reader import Session

__version__ = "0.1.0"


def open_session(path: str | os.PathLike[str]) -> Session:
    """Open a recorded session for reading, also while it is being written.

    Use it as a context manager.

    A child process looks first: a damaged file raises `SessionError` and crashes nobody.
    """
    from magis_calib.recording.probe import (
        opened,
    )  # whoever only asks for the version need not load HDF5

    return opened(Path(path))
