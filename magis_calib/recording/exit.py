"""How a process ends after libhdf5 could not write what it holds."""

from __future__ import annotations

import ctypes
import functools


@functools.cache
def end_without_hdf5() -> None:
    """Let this process end without libhdf5's own farewell, whatever its exit code.

    After a file could not be flushed libhdf5 2.0 tries to close it once more when the process ends,
    and crashes there. What on_exit(3) is given last is called first, with the exit code: here
    _exit(2). Does nothing without glibc.
    """
    library = ctypes.CDLL(None)
    if hasattr(library, "on_exit"):
        library.on_exit(getattr(library, "_exit"), None)  # noqa: B009 - a function of libc
