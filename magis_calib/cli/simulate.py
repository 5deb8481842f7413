"""Start the simulated station as a process of its own, on the configured addresses or on free ones."""

from __future__ import annotations

import contextlib
import ctypes
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from magis_calib.domain.config import Links, Station
from magis_calib.domain.snapshot import LinkState
from simulators.options import SimulationOptions

LINKS = ("camera", "laser", "drop_system", "telemetry")
STOP_WITHIN_S = 15.0
_PR_SET_PDEATHSIG = 1


def on_free_ports(station: Station) -> tuple[Station, bool]:
    """Return the station on its own addresses where all are free, else on free loopback ports; and which it was."""
    if all(_is_free(getattr(station.links, name)) for name in LINKS):
        return station, True
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in LINKS]
    free = {name: f"tcp://127.0.0.1:{one.getsockname()[1]}" for name, one in zip(LINKS, sockets, strict=True)}
    for one in sockets:
        one.close()
    return station.model_copy(update={"links": Links(**{**station.links.model_dump(), **free})}), False


class SimulatedProcess:
    """`magis-sim` as a child: it ends with us, whatever happens to us."""

    def __init__(
        self, options: SimulationOptions, links: Links, config: Path | None, station: str, drops: int | None
    ) -> None:
        """Start it; what it says goes to a file that is shown when it fails."""
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in stop()
        words = [sys.executable, "-m", "simulators", *options.argv(), f"--station={station}"]
        words += [f"--{name.replace('_', '-')}-endpoint={getattr(links, name)}" for name in LINKS[:3]]
        words += [f"--config={config}"] if config else []
        words += [f"--drops={drops}"] if drops else []
        self._process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=self._said, stderr=self._said, preexec_fn=_die_with_parent
        )

    def link(self) -> LinkState:
        """Say whether it still runs, and what it said last where it has ended by itself."""
        code = self._process.poll()
        if code is None:
            return LinkState("simulated station", True, 0.0, f"process {self._process.pid}")
        return LinkState("simulated station", False, 0.0, f"magis-sim ended with {code}: {self._last_words()}")

    def stop(self) -> None:
        """Ask it to finish (it writes the rest of the truth), and wait."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._said.close()

    def _last_words(self) -> str:
        self._said.seek(0)
        return " / ".join(self._said.read().strip().splitlines()[-3:])


def _is_free(endpoint: str) -> bool:
    if not endpoint.startswith("tcp://"):
        return True
    host, _, port = endpoint.removeprefix("tcp://").rpartition(":")
    try:
        socket.create_server((host, int(port))).close()
    except OSError:
        return False
    return True


def _die_with_parent() -> None:
    """Ask Linux to end this child when its parent dies; Ctrl-C is the parent's to answer."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
