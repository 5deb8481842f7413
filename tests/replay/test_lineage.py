"""Every input of an estimate is in its key.

What is not damaged is found again, what is damaged is put aside.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from magis_calib.config.station import Camera, ParameterRule, Station
from magis_calib.domain.camera import ImagePair
from magis_calib.domain.serial import to_json
from magis_calib.estimation.pair import Fitting
from magis_calib.replay import lineage
from magis_calib.replay.lineage import Lineage
from magis_calib.replay.results import Remembering, Results
from tests.pictures import Scene, pair

EXPECTED = (6283.0, 0.0)


@pytest.fixture(scope="module")
def drop() -> ImagePair:
    return pair(np.random.default_rng(1), Scene())


def with_camera(station: Station, **changes: object) -> Station:
    cameras: list[Camera] = [station.cameras[0].model_copy(update=changes), *station.cameras[1:]]
    return station.model_copy(update={"cameras": cameras})


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "two_port"},
        {"parameters": {"contrast": ParameterRule(fixed=0.7)}},
        {"port_a_displacement_m": (0.0, 7.6e-3)},
        {"port_b_displacement_m": (0.0, -7.6e-3)},
        {"expected_fringe": (0.0, 1.0)},
    ],
    ids=lambda one: next(iter(one)),
)
def test_how_a_camera_is_configured_is_in_the_key(
    station: Station, drop: ImagePair, changes: dict
) -> None:
    assert Lineage(with_camera(station, **changes)).key(drop, EXPECTED) != Lineage(station).key(
        drop, EXPECTED
    )


def test_content_of_the_mask_is_in_the_key_and_its_place_is_not(
    station: Station, drop: ImagePair, tmp_path: Path
) -> None:
    shape = drop.frames["x"].counts.shape
    first, again, other = (tmp_path / name for name in ("first.npy", "again.npy", "other.npy"))
    mask = np.zeros(shape, dtype=bool)
    np.save(first, mask)
    np.save(again, mask)
    mask[3, 4] = True
    np.save(other, mask)
    keys = [
        Lineage(with_camera(station, defects=str(one))).key(drop, EXPECTED)
        for one in (first, again, other)
    ]
    assert keys[0] == keys[1]
    assert len({*keys, Lineage(station).key(drop, EXPECTED)}) == 3


@pytest.mark.parametrize("view", ["x", "y"])
def test_pixels_facts_drop_and_type_are_in_the_key(
    station: Station, drop: ImagePair, view: str
) -> None:
    frame = drop.frames[view]
    counts = frame.counts.copy()
    counts[5, 6] += 16
    changed = [
        replace(drop, frames={**drop.frames, view: replace(frame, counts=counts)}),
        replace(
            drop,
            frames={**drop.frames, view: replace(frame, facts=replace(frame.facts, gain=1.01))},
        ),
        replace(drop, drop_id=drop.drop_id + 1),
        replace(
            drop,
            frames={
                **drop.frames,
                "x": replace(
                    drop.frames["x"],
                    header=replace(drop.frames["x"].header, sequence_type="pi_test"),
                ),
            },
        ),
    ]
    keys = [Lineage(station).key(one, EXPECTED) for one in (drop, *changed)]
    assert len(set(keys)) == len(keys)


def test_expected_wavevector_is_in_the_key_to_the_last_bit(
    station: Station, drop: ImagePair
) -> None:
    key = Lineage(station).key
    keys = [
        key(drop, one)
        for one in (EXPECTED, (np.nextafter(6283.0, 0.0).item(), 0.0), (6283.0, 1e-300), None)
    ]
    assert len(set(keys)) == 4


def test_code_and_versions_are_in_the_key(
    station: Station, drop: ImagePair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [Lineage(station).key(drop, EXPECTED)]
    with monkeypatch.context() as patch:
        source = tmp_path / "estimation" / "fit.py"
        for name in lineage.SOURCES:
            (tmp_path / name).mkdir()
        source.write_text("one = 1\n")
        patch.setattr(lineage.magis_calib, "__file__", str(tmp_path / "__init__.py"))
        for text in ("one = 1\n", "one = 2\n"):
            source.write_text(text)
            lineage.code.cache_clear()
            keys.append(Lineage(station).key(drop, EXPECTED))
    for name in lineage.LIBRARIES:
        with monkeypatch.context() as patch:
            real = lineage.version
            patch.setattr(
                lineage,
                "version",
                lambda one, name=name, real=real: "0" if one == name else real(one),
            )
            lineage.code.cache_clear()
            keys.append(Lineage(station).key(drop, EXPECTED))
    with monkeypatch.context() as patch:
        patch.setenv("OPENBLAS_NUM_THREADS", "7")
        lineage.code.cache_clear()
        keys.append(Lineage(station).key(drop, EXPECTED))
    lineage.code.cache_clear()
    assert len(set(keys)) == len(keys)
    assert Lineage(station).key(drop, EXPECTED) == keys[0]


def asked(station: Station, file: Path, drop: ImagePair) -> tuple[str, int]:
    """Return the estimate as JSON, and how many pairs were fitted for it."""
    results = Results(file)
    estimator = Remembering(station, results)
    estimate = estimator.estimate(drop, EXPECTED, lambda stage: None)
    results.close()
    return to_json(estimate), estimator.anew


def test_a_result_is_found_again_as_it_was(
    station: Station, drop: ImagePair, tmp_path: Path
) -> None:
    file = tmp_path / "new" / "results.sqlite"
    fitted = to_json(Fitting(station).estimate(drop, EXPECTED, lambda stage: None))
    assert [asked(station, file, drop) for _ in range(2)] == [(fitted, 1), (fitted, 0)]


@pytest.mark.parametrize("broken", ["all of it", "one number"])
def test_damaged_results_are_put_aside(
    station: Station, drop: ImagePair, tmp_path: Path, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "results.sqlite"
    right, _ = asked(station, file, drop)
    if broken == "all of it":
        file.write_bytes(b"no database" * 500)
    else:
        import sqlite3

        with sqlite3.connect(file) as connection:
            connection.execute("UPDATE results SET estimate = replace(estimate, '1', '2')")
        connection.close()
    assert asked(station, file, drop) == (right, 1)
    assert "put aside as results.sqlite.damaged-1" in caplog.text
    assert asked(station, file, drop) == (right, 0)


def test_results_that_cannot_be_kept_stop_nothing(
    station: Station, drop: ImagePair, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    assert asked(station, tmp_path / "file" / "results.sqlite", drop)[1] == 1
