"""Start the simulated station as a process, on the configured addresses or on free ones."""

from __future__ import annotations

import contextlib
import ctypes
import random
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from magis_calib.config.fields import host_and_port
from magis_calib.config.station import Station
from magis_calib.domain.devices import LinkState
from magis_calib.host.child import python_module
from simulators.options import SimulationOptions

FREE = range(16_000, 32_000)
"""Where free ports are looked for: below those that the system gives to connections. Among those, a
peer that tries
again and again where nobody listens yet ends up connected to itself."""
STOP_WITHIN_S = 15.0
_PR_SET_PDEATHSIG = 1


@contextlib.contextmanager
def on_free_ports(station: Station, *, own: bool = True) -> Iterator[tuple[Station, bool]]:
    """Give the station on its `own` addresses where all are free, else on free loopback ports.

    And which it was.

    The addresses are held until the end of the context, although nobody may listen on them yet:
    another run that asks meanwhile gets others.
    """
    with contextlib.ExitStack() as held:
        usual = own and all(_hold(one, held) for one in station.endpoints.values())
        free = {} if usual else {name: _hold_any(held) for name in station.endpoints}
        yield station.at(free), usual


class SimulatedProcess:
    """`magis-sim` as a child: it ends with us, whatever happens to us."""

    def __init__(
        self,
        options: SimulationOptions,
        station: Station,
        config: Path | None,
        name: str,
        drops: int | None,
        keys: Path | None = None,
    ) -> None:
        """Start it, with the keys of this folder.

        What it says goes to a file that is shown when it fails.
        """
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed in stop()
        words = python_module("simulators", *options.argv(), f"--station={name}")
        words += [f"--endpoint={one}={address}" for one, address in station.endpoints.items()]
        words += [f"--config={config}"] if config else []
        words += [f"--drops={drops}"] if drops else []
        words += [f"--keys={keys}"] if keys else []
        self._process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=self._said,
            stderr=self._said,
            preexec_fn=_die_with_parent,
            process_group=0,  # a signal to our group is ours to answer: we stop it once we are done
        )

    def link(self) -> LinkState:
        """Say whether it still runs, and what it said last where it has ended by itself."""
        code = self._process.poll()
        if code is None:
            return LinkState("simulated station", True, 0.0, f"process {self._process.pid}")
        return LinkState(
            "simulated station", False, 0.0, f"magis-sim ended with {code}: {self._last_words()}"
        )

    def kill(self) -> None:
        """End it without a word, as a power cut would."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Ask it to finish (it writes the rest of the truth), and wait."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.kill()
        self._said.close()

    def _last_words(self) -> str:
        self._said.seek(0)
        return " / ".join(self._said.read().strip().splitlines()[-3:])


def _hold(endpoint: str, held: contextlib.ExitStack) -> bool:
    """Hold an address by the UDP port of the same number, which nobody uses.

    Say whether it was free.
    """
    if not endpoint.startswith("tcp://"):
        return True
    host, port = host_and_port(endpoint)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        claim = held.enter_context(socket.socket(family, socket.SOCK_DGRAM))
        claim.bind((host, port))
        socket.create_server((host, port), family=family).close()
    except OSError:
        return False
    return True


def _hold_any(held: contextlib.ExitStack) -> str:
    """Hold a free loopback port and return its address."""
    while not _hold(endpoint := f"tcp://127.0.0.1:{random.choice(FREE)}", held):
        pass
    return endpoint


def _die_with_parent() -> None:
    """Ask Linux to end this child when its parent dies; Ctrl-C is the parent's to answer."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
