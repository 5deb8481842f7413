"""Simulated runs that start at the same moment, before any of them listens."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from magis_calib.app.simulated import on_free_ports
from magis_calib.config.station import Station, default_text
from tests.app.test_whole_runs import magis_calib


def addresses(station: Station) -> list[str]:
    return list(station.endpoints.values())


def test_runs_that_start_at_once_are_given_addresses_of_their_own(station: Station) -> None:
    with on_free_ports(station, own=False) as (own, _):
        pass
    with ExitStack() as stack:
        (first, usual), *others = (stack.enter_context(on_free_ports(own)) for _ in range(20))
        assert usual
        assert addresses(first) == addresses(own)
        assert not any(usual for _, usual in others)
        given = [one for other, _ in others for one in addresses(other)]
        assert len({*given, *addresses(own)}) == 4 * 20
    with on_free_ports(own) as (_, usual):
        assert usual


@pytest.mark.station
def test_a_run_leaves_the_addresses_of_one_that_is_about_to_listen(
    free_station: Station, tmp_path: Path
) -> None:
    text = default_text()
    for port, address in zip((15550, 15553, 15551, 15552), addresses(free_station), strict=True):
        text = text.replace(f"tcp://127.0.0.1:{port}", address)
    (tmp_path / "own.toml").write_text(text)
    said = magis_calib(
        "--simulate",
        "--auto",
        "--sensor",
        "small",
        "--drops",
        "1",
        "--interval",
        "0",
        "--config",
        str(tmp_path / "own.toml"),
        "--session-dir",
        str(tmp_path / "s"),
    )
    assert said.returncode == 0, said.stderr
    assert "the usual ports are taken" in said.stderr
    assert "stopped: 1 drops" in said.stderr
