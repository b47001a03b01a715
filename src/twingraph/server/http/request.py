"""A request as routes read it."""

from starlette.types import Receive, Scope

from twingraph.server.http.access_log import RequestLog, log_of


class HttpRequest:
    """The scope of a request, its header fields read in one pass, and what is logged about it.

    Lighter than Starlette's, as one is made for each request; `starlette.requests.Request` reads the rest of a scope.
    """

    __slots__ = ("_fields", "log", "receive", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope, self.receive = scope, receive
        self.log: RequestLog = log_of(scope)
        self._fields: dict[bytes, bytes] = {}
        for name, value in scope["headers"]:
            # Several fields of a name are one list (RFC 9110, section 5.3).
            self._fields[name] = b"%b,%b" % (self._fields[name], value) if name in self._fields else value

    @property
    def method(self) -> str:
        """Its method, in upper case."""
        method: str = self.scope["method"]
        return method

    @property
    def client(self) -> str:
        """The address of the client, empty when it has none."""
        client = self.scope.get("client")
        return client[0] if client else ""

    @property
    def query_string(self) -> bytes:
        """The query of its target, as it came."""
        query: bytes = self.scope["query_string"]
        return query

    @property
    def path_params(self) -> dict[str, str]:
        """The parameters in its path, by name."""
        found: dict[str, str] = self.scope.get("path_params", {})
        return found

    def field(self, name: bytes) -> bytes:
        """Return a header field by its name in lower case, empty when there is none."""
        return self._fields.get(name, b"")
