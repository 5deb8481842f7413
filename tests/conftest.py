"""What every test stands on: no thread left behind, free ports, the shipped configuration."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator

import pytest

from magis_calib.app.simulated import on_free_ports
from magis_calib.config.loading import load_config, select_station
from magis_calib.config.station import Config, Station


def pytest_configure() -> None:
    """Draw windows off screen where there is no display: Qt would abort the whole run otherwise."""
    if not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


@pytest.fixture(autouse=True, scope="session")
def folders_of_their_own(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what programs remember between runs out of the user's own folders."""
    for name in ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        os.environ[name] = str(tmp_path_factory.mktemp(name))


@pytest.fixture(autouse=True)
def no_thread_left_behind() -> Iterator[None]:
    """Fail a test that leaves a thread of ours running."""
    before = set(threading.enumerate())
    yield
    until = time.monotonic() + 5.0
    while left := [one for one in threading.enumerate() if one not in before and one.is_alive()]:
        if time.monotonic() > until:
            pytest.fail(f"threads left behind: {[one.name for one in left]}")
        time.sleep(0.02)


@pytest.fixture
def config() -> Config:
    """The shipped configuration."""
    return load_config(None)


@pytest.fixture
def station(config: Config) -> Station:
    """The bottom station of the shipped configuration."""
    return select_station(config, None)[1]


@pytest.fixture
def free_station(station: Station) -> Iterator[Station]:
    """The bottom station on ports that nobody uses, without locks: what is tested there is what is
    behind them.
    """
    with on_free_ports(station, own=False) as (free, _):
        yield free.model_copy(update={"links": free.links.model_copy(update={"sockets": "plain"})})
