"""What is written takes the place of regular files only, as they were; what is read has an end."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from magis_calib.host.files import (
    open_anew,
    open_to_append,
    read_bytes,
    refuse_unwritable,
    replace_text,
)
from magis_calib.host.log_buffer import JsonLines


def by_handle(how: Callable[[Path], int]) -> Callable[[Path], None]:
    return lambda path: os.close(how(path))


WRITERS: dict[str, Callable[[Path], object]] = {
    "whole": lambda path: replace_text(path, "new"),
    "append": by_handle(open_to_append),
    "anew": by_handle(open_anew),
    "asked": refuse_unwritable,
    "log": lambda path: JsonLines(path).close(),
}


@pytest.fixture
def strange(tmp_path: Path) -> dict[str, Path]:
    """What is no regular file, by what it is called in words."""
    kept = tmp_path / "kept"
    kept.write_text("kept")
    (tmp_path / "link").symlink_to(kept)
    (tmp_path / "dangling").symlink_to(tmp_path / "planted")
    os.mkfifo(tmp_path / "pipe")
    return {
        "a link to": tmp_path / "link",
        "that file itself": tmp_path / "dangling",
        "a pipe": tmp_path / "pipe",
        "a folder": tmp_path,
        "a device": Path("/dev/full"),
    }


@pytest.mark.parametrize("name", WRITERS)
def test_only_regular_files_are_written(strange: dict[str, Path], tmp_path, name: str) -> None:
    before = {path: path.lstat().st_ino for path in strange.values()}
    for words, path in strange.items():
        with pytest.raises(OSError, match=words):
            WRITERS[name](path)
    assert {path: path.lstat().st_ino for path in strange.values()} == before
    assert (tmp_path / "kept").read_text() == "kept"
    assert not (tmp_path / "planted").exists()


def test_a_planted_name_is_not_written_to(tmp_path: Path) -> None:
    kept, path = tmp_path / "kept", tmp_path / "report.json"
    kept.write_text("kept")
    (tmp_path / "report.json.part").symlink_to(kept)
    replace_text(path, "new")
    assert (kept.read_text(), path.read_text()) == ("kept", "new")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o755])
def test_a_file_keeps_its_mode(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    path.chmod(mode)
    replace_text(path, "new")
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert [one.name for one in tmp_path.iterdir()] == ["f"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_keeps_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    os.chown(path, 1234, 4321)
    replace_text(path, "new")
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 4321)


def test_a_new_file_has_the_usual_mode(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        replace_text(tmp_path / "f", "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "f").stat().st_mode) == 0o640


def test_reading_ends(tmp_path: Path, strange: dict[str, Path]) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(10**12)
    with pytest.raises(OSError, match="at most 1 MB"):
        read_bytes(tmp_path / "large", 10**6)
    for words in ("a pipe", "a folder", "a device"):
        with pytest.raises(OSError, match=words):
            read_bytes(strange[words], 10**6)
    assert read_bytes(strange["a link to"], 4) == b"kept"


def test_a_log_takes_any_text(tmp_path: Path) -> None:
    handler = JsonLines(tmp_path / "log")
    handler.emit(logging.LogRecord("a", logging.INFO, "f", 1, "\ud800 µ", None, None))
    handler.close()
    assert (tmp_path / "log").read_text().count("\n") == 1
