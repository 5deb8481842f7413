"""The disk that is recorded on: slow, full or read-only while a file says so (bad_disk.c)."""

from __future__ import annotations

import subprocess
from pathlib import Path

NAME = "disk"
"""Of the file that says it; what is recorded below the folder `sessions` beside it is struck."""


def built(library: Path) -> str:
    """Compile what stands between a program and its disk, to be named in LD_PRELOAD."""
    source = Path(__file__).with_name("bad_disk.c")
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-O2", "-Wall", "-o", str(library), str(source), "-ldl"],
        check=True,
    )
    return str(library)


def variables(folder: Path) -> dict[str, str]:
    """Return the variables by which that library knows what to strike, and when."""
    return {"BAD_DISK": str(folder / NAME), "BAD_DISK_BELOW": str(folder / "sessions")}


class Weather:
    """Writes what the disk is to be like, where that changes."""

    def __init__(self, folder: Path) -> None:
        """Begin with a good disk."""
        self._file, self._now = folder / NAME, ""

    def become(self, disk: str) -> None:
        """Let it be so from now on: "slow SECONDS", "full", "read-only", or nothing."""
        if disk != self._now:
            self._file.write_text(disk)
            self._now = disk
