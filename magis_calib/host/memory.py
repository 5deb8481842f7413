"""Keep the memory that images were summed in, instead of fetching it anew from the kernel for every
drop.
"""

from __future__ import annotations

import ctypes

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Of glibc's mallopt(3)."""
KEPT_BYTES = 512 * 2**20
LARGEST_BYTES = 32 * 2**20
"""The largest threshold that glibc takes.

Whole images come from sockets or files, not from here.
"""


def keep_freed_memory() -> None:
    """Tell the C library not to give freed memory back.

    On a virtual machine page faults cost as much as the sums.

    Does nothing where the C library is another than glibc.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGEST_BYTES)
        mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
