"""What can go wrong, as one tree of exceptions.

An exception means that the work could not be done. What is wrong *in the data* is a result, a
:class:`twingraph.findings.Finding`, and raises nothing.

::

    TwingraphError
    ├── SettingsError          twingraph.toml, an environment variable or an option cannot be used
    ├── PublicationError       the directory does not hold what the settings name
    ├── DateError              a text is not an EDTF date
    ├── IriError               a text is not an IRI, or names no declared prefix
    ├── UnknownNameError       no query, format, document or command bears this name
    ├── ParameterError         a saved query's parameter is missing, unknown or of another type
    ├── RequestError           HTTP or the SPARQL Protocol forbids a request, whatever it asks
    ├── QueryError             a query is not well formed, or asks for what is refused
    │   ├── FederationRefusedError  it asks another endpoint (SERVICE)
    │   ├── UnknownGraphError  it names a graph that is not in the release
    │   └── UnsupportedFunctionError  it calls a function that the engine does not have
    ├── NotAcceptableError     none of the representations on offer is acceptable
    ├── NotConformingError     the publication has violations, so no release was written
    ├── ReleaseError           a release is incomplete or cannot be written
    │   └── NoReleaseError     nothing has been built yet
    ├── StoreError             the engine could not do its work
    │   ├── WorkerLostError    the process that answered a query ended before it had
    │   ├── NotReadyError      no worker can answer at the moment
    │   └── DamagedStoreError  what the engine reads from the disk is damaged
    ├── LimitError             a query would have gone over a limit
    │   ├── QueryTimeoutError  it ran too long
    │   ├── MemoryLimitError   it took too much memory
    │   ├── AnswerTooLargeError  its answer is too large
    │   ├── QueryTooLongError  it is too long to be read
    │   └── TooBusyError       no worker was free in time
    └── EndpointError          a remote endpoint did not answer as the protocol says

`EXIT_CODES` maps each class to an exit code of the command line, ``server/http/problems.py`` to an HTTP status.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import IntEnum
from http import HTTPStatus
from signal import SIGABRT, SIGKILL, SIGSEGV

# What is known when a process ends by a signal; an abort has many causes, and a stack that was too small is none.
_ENDS: Mapping[int | None, str] = {
    None: "ended",
    SIGABRT: f"aborted (signal {SIGABRT:d})",
    SIGKILL: f"was ended from outside (signal {SIGKILL:d})",
    SIGSEGV: f"failed (signal {SIGSEGV:d}; nesting very deeply can do that)",
}


class TwingraphError(Exception):
    """The base of every error that this package raises on purpose."""


class SettingsError(TwingraphError):
    """A setting cannot be used; ``where`` is the file, variable or option, ``key`` the setting's dotted name."""

    def __init__(self, where: str, key: str, reason: str) -> None:
        self.where, self.key, self.reason = where, key, reason
        super().__init__(f"{where}: {key}: {reason}" if key else f"{where}: {reason}")


class PublicationError(TwingraphError):
    """The publication's directory does not hold what its settings name; ``path`` is the place."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: {reason}")


class DateError(TwingraphError):
    """``text`` is not a date in the Extended Date/Time Format (EDTF, ISO 8601-2:2019)."""

    def __init__(self, text: str, reason: str) -> None:
        self.text, self.reason = text, reason
        super().__init__(f"{text!r} is not an EDTF date: {reason}")


class IriError(TwingraphError):
    """``text`` is neither an absolute IRI nor a name with a declared prefix."""

    def __init__(self, text: str, reason: str) -> None:
        self.text, self.reason = text, reason
        super().__init__(f"{text!r}: {reason}")


class UnknownNameError(TwingraphError):
    """No ``kind`` is called ``name``; ``known`` are the names there are."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        near = get_close_matches(name, self.known, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else f"there are: {', '.join(self.known) or 'none'}"
        super().__init__(f"no {kind} is called {name!r}; {hint}")


class ParameterError(TwingraphError):
    """A saved query cannot be asked with this value of ``parameter``."""

    def __init__(self, query: str, parameter: str, reason: str) -> None:
        self.query, self.parameter, self.reason = query, parameter, reason
        super().__init__(f"query {query}: parameter {parameter}: {reason}")


class RequestError(TwingraphError):
    """A request that HTTP or the SPARQL Protocol forbids; ``headers`` go with the answer, which has ``status``."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.detail, self.headers = status, detail, dict(headers or {})
        super().__init__(detail)


class QueryError(TwingraphError):
    """A query is malformed or refused; ``line`` and ``column`` count from 1 where the parser gave them."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        self.message, self.line, self.column = message, line, column
        place = f"line {line}, column {column}: " if line is not None else ""
        super().__init__(place + message)


class FederationRefusedError(QueryError):
    """A query asks another endpoint (SPARQL 1.1 Federated Query), which this one does for nobody."""


class UnknownGraphError(QueryError):
    """A query, or the request that carries it, names a graph as its dataset that is not in the release."""


class UnsupportedFunctionError(QueryError):
    """A query calls a function by an IRI that the engine does not know (SPARQL 1.1, section 17.6)."""


