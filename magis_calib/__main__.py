"""`python -m magis_calib` is `magis-calib`."""

import sys

from magis_calib.host.child import leave_out_working_folder

leave_out_working_folder()

from magis_calib.cli.main import main  # noqa: E402  only now from our own folders

if __name__ == "__main__":
    sys.exit(main())
