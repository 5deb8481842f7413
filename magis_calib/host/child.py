"""Programs of ours that run as children: they import nothing that lies where a user works."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
"""The folder that our packages stand in."""
OWN = ("hardware", "simulators", "ui")
"""Our packages with names that others use, too."""


BEGUN = "begun"
"""First line of a child that reads a session: what goes wrong later is the session's fault."""


def python_module(module: str, *arguments: str) -> list[str]:
    """Return the command that runs a module.

    The working folder is left out of its imports; it speaks UTF-8 whatever the locale.
    """
    return [sys.executable, "-P", "-X", "utf8", "-m", module, *arguments]


def say_begun() -> None:
    """Tell the parent that this child has started."""
    sys.stdout.write(f"{BEGUN}\n")
    sys.stdout.flush()


def why_not_begun(errors: str) -> str:
    """Say why a child did not start, by the last line of its errors."""
    last = (errors.strip().splitlines() or ["it said nothing"])[-1]
    return f"not looked into: the program that reads it did not start: {last}"


def leave_out_working_folder() -> None:
    """Import nothing more from the working folder, in this process and all its children.

    `python -m` puts that folder first: a `random.py` of the user's would be taken for Python's.
    """
    os.environ["PYTHONSAFEPATH"] = "1"
    if sys.flags.safe_path or not sys.path or not _is_working_folder(sys.path[0]):
        return
    if Path(sys.path.pop(0) or os.curdir).resolve() == HOME:  # our own checkout, no stranger's
        sys.path.insert(0, str(HOME))
        known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        os.environ["PYTHONPATH"] = os.pathsep.join([str(HOME), *filter(None, known)])


def _is_working_folder(entry: str) -> bool:
    try:
        return os.path.samefile(entry or os.curdir, os.curdir)
    except OSError:
        return False


def stranger_among_us() -> str:
    """Name a package of somebody else's that is found in place of ours; empty where none is."""
    for name in OWN:
        spec = importlib.util.find_spec(name)
        found = Path(spec.origin).resolve().parent if spec and spec.origin else None
        if found is not None and found != HOME / name:
            return (
                f"another package called {name!r} is found before ours: wanted {HOME / name}, got "
                f"{found}; take {found.parent} out of PYTHONPATH"
            )
    return ""
