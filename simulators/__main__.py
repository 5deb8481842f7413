"""`python -m simulators` is `magis-sim`."""

from __future__ import annotations

import sys

from magis_calib.host.child import leave_out_working_folder

leave_out_working_folder()

from simulators.main import main  # noqa: E402  only now from our own folders

if __name__ == "__main__":
    sys.exit(main())
