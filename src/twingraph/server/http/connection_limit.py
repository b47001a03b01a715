"""Who may connect: how many connections there are together and of one client, and which give way to others."""

import ipaddress
from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import Protocol

# So many who are turned away at once hear why; the others are cut off.
_HEARING = 100
# A client has a whole network of this length under IPv6.
_PREFIX = 64


class Resting(Protocol):
    """A connection that may be waiting for a request."""

    def give_way(self) -> None:
        """Close, as another one needs the place."""


class ConnectionLimiter:
    """Counts connections: ``most`` together, ``share`` of one client, unless it is one of the ``trusted`` proxies.

    When all places are taken, the connection that has waited longest without a request gives way.
    """

    def __init__(self, most: int, share: int, trusted: Iterable[str] = ()) -> None:
        self._most, self._share = most, share
        self._trusted = [ipaddress.ip_network(one, strict=False) for one in trusted]
        self._clients: dict[Resting, str | None] = {}
        self._of_client: Counter[str] = Counter()
        self._resting: OrderedDict[Resting, None] = OrderedDict()
        self._turned_away: set[Resting] = set()

    def __len__(self) -> int:
        """How many connections there are."""
        return len(self._clients)

    def enter(self, connection: Resting, address: str) -> bool:
        """Tell whether a connection from an address may stay; it waits for a request then."""
        client = self._client(address)
        if client is not None and self._of_client[client] >= self._share:
            return False
        if len(self._clients) >= self._most and not self._make_room():
            return False
        self._clients[connection] = client
        if client is not None:
            self._of_client[client] += 1
        self._resting[connection] = None
        return True

    def turn_away(self, connection: Resting) -> bool:
        """Tell whether a connection that may not stay may be told so."""
        if len(self._turned_away) >= _HEARING:
            return False
        self._turned_away.add(connection)
        return True

    def leave(self, connection: Resting) -> None:
        """Take it that a connection is there no more."""
        self._turned_away.discard(connection)
        self._resting.pop(connection, None)
        client = self._clients.pop(connection, None)
        if client is not None:
            self._of_client[client] -= 1
            if not self._of_client[client]:
                del self._of_client[client]

    def rest(self, connection: Resting) -> None:
        """Take it that a connection waits for a request, or for its end."""
        if connection in self._clients:
            self._resting[connection] = None

    def work(self, connection: Resting) -> None:
        """Take it that a connection has a request to be answered."""
        self._resting.pop(connection, None)

    def _make_room(self) -> bool:
        if not self._resting:
            return False
        connection = next(iter(self._resting))
        self.leave(connection)
        connection.give_way()
        return True

    def _client(self, address: str) -> str | None:
        """Return what a client is counted by, None when it speaks for many."""
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return None  # not of the Internet: a socket of this machine
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        if any(found in network for network in self._trusted):
            return None
        if found.version == 6:
            return str(ipaddress.ip_network((found, _PREFIX), strict=False))
        return str(found)
