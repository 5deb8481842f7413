"""What a what-if's file may say, and how it is told what it may not."""

from __future__ import annotations

from pathlib import Path

import pytest

from magis_calib.config.station import Station
from magis_calib.domain.errors import ConfigError
from magis_calib.replay.changes import changed, read_changes

WRONG = {
    "[loop.observables.x_m]\ngain = 0.3\n": "line 1, loop: unknown name, wanted one of "
    "['matrix', 'observables'], got 'loop'",
    "gains = 3\n": "line 1, gains: unknown name",
    "[observables.x_m]\ngian = 0.3\n": "line 2, observables.x_m.gian: unknown name, wanted one of "
    "['gain', 'target'], got 'gian'",
    '[observables.x_m]\ntarget = "left"\n': "line 2, observables.x_m.target: ",
    "[observables.x_m]\ngain = 7\n": "observables.x_m",
    'matrix = "none"\n': "matrix",
}


@pytest.mark.parametrize("text", WRONG, ids=[words.splitlines()[-1] for words in WRONG])
def test_what_cannot_be_is_named_with_its_place(
    text: str, station: Station, tmp_path: Path
) -> None:
    file = tmp_path / "changes.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as refused:
        changed(station, read_changes(file), file)
    assert str(file) in str(refused.value)
    assert WRONG[text] in str(refused.value)
