"""One program at a time writes a session, also where the file system has no locks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from magis_calib.domain.errors import SessionError
from magis_calib.recording.files import HELD
from magis_calib.recording.lock import SessionLock

NO_LOCKS = "#include <errno.h>\nint flock(int fd, int op) { errno = ENOLCK; return -1; }\n"
RECORD = """
import sys
from pathlib import Path
from magis_calib.app.checks.machine import locks_work
from magis_calib.recording.check import check_session
from magis_calib.recording.lock import SessionLock
from tests.recording.test_durable import recorded
path = Path(sys.argv[1])
lock = SessionLock(path)
recorded(path, 1)
print(locks_work(path), check_session(path).whole, flush=True)
input()
"""


@pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc")
def test_a_file_system_without_locks_is_recorded_on_and_its_holder_is_named(tmp_path) -> None:
    path = tmp_path / "s"
    with _without_locks(tmp_path, path) as first:
        assert first.stdout.readline().split() == ["False", "True"]
        with _without_locks(tmp_path, path) as second:
            words = second.communicate()[1]
            assert f"is being written by process {first.pid} on " in words
        first.kill()
        first.wait()
    assert (path / HELD).exists(), "it was killed"
    with _without_locks(tmp_path, path) as third:
        assert third.stdout.readline().split() == ["False", "True"], "its holder is gone"
        third.communicate("\n")


def _without_locks(folder: Path, path: Path) -> subprocess.Popen[str]:
    (folder / "none.c").write_text(NO_LOCKS)
    library = str(folder / f"none-{len(list(folder.iterdir()))}.so")
    subprocess.run(["gcc", "-shared", "-fPIC", "-o", library, str(folder / "none.c")], check=True)
    return subprocess.Popen(
        [sys.executable, "-c", RECORD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "LD_PRELOAD": library, "PYTHONPATH": os.getcwd()},
    )


def test_a_lock_that_is_a_link_is_not_followed(tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "lock").symlink_to(tmp_path / "mine.txt")
    with pytest.raises(SessionError, match="cannot make"):
        SessionLock(tmp_path / "s")
    assert (tmp_path / "mine.txt").read_text() == "mine"
