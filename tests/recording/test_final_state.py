"""A disk that failed for a while is no reason to end with a crash."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from magis_calib.recording.reader import Session

PROGRAM = """
import resource, signal, sys
from pathlib import Path
import numpy as np
from magis_calib.domain.errors import SessionError
from magis_calib.config.recording import Recording
from magis_calib.recording.writer import SessionWriter
from tests.pictures import SMALL, frame

path, whole = Path(sys.argv[1]), resource.getrlimit(resource.RLIMIT_FSIZE)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
writer = SessionWriter(path, "bottom", "{}", {}, Recording(compression="none"))
blank = np.zeros((SMALL.rows, SMALL.columns), np.uint16)

def drop(drop_id):
    for view in "xy":
        writer.frame(frame(blank, view, drop_id))
    writer.commit()

drop(1)
resource.setrlimit(resource.RLIMIT_FSIZE, (next(path.glob("*.h5*")).stat().st_size, whole[1]))
try:
    drop(2)
except SessionError as error:
    print(error)
writer.abandon()
resource.setrlimit(resource.RLIMIT_FSIZE, whole)
drop(3)
writer.close({"counters": {}})
sys.exit(7)
"""


def test_the_exit_code_is_that_of_the_run(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(tmp_path / "s")],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert "cannot write" in done.stdout
    assert done.returncode == 7
    newest = max((tmp_path / "s").glob("segment-*.h5"))
    with Session(tmp_path / "s", only=newest.name) as after:
        assert after.frames == [(3, "x"), (3, "y")]
