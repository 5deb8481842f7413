from __future__ import annotations

from pathlib import Path

import pytest

from magis_calib.config.loading import load_config, parse_config, select_station
from magis_calib.config.station import default_text
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
        ["links.laser", "got '127.0.0.1:15551'"],
    ),
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
