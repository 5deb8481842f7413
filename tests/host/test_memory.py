from __future__ import annotations

import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
import numpy as np
from magis_calib.host.memory import keep_freed_memory

if "keep" in sys.argv:
    keep_freed_memory()
for turn in range(30):
    if turn == 10:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    pictures = [np.ones(3_000_000, np.uint8) for _ in range(10)]
    del pictures
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
PAGES = 20 * 10 * 3_000_000 // 4096
"""Of all pictures of the last twenty turns."""


@pytest.mark.skipif(sys.platform != "linux", reason="a matter of glibc")
def test_memory_that_was_freed_is_used_again_without_a_page_fault() -> None:
    def faults(*words: str) -> int:
        return int(
            subprocess.run(
                [sys.executable, "-c", FAULTS, *words], capture_output=True, check=True
            ).stdout
        )

    assert faults("keep") < 0.01 * PAGES < faults()
