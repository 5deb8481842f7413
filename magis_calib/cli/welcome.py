"""What somebody at a screen who said nothing is asked."""

from __future__ import annotations

from collections.abc import Sequence

from magis_calib.app.display import why_no_window
from magis_calib.cli.options import default_session_dir
from magis_calib.config.loading import load_config, select_station
from magis_calib.host.user import said


def what_to_run() -> Sequence[str] | None:
    """Return words for the command line, none where there is no screen, None where they leave."""
    if why_no_window():
        return []
    from ui.window.welcome import ask_what_to_run  # a machine without Qt has no screen to ask at

    return ask_what_to_run(_addresses(), said(default_session_dir))


def _addresses() -> str:
    """Say where the instruments of the shipped configuration are."""
    endpoints = select_station(load_config(None), None)[1].endpoints
    return " · ".join(
        f"{name.replace('_', ' ')} {one}" for name, one in endpoints.items() if name != "telemetry"
    )
