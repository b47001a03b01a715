"""Limits on connections, in total and for each client, and the choice of the one that is closed for a new one."""

import ipaddress
from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import Protocol

# Maximum number of refused connections that get a response at the same time; any more are closed without one.
_MAX_REFUSALS = 100
# IPv6 addresses are counted by networks of this prefix length, since a client usually has a whole one.
_IPV6_PREFIX = 64


class ClosableConnection(Protocol):
    """A connection that can be closed in favour of another."""

    def give_way(self) -> None:
        """Close, to make room for another connection."""


class ConnectionLimiter:
    """Allows ``total`` connections, of which ``share`` from one client; ``trusted`` proxies have no share.

    When all are in use, the connection that has been idle longest is closed for a new one.
    """

    def __init__(self, total: int, share: int, trusted: Iterable[str] = ()) -> None:
        self._total, self._share = total, share
        self._trusted = [ipaddress.ip_network(one, strict=False) for one in trusted]
        self._clients: dict[ClosableConnection, str | None] = {}
        self._of_client: Counter[str] = Counter()
        self._idle: OrderedDict[ClosableConnection, None] = OrderedDict()
        self._turned_away: set[ClosableConnection] = set()

    def enter(self, connection: ClosableConnection, address: str) -> bool:
        """Add a connection from an address, as idle, and return True, or return False when a limit is reached."""
        client = self._client(address)
        if client is not None and self._of_client[client] >= self._share:
            return False
        if len(self._clients) >= self._total and not self._make_room():
            return False
        self._clients[connection] = client
        if client is not None:
            self._of_client[client] += 1
        self._idle[connection] = None
        return True

    def turn_away(self, connection: ClosableConnection) -> bool:
        """Return whether a refused connection is to get a response before it is closed."""
        if len(self._turned_away) >= _MAX_REFUSALS:
            return False
        self._turned_away.add(connection)
        return True

    def leave(self, connection: ClosableConnection) -> None:
        """Remove a closed connection."""
        self._turned_away.discard(connection)
        self._idle.pop(connection, None)
        client = self._clients.pop(connection, None)
        if client is not None:
            self._of_client[client] -= 1
            if not self._of_client[client]:
                del self._of_client[client]

    def rest(self, connection: ClosableConnection) -> None:
        """Mark a connection as idle: it awaits a request, or is closing."""
        if connection in self._clients:
            self._idle[connection] = None

    def work(self, connection: ClosableConnection) -> None:
        """Mark a connection as busy with a request."""
        self._idle.pop(connection, None)

    def _make_room(self) -> bool:
        if not self._idle:
            return False
        connection = next(iter(self._idle))
        self.leave(connection)
        connection.give_way()
        return True

    def _client(self, address: str) -> str | None:
        """Return the address or network by which a client is counted, None for those that are not."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return None  # not an IP address: a Unix socket
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        if any(found in network for network in self._trusted):
            return None
        if found.version == 6:
            return str(ipaddress.ip_network((found, _IPV6_PREFIX), strict=False))
        return str(found)
