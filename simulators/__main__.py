"""`python -m simulators` is `magis-sim`."""

from __future__ import annotations

import sys

from simulators.main import main

if __name__ == "__main__":
    sys.exit(main())