class NotAcceptableError(TwingraphError):
    """None of the media types ``offered`` is acceptable (RFC 9110, section 12.5.1)."""

    def __init__(self, accept: str, offered: Iterable[str]) -> None:
        self.accept, self.offered = accept, tuple(offered)
        super().__init__(f"cannot answer as {accept!r}; on offer are {', '.join(self.offered)}")


class NotConformingError(TwingraphError):
    """The publication has ``violations`` violations, so no release was written."""

    def __init__(self, violations: int) -> None:
        self.violations = violations
        super().__init__(f"{violations} violation{'' if violations == 1 else 's'}: no release was written")


class ReleaseError(TwingraphError):
    """The release at ``path`` is incomplete, damaged or cannot be written."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: {reason}")


class NoReleaseError(ReleaseError):
    """There is no current release under ``path``."""

    def __init__(self, path: str) -> None:
        super().__init__(path, "there is no release yet; run `twingraph build` first")


class StoreError(TwingraphError):
    """The engine could not do its work, for another reason than the query's text."""


class WorkerLostError(StoreError):
    """The process that answered a query ended, by ``signal`` when it is known, before it had answered."""

    def __init__(self, signal: int | None = None) -> None:
        self.signal = signal
        super().__init__(f"the engine {_ENDS.get(signal, f'ended (signal {signal})')} before it had answered")


class NotReadyError(StoreError):
    """No worker can answer at the moment; ``retry_after`` is the number of seconds after which to ask again."""

    def __init__(self, reason: str, retry_after: int = 1) -> None:
        self.reason, self.retry_after = reason, retry_after
        super().__init__(reason)


class DamagedStoreError(StoreError):
    """What the engine reads from the disk is not what was written there."""


class LimitError(TwingraphError):
    """A query would have gone over a limit of this server."""


class QueryTimeoutError(LimitError):
    """A query ran for ``seconds``, which is the limit."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"the query ran for {seconds:g} seconds, the limit, and was ended; ask for less at a time")


class MemoryLimitError(LimitError):
    """A query needed more than ``limit`` bytes of memory."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"the query needed more than {limit} bytes of memory, the limit; ask for less at a time")


class AnswerTooLargeError(LimitError):
    """An answer would have more than ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"the answer has more than {limit} bytes, the limit; ask for parts of it by LIMIT and OFFSET")


class QueryTooLongError(LimitError):
    """A query has more than ``limit`` of ``unit``, which is bytes, tokens or levels."""

    def __init__(self, limit: int, unit: str = "tokens") -> None:
        self.limit, self.unit = limit, unit
        super().__init__(f"the query has more than {limit} {unit}, the limit")


class TooBusyError(LimitError):
    """No worker was free; ``retry_after`` is the number of seconds after which to ask again."""

    def __init__(self, reason: str, retry_after: int) -> None:
        self.reason, self.retry_after = reason, retry_after
        super().__init__(f"the server is busy: {reason}; ask again in {retry_after} seconds")


class EndpointError(TwingraphError):
    """The endpoint at ``url`` did not answer as the SPARQL 1.1 Protocol says; ``status`` is its HTTP status."""

    def __init__(self, url: str, reason: str, status: int | None = None) -> None:
        self.url, self.reason, self.status = url, reason, status
        super().__init__(f"{url}: {reason}" if status is None else f"{url}: status {status}: {reason}")


class ExitCode(IntEnum):
    """What a command ends with."""

    OK = 0
    NOT_CONFORMING = 1
    USAGE = 2
    NOT_DONE = 3


EXIT_CODES: Mapping[type[TwingraphError], ExitCode] = {
    TwingraphError: ExitCode.NOT_DONE,
    SettingsError: ExitCode.USAGE,
    PublicationError: ExitCode.NOT_DONE,
    DateError: ExitCode.NOT_DONE,
    IriError: ExitCode.USAGE,
    UnknownNameError: ExitCode.USAGE,
    ParameterError: ExitCode.USAGE,
    RequestError: ExitCode.USAGE,
    QueryError: ExitCode.USAGE,
    FederationRefusedError: ExitCode.USAGE,
    UnknownGraphError: ExitCode.USAGE,
    UnsupportedFunctionError: ExitCode.USAGE,
    NotAcceptableError: ExitCode.USAGE,
    NotConformingError: ExitCode.NOT_CONFORMING,
    ReleaseError: ExitCode.NOT_DONE,
    NoReleaseError: ExitCode.NOT_DONE,
    StoreError: ExitCode.NOT_DONE,
    WorkerLostError: ExitCode.NOT_DONE,
    NotReadyError: ExitCode.NOT_DONE,
    DamagedStoreError: ExitCode.NOT_DONE,
    LimitError: ExitCode.NOT_DONE,
    QueryTimeoutError: ExitCode.NOT_DONE,
    MemoryLimitError: ExitCode.NOT_DONE,
    AnswerTooLargeError: ExitCode.NOT_DONE,
    QueryTooLongError: ExitCode.NOT_DONE,
    TooBusyError: ExitCode.NOT_DONE,
    EndpointError: ExitCode.NOT_DONE,
}


def exit_code(error: TwingraphError) -> ExitCode:
    """Return the exit code for an error: its class's, or that of the nearest class above it."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)
