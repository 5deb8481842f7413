"""All controllers of the simulated station, as its drops meet them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from magis_calib.domain.control import Setpoints
from simulators.controllers.parameters import ParameterBank
from simulators.controllers.server import ControllerServer


class ControllerGroup:
    """The controllers by name, one of which announces the drops. Used by one thread."""

    def __init__(self, servers: Mapping[str, ControllerServer], announcer: str) -> None:
        """Have these, all of which are listening already."""
        self.servers = tuple(servers.values())
        self.announcer = servers[announcer]
        self._cycled_before = 0

    @property
    def leased(self) -> bool:
        """Whether an application has them all."""
        return all(server.lease.holder is not None for server in self.servers)

    def latch(self, drop_id: int) -> Setpoints:
        """Return the setpoints in force for this drop, of every parameter."""
        found: dict[str, float] = {}
        for server in self.servers:
            found |= server.requests.bank.latch(drop_id)
        return found

    def power_cycle(self, drop_id: int, new_session: Callable[[], str]) -> list[ControllerServer]:
        """Restart those that a fault restarts just before this drop, once; return them."""
        if drop_id == self._cycled_before:
            return []
        self._cycled_before = drop_id
        restarted = []
        for server in self.servers:
            otherwise = server.requests.misbehaviour.restarts(drop_id)
            if otherwise is not None:
                server.restart(new_session(), otherwise)
                restarted.append(server)
        return restarted

    def banks(self) -> dict[str, ParameterBank]:
        """Return the parameters of each, by its name."""
        return {server.place.controller: server.requests.bank for server in self.servers}

    def close(self) -> None:
        """Release the sockets."""
        for server in self.servers:
            server.close()
