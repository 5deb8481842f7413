"""The versions that a session was recorded with beside those that run now."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, version

import magis_calib
from magis_calib.recording.reader import Session


def versions_in_words(session: Session) -> str:
    """Say in one line which versions differ.

    Empty where all agree, or where the session does not tell.
    """
    told = session.attribute("identity")
    try:
        recorded = json.loads(told) if told else {}
    except ValueError:
        return "the versions that recorded this session cannot be read"
    known = {**recorded, **recorded.get("versions", {})} if isinstance(recorded, dict) else {}
    both = ((name, was, _running(name)) for name, was in known.items() if isinstance(was, str))
    differ = [f"{name} {was}, now {now}" for name, was, now in both if now and now != was]
    return f"recorded with other versions: {'; '.join(differ)}" if differ else ""


def _running(name: str) -> str:
    """Return the version of this name that runs; empty for what has none here."""
    if name.replace("_", "-") == "magis-calib":
        return magis_calib.__version__
    if name == "python":
        return platform.python_version()
    try:
        return version(name)
    except (PackageNotFoundError, ValueError):
        return ""
