"""Output holds nobody: not where nobody reads, not on a full disk, not where there is none."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from magis_calib.host.child import HOME, python_module
from magis_calib.host.outlet import MOST_BYTES, Outlet, held_by_nobody
from magis_calib.host.terminal import visible, visible_lines
from tests.recording.test_durable import recorded


@pytest.fixture
def pipe() -> Iterator[tuple[int, io.TextIOWrapper]]:
    """A pipe: where it is read, and where it is written."""
    reading, writing = os.pipe()
    stream = os.fdopen(writing, "w", encoding="ascii")
    yield reading, stream
    os.close(reading)
    stream.close()


def test_a_reader_that_does_not_read_loses_lines(pipe) -> None:
    reading, stream = pipe
    outlet = Outlet(stream)
    writing = threading.Thread(
        target=lambda: [outlet.write("x" * 99 + "\n") for _ in range(50_000)]
    )
    writing.start()
    writing.join(20.0)
    assert not writing.is_alive()
    assert outlet.lost_lines > 50_000 - (MOST_BYTES + 2 * 65_536) / 100
    first = os.read(reading, 100)
    assert first == b"x" * 99 + b"\n"
    outlet.finish()


def test_what_is_read_comes_whole_and_in_order(pipe) -> None:
    reading, stream = pipe
    outlet = Outlet(stream)
    wanted = "".join(f"line {number} µ\n" for number in range(5000))
    found = bytearray()
    outlet.write(wanted)
    while len(found) < len(wanted.encode("ascii", errors="backslashreplace")):
        outlet.flush()
        found += os.read(reading, 10_000)
    assert found.decode() == wanted.replace("µ", "\\xb5")
    assert outlet.lost_lines == 0


def test_a_full_disk_is_no_error_and_a_reader_that_left_is_one(pipe) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        outlet = Outlet(full)
        outlet.write("a\n")
        outlet.write("b\n")
        assert outlet.lost_lines == 2
    reading, stream = pipe
    os.dup2(os.open(os.devnull, os.O_RDONLY), reading)
    with pytest.raises(BrokenPipeError):
        Outlet(stream).write("a\n")
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def test_the_log_goes_the_same_way(capfd: pytest.CaptureFixture[str]) -> None:
    handler = logging.StreamHandler(sys.stderr)
    logging.getLogger().addHandler(handler)
    try:
        with held_by_nobody():
            assert isinstance(handler.stream, Outlet) or not isinstance(sys.stderr, Outlet)
            logging.getLogger().error("heard")
        assert not isinstance(handler.stream, Outlet)
    finally:
        logging.getLogger().removeHandler(handler)
    assert "heard" in capfd.readouterr().err


def test_control_characters_are_written_out() -> None:
    text = "LM1\n\x1b[2JALARM act\x9b\u2028\t\x00é"
    assert visible(text) == "LM1\\x0a\\x1b[2JALARM act\\x9b\\u2028\\x09\\x00é"
    assert visible_lines("a\nb\tc\x07") == "a\nb\tc\\x07"


WORDS = (
    ("--help",),
    ("fit", "--help"),
    ("session", "show"),
    ("session", "check"),
    ("ledger",),
    ("config", "--default"),
)
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


def command(session: Path, words: tuple[str, ...]) -> list[str]:
    own = [one for one in python_module("magis_calib", *words) if one not in ("-X", "utf8")]
    return own if words[-1].startswith("--") else [*own, str(session)]


@pytest.mark.station
@pytest.mark.parametrize("words", WORDS)
def test_every_letter_is_written_whatever_the_locale(tmp_path: Path, words) -> None:
    recorded(tmp_path / "süd", 2, configuration='{"title": "süd"}')
    environment = {**os.environ, **ASCII, "PYTHONPATH": str(HOME)}
    said = subprocess.run(
        command(tmp_path / "süd", words), env=environment, capture_output=True, check=False
    )
    assert b"Traceback" not in said.stderr, said.stderr
    assert said.stdout.isascii()
    assert said.stderr.isascii()


@pytest.mark.station
@pytest.mark.parametrize("words", [("ledger",), ("config", "--default")])
def test_what_could_not_be_written_is_not_called_written(tmp_path: Path, words) -> None:
    recorded(tmp_path / "s", 2)
    environment = {**os.environ, "PYTHONPATH": str(HOME)}
    with open("/dev/full", "w", encoding="utf-8") as full:
        said = subprocess.run(
            command(tmp_path / "s", words),
            env=environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    if words == ("config", "--default"):
        assert said.returncode == 2
        assert "No space left on device" in said.stderr
    assert "Traceback" not in said.stderr
    closed = subprocess.run(
        command(tmp_path / "s", words),
        env=environment,
        preexec_fn=lambda: os.close(1),
        stderr=subprocess.PIPE,
        check=False,
    )
    assert b"Traceback" not in closed.stderr
