"""`python -m magis_calib` is `magis-calib`."""

import sys

from magis_calib.cli.main import main

sys.exit(main())
