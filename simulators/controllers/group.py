"""All controllers of the simulated station, as its drops meet them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from magis_calib.domain.control import Setpoints
from magis_calib.link.control_messages import DropMessage
from simulators.controllers.parameters import ParameterBank
from simulators.controllers.server import ControllerServer


class ControllerGroup:
    """The controllers by name, one of which may announce the drops. Used by one thread."""

    def __init__(
        self, servers: Mapping[str, ControllerServer], announcer: str, nominal: Setpoints
    ) -> None:
        """Have these, all of which are listening already.

        `nominal`: setpoints (SI) of what is not among them.
        """
        self.servers = tuple(servers.values())
        self.announcer = servers.get(announcer)
        """None where somebody else announces the drops."""
        self._nominal = nominal
        self._cycled_before = 0

    @property
    def free(self) -> list[str]:
        """Those that no application has."""
        return [one.place.controller for one in self.servers if one.lease.holder is None]

    @property
    def told(self) -> bytes | None:
        """Who hears of drops, None for nobody."""
        holder = self.announcer.lease.holder if self.announcer is not None else None
        return holder.identity if holder is not None else None

    def announce(self, drop: DropMessage) -> None:
        """Tell who has the lease of a drop."""
        if self.announcer is not None:
            self.announcer.tell(drop)

    def latch(self, drop_id: int) -> Setpoints:
        """Return the setpoints in force for this drop, of every parameter."""
        found = dict(self._nominal)
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
