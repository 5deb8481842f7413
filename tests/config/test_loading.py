from __future__ import annotations

import json
import os
import tomllib
from pathlib import Path

import pytest

from magis_calib.config.loading import load_config, parse_config, parse_json_config, select_station
from magis_calib.config.station import Station, default_text
from magis_calib.domain.errors import ConfigError

MISTAKES = {
    "unknown name": ("wait_s = 5.0", "wiat_s = 5.0", ["line", "wiat_s", "did you mean 'wait_s'"]),
    "gain too large": (
        'gain = "auto"',
        "gain = 5.0",
        ["fringe_x_rad_per_m.gain", "less than 2", "got 5.0"],
    ),
    "broken syntax": ("schema = 1", "schema = ", ["not valid TOML", "line"]),
    "two cameras on a view": (
        'view = "y"',
        'view = "x"',
        ["view 'x' needs exactly one", "LM1", "LM2"],
    ),
    "no such matrix": (
        'matrix = "nominal"',
        'matrix = "nomnal"',
        ["loop.matrix", "wanted one of ['nominal']"],
    ),
    "not a number": (
        "reply_timeout_s = 1.0",
        "reply_timeout_s = nan",
        ["reply_timeout_s", "got nan"],
    ),
    "nominal out of range": (
        "nominal = 388.27e-6",
        "nominal = 1.0",
        ["nominal 1 must lie in", "-0.002, 0.002"],
    ),
    "singular matrix": (
        "trap_x_m = 1.0 }",
        "trap_x_m = 0.0 }",
        ["singular", "the actuators move x_m too little"],
    ),
    "matrix names": ("trap_y_m = 1.0 }", "trap_q_m = 1.0 }", ["trap_q_m", "not actuators"]),
    "bad address": (
        "tcp://127.0.0.1:15551",
        "127.0.0.1:15551",
        ["controllers.laser.endpoint", "got '127.0.0.1:15551'"],
    ),
    "gain of truth": ('gain = "auto"', "gain = true", ["gain", "wanted", "got True"]),
    "truth for a number": ("wait_s = 5.0", "wait_s = true", ["wait_s", "a number, got true"]),
    "noise of nothing": ("noise = 16.6e-6", "noise = 1e-320", ["noise", "between 1e-100"]),
    "wait without end": ("wait_s = 5.0", "wait_s = 1e300", ["wait_s", "1e+100"]),
    "wait of years": ("wait_s = 5.0", "wait_s = 1e9", ["wait_s", "less than or equal to 1000000"]),
    "port": ("127.0.0.1:15551", "127.0.0.1:80000", ["endpoint", "a port from 1 to 65535"]),
    "camera name": ('"LM1"', '"L\\u001bM1"', ["cameras.0.name", "wanted a name of"]),
    "fact with a typo": (
        'defects = ""',
        'defects = ""\nfacts = { gian = 1.0 }',
        ["gian", "did you mean 'gain'"],
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_named_with_file_place_wanted_and_got(name: str) -> None:
    good, bad, words = MISTAKES[name]
    assert good in default_text()
    with pytest.raises(ConfigError) as caught:
        parse_config(default_text().replace(good, bad), "mine.toml")
    assert "mine.toml" in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_the_line_named_is_the_line_of_the_mistake() -> None:
    text = default_text().replace("tolerance = 15.0", "tolerence = 15.0")
    wanted = 1 + next(
        number for number, line in enumerate(text.splitlines()) if "tolerence" in line
    )
    with pytest.raises(ConfigError, match=f"line {wanted}, .*tolerence"):
        parse_config(text, "mine.toml")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml: cannot be read"):
        load_config(tmp_path / "nowhere.toml")


def test_three_stations_with_several_cameras_can_be_described_and_one_selected() -> None:
    text = default_text()
    head, _, body = text.partition("[stations.bottom]")
    spare = (
        '[[stations.bottom.cameras]]\nname = "HM"\nview = "x"\nenabled = false\nmodel = '
        '"two_port"\n'
    )
    body = "[stations.bottom]" + body + spare
    whole = head + "".join(
        body.replace("stations.bottom", f"stations.{name}") for name in ("bottom", "middle", "top")
    )
    config = parse_config(whole, "three.toml")
    name, station = select_station(config, "middle")
    assert name == "middle"
    assert [camera.name for camera in station.cameras] == ["LM1", "LM2", "HM"]
    assert station.camera("x").name == "LM1"
    with pytest.raises(
        ConfigError, match=r"wanted one of \['bottom', 'middle', 'top'\], got 'attic'"
    ):
        select_station(config, "attic")


def test_the_shipped_matrix_is_well_conditioned_in_units_of_noise(station) -> None:
    import numpy as np

    assert np.linalg.cond(station.loop.scaled(station.response())) < 1.3


OLDER = """
[stations.bottom.links]
camera = "tcp://127.0.0.1:15550"
laser = "tcp://127.0.0.1:15551"
drop_system = "tcp://127.0.0.1:15552"
telemetry = "tcp://127.0.0.1:15553"
"""


def older_text() -> str:
    """The shipped configuration as it was written before controllers had a table."""
    text = default_text()
    owners = select_station(parse_config(text, ""), None)[1].owners
    tables = text.index("# One table for each controller"), text.index("[stations.bottom.pairing]")
    text = text[: tables[0]] + text[tables[1] :]
    head, tail = text.split('telemetry = "tcp://127.0.0.1:15553"', 1)
    head = head[: head.index("[stations.bottom.links]")] + OLDER.rstrip()
    before, actuators = tail.split("[stations.bottom.loop.actuators]")
    rows = [
        line.replace("{ ", f'{{ controller = "{owners[line.split()[0]]}", ', 1)
        if line.split()[:1] and line.split()[0] in owners and "nominal" in line
        else line
        for line in actuators.splitlines()
    ]
    return head + before + "[stations.bottom.loop.actuators]" + "\n".join(rows) + "\n"


def test_a_file_from_before_controllers_had_a_table_is_read_as_before() -> None:
    older = older_text()
    assert 'controller = "drop_system"' in older
    assert "controllers" not in older
    assert parse_config(older, "old.toml") == parse_config(default_text(), "new.toml")


def test_a_recorded_configuration_from_before_is_read_as_before() -> None:
    table = tomllib.loads(older_text())
    assert parse_json_config(json.dumps(table), "session") == parse_config(default_text(), "")


def test_who_mixes_both_ways_is_told_what_to_type() -> None:
    mixed = default_text().replace(
        'telemetry = "tcp', 'laser = "tcp://127.0.0.1:15551"\ntelemetry = "tcp', 1
    )
    with pytest.raises(ConfigError) as caught:
        parse_config(mixed, "mine.toml")
    told = str(caught.value)
    assert "leave out links.laser" in told
    typed = told[told.index("[stations.") :].replace("stations.…", "x")
    assert tomllib.loads(typed)["x"]["controllers"]["laser"] == {
        "endpoint": "tcp://127.0.0.1:15551",
        "parameters": list(station_as_shipped().controllers["laser"].parameters),
    }


def station_as_shipped() -> Station:
    return select_station(load_config(None), None)[1]


TABLES = {
    "a parameter with two owners": (
        '"detuning_hz",',
        '"detuning_hz", "trap_x_m",',
        "['trap_x_m'] are named twice",
    ),
    "a parameter that nobody knows": (
        '"detuning_hz",',
        '"detuning_hx",',
        "unknown ['detuning_hx']",
    ),
    "an actuator that nobody has": (
        '"trap_x_m", "trap_y_m"',
        '"trap_y_m"',
        "trap_x_m: no controller",
    ),
    "nobody announces": ("announces_drops = true", "", "exactly one, got []"),
    "a name of somebody else": (
        "controllers.laser]",
        "controllers.observer]",
        "['observer'] name something else",
    ),
    "a far address without locks": (
        'sockets = "curve"',
        'sockets = "plain"',
        "tcp://10.0.0.7:15551",
    ),
}


@pytest.mark.parametrize("name", TABLES)
def test_a_wrong_table_of_controllers_is_refused(name: str) -> None:
    good, bad, words = TABLES[name]
    text = default_text()
    assert good in text
    far = text.replace("127.0.0.1:15551", "10.0.0.7:15551")
    with pytest.raises(ConfigError) as caught:
        parse_config(far.replace(good, bad), "mine.toml")
    assert words in str(caught.value)


def test_a_third_controller_is_one_more_table() -> None:
    text = (
        default_text()
        .replace(', "focus_m"]', "]")
        .replace(
            "[stations.bottom.pairing]",
            "[stations.bottom.controllers.cameras]\n"
            'endpoint = "tcp://127.0.0.1:15554"\n'
            'parameters = ["focus_m"]\n\n'
            "[stations.bottom.pairing]",
            1,
        )
    )
    station = select_station(parse_config(text, "mine.toml"), None)[1]
    assert station.endpoints["cameras"] == "tcp://127.0.0.1:15554"
    assert (station.owners["focus_m"], station.announcer) == ("cameras", "drop_system")


@pytest.mark.parametrize(
    "name", ["süd", "bottom/2", "lab[1]", "..", ".", "", "-x", "a" * 56, "a\nb"]
)
def test_a_station_is_called_what_messages_and_folders_can_have(name: str) -> None:
    text = default_text().replace("[stations.bottom", f"[stations.{json.dumps(name)}")
    with pytest.raises(ConfigError, match="wanted a name of 1 to 55 letters"):
        parse_config(text.replace('"bottom"', json.dumps(name)), "own.toml")


def test_a_byte_order_mark_is_read_over(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xef\xbb\xbf" + default_text().encode())
    assert load_config(path) == load_config(None)


def test_what_is_no_text_file_is_said_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "large").open("wb") as file:
        file.truncate(10**12)
    (tmp_path / "latin").write_bytes("# süd".encode("latin-1"))
    for path, words in (
        (Path("/dev/zero"), "got a device"),
        (tmp_path, "got a folder"),
        (tmp_path / "pipe", "got a pipe"),
        (tmp_path / "large", "of at most 16 MB"),
        (tmp_path / "latin", "UTF-8"),
    ):
        with pytest.raises(ConfigError, match=words):
            load_config(path)
