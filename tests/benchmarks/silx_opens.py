"""Whether silx, in a test environment of its own, opens a session without a screen and shows the
default plot.

    python -m tests.benchmarks.silx_opens SESSION --folder NEW

Installs silx there (this needs a package registry), opens each segment in its viewer as `silx view`
does, and leaves a picture of the window. Exit 1 where the default plot is none, or another than the
newest segment's images with axes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import venv
from pathlib import Path

PACKAGES = ("silx[full]>=2.1", "hdf5plugin", "PySide6>=6.8,<6.12")
VIEWING = """
import sys, time
import hdf5plugin
from silx.gui import qt
application = qt.QApplication([])
import silx.io
from silx.app.view.Viewer import Viewer
from silx.gui.data.DataViewer import DataViewer
from silx.io.nxdata import get_default

segment, picture, settings = sys.argv[1:]
with silx.io.open(segment) as file:
    plot = get_default(file)
    assert plot is not None and plot.is_valid, "no default plot"
    assert plot.signal.ndim == 3 and plot.signal_name, plot.signal
    axes = [name for name in plot.axes_names if name]
    print(f"default plot: {plot.signal_name}, {plot.signal.shape}, axes {axes}")
viewer = Viewer(None, qt.QSettings(settings, qt.QSettings.Format.IniFormat))
viewer.resize(1200, 800)
viewer.show()
viewer.appendFile(segment)
until = time.monotonic() + 8.0
while time.monotonic() < until:
    application.processEvents()
    time.sleep(0.01)
shown = [one.displayedView() for one in viewer.findChildren(DataViewer)]
print(f"shown as: {[view.label() for view in shown if view is not None]}")
assert any(view is not None and "NXdata" in type(view).__name__ for view in shown), shown
viewer.grab().save(picture)
"""


def main() -> int:
    """Install, open, report; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("session", type=Path)
    parser.add_argument(
        "--folder", type=Path, required=True, help="new folder for the environment and the picture"
    )
    options = parser.parse_args()
    python = options.folder / "environment" / "bin" / "python"
    venv.create(options.folder / "environment", with_pip=True)
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    segment = sorted(options.session.glob("segment-*.h5"))[-1]
    words = [str(segment), str(options.folder / "silx.png"), str(options.folder / "silx.ini")]
    shown = subprocess.run(
        [python, "-c", VIEWING, *words],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True,
        text=True,
        check=False,
    )
    print(shown.stdout + ("" if shown.returncode == 0 else shown.stderr[-2000:]), end="")
    return int(shown.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
