"""A disk whose calls fail one at a time: nothing that was told to be stored is missing."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path

import pytest

from tests.benchmarks.failing_writes.__main__ import failing
from tests.benchmarks.failing_writes.recording import KINDS

EVERY = 97
"""Every call of 640 would take minutes: `python -m tests.benchmarks.failing_writes` does that."""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_a_failing_write_is_told_and_loses_nothing_that_was_stored(tmp_path: Path) -> None:
    with failing(tmp_path) as runs:
        wrong, calls = runs.misses(-1, 0, 0, 0)
        assert not wrong
        assert calls[KINDS.index("pwrite")] > 300
        for kind, count in enumerate(calls):
            for nth in range(kind, count, EVERY):
                wrong, _ = runs.misses(kind, nth, 1, errno.EIO if nth % 2 else errno.ENOSPC)
                assert not wrong, (KINDS[kind], nth, wrong)


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_a_disk_that_fails_for_a_while_loses_nothing_either(tmp_path: Path) -> None:
    with failing(tmp_path) as runs:
        for nth in (40, 333):
            wrong, _ = runs.misses(KINDS.index("pwrite"), nth, 20, errno.EIO)
            assert not wrong, (nth, wrong)
