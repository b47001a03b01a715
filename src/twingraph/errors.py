"""The exceptions of this package, as one tree, and their exit codes.

An exception means that the work could not be done. An error *in the data* is a result, a
:class:`twingraph.findings.Finding`, and raises nothing.

::

    TwingraphError
    ├── SettingsError          twingraph.toml, an environment variable or an option is invalid
    ├── PublicationError       the directory lacks something that the settings refer to
    │   └── FileRefusedError   a file cannot be read, or not within the limits
    ├── DateError              a text is not an EDTF date
    ├── IriError               a text is not an IRI, or names no declared prefix
    ├── UnknownNameError       there is no query, format, document, thing or release of this name
    ├── WithdrawnError         what had this IRI has been withdrawn
    ├── ParameterError         a saved query's parameter is missing, unknown or of another type
    ├── RequestError           a request violates HTTP or the SPARQL Protocol, whatever its query
    ├── QueryError             a query is malformed, or uses what is refused
    │   ├── FederationRefusedError  it uses federation (SERVICE)
    │   ├── UnknownGraphError  it names a graph that is not in the release
    │   └── UnsupportedFunctionError  it calls an extension function that the engine lacks
    ├── NotAcceptableError     none of the representations on offer is acceptable
    ├── NotConformingError     the publication has violations, so no release was written
    ├── ReleaseError           a release is incomplete or cannot be written
    │   └── NoReleaseError     nothing has been built yet
    ├── StoreError             the engine failed
    │   ├── WorkerLostError    the worker process ended before it had answered
    │   ├── NotReadyError      no worker is ready at the moment
    │   └── DamagedStoreError  the store's files on disk are damaged
    ├── LimitError             a query exceeds a limit
    │   ├── QueryTimeoutError  it runs too long
    │   ├── MemoryLimitError   it needs too much memory
    │   ├── AnswerTooLargeError  its result is too large
    │   ├── QueryTooLongError  its text is too long
    │   └── TooBusyError       no worker was free in time
    └── EndpointError          a remote endpoint did not respond as the protocol requires

`EXIT_CODES` maps each class to an exit code of the command line, ``server/http/problems.py`` to an HTTP status.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from enum import IntEnum
from http import HTTPStatus
from signal import SIGABRT, SIGKILL, SIGSEGV

# How a worker process ended, by signal; SIGABRT has many causes, of which a stack overflow is none.
_ENDINGS: Mapping[int | None, str] = {
    None: "ended",
    SIGABRT: f"aborted (signal {SIGABRT:d})",
    SIGKILL: f"was killed (signal {SIGKILL:d})",
    SIGSEGV: f"crashed (signal {SIGSEGV:d}; very deep nesting can cause this)",
}


class TwingraphError(Exception):
    """The base class of all errors that this package raises."""


class SettingsError(TwingraphError):
    """A setting is invalid; ``where`` is the file, variable or option, ``key`` the setting's dotted name."""

    def __init__(self, where: str, key: str, reason: str) -> None:
        self.where, self.key, self.reason = where, key, reason
        super().__init__(f"{where}: {key}: {reason}" if key else f"{where}: {reason}")


class PublicationError(TwingraphError):
    """The publication's directory lacks something that its settings refer to, at ``path``."""

    def __init__(self, path: str, reason: str) -> None:
        self.path, self.reason = path, reason
        super().__init__(f"{path}: {reason}")


class FileRefusedError(PublicationError):
    """The file at ``path`` is not read; ``rule`` is that of the finding about it, ``remedy`` what to do."""

    def __init__(
        self, path: str, rule: str, reason: str, remedy: str, line: int | None = None, column: int | None = None
    ) -> None:
        self.rule, self.remedy, self.line, self.column = rule, remedy, line, column
        super().__init__(path, reason)


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
    """There is no ``kind`` of this ``name``; ``known`` are the existing names."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        self.kind, self.name, self.known = kind, name, tuple(sorted(known))
        near = get_close_matches(name, self.known, n=3)
        known = f"; known: {', '.join(self.known)}" if self.known else ""
        hint = f"; did you mean {', '.join(near)}?" if near else known
        super().__init__(f"there is no {kind} {name!r}{hint}")


class WithdrawnError(TwingraphError):
    """What had this ``iri`` has been withdrawn; ``successor`` replaces it, empty if nothing does."""

    def __init__(self, iri: str, successor: str) -> None:
        self.iri, self.successor = iri, successor
        super().__init__(f"<{iri}> has been withdrawn" + (f"; <{successor}> replaces it" if successor else ""))


class ParameterError(TwingraphError):
    """A saved query cannot run with the value of ``parameter``, or without one."""

    def __init__(self, query: str, parameter: str, reason: str) -> None:
        self.query, self.parameter, self.reason = query, parameter, reason
        super().__init__(f"query {query}: parameter {parameter}: {reason}")


class RequestError(TwingraphError):
    """A request violates HTTP or the SPARQL Protocol; the response has ``status`` and ``headers``."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.detail, self.headers = status, detail, dict(headers or {})
        super().__init__(detail)


class QueryError(TwingraphError):
    """A query is malformed or refused; ``line`` and ``column`` count from 1, None if unknown."""

    def __init__(self, message: str, line: int | None = None, column: int | None = None) -> None:
        self.message, self.line, self.column = message, line, column
        place = f"line {line}, column {column}: " if line is not None else ""
        super().__init__(place + message)


class FederationRefusedError(QueryError):
    """A query uses SERVICE (SPARQL 1.1 Federated Query), which this endpoint does not evaluate."""


class UnknownGraphError(QueryError):
    """The dataset of a query or of its request names a graph that is not in the release."""


class UnsupportedFunctionError(QueryError):
    """A query calls an extension function that the engine lacks (SPARQL 1.1, section 17.6)."""


class NotAcceptableError(TwingraphError):
    """None of the media types ``offered`` is acceptable (RFC 9110, section 12.5.1)."""

    def __init__(self, accept: str, offered: Iterable[str]) -> None:
        self.accept, self.offered = accept, tuple(offered)
        super().__init__(f"cannot respond as {accept!r}; on offer are {', '.join(self.offered)}")


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
    """The engine failed for a reason other than the query's text."""


class WorkerLostError(StoreError):
    """The worker process ended, by ``signal`` or for the ``reason`` if known, before it had answered the query."""

    def __init__(self, signal: int | None = None, reason: str = "") -> None:
        self.signal = signal
        because = f" ({reason})" if reason else ""
        how = _ENDINGS.get(signal, f"ended (signal {signal})")
        super().__init__(f"the engine {how} before it had answered the query{because}")


class NotReadyError(StoreError):
    """No worker is ready at the moment; ``retry_after`` is in seconds."""

    def __init__(self, reason: str, retry_after: int = 1) -> None:
        self.reason, self.retry_after = reason, retry_after
        super().__init__(reason)


class DamagedStoreError(StoreError):
    """The files of the store differ from what was written, so the engine cannot read them."""


class LimitError(TwingraphError):
    """A query exceeds a limit of this server."""


class QueryTimeoutError(LimitError):
    """A query ran for ``seconds``, the limit."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"the query ran for {seconds:g} seconds, the limit, and was stopped; request less at a time")


class MemoryLimitError(LimitError):
    """A query needed more than ``limit`` bytes of memory."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"the query needed more than {limit} bytes of memory, the limit; request less at a time")


class AnswerTooLargeError(LimitError):
    """The result of a query has more than ``limit`` bytes."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(
            f"the result has more than {limit} bytes, the limit; request it in parts with LIMIT and OFFSET"
        )


class QueryTooLongError(LimitError):
    """A query has more than ``limit`` units, which are bytes, tokens or levels of nesting."""

    def __init__(self, limit: int, unit: str = "tokens") -> None:
        self.limit, self.unit = limit, unit
        super().__init__(f"the query has more than {limit} {unit}, the limit")


class TooBusyError(LimitError):
    """No worker was free in time; ``retry_after`` is in seconds."""

    def __init__(self, reason: str, retry_after: int) -> None:
        self.reason, self.retry_after = reason, retry_after
        super().__init__(f"the server is busy: {reason}; try again in {retry_after} seconds")


class EndpointError(TwingraphError):
    """The endpoint at ``url`` did not respond as the SPARQL 1.1 Protocol requires; ``status`` is its HTTP status."""

    def __init__(self, url: str, reason: str, status: int | None = None) -> None:
        self.url, self.reason, self.status = url, reason, status
        super().__init__(f"{url}: {reason}" if status is None else f"{url}: status {status}: {reason}")


class ExitCode(IntEnum):
    """The exit code of a command; FAULT is a fault of this program, which no exception of the tree stands for."""

    OK = 0
    NOT_CONFORMING = 1
    USAGE = 2
    NOT_DONE = 3
    FAULT = 4


EXIT_CODES: Mapping[type[TwingraphError], ExitCode] = {
    TwingraphError: ExitCode.NOT_DONE,
    SettingsError: ExitCode.USAGE,
    PublicationError: ExitCode.NOT_DONE,
    FileRefusedError: ExitCode.NOT_DONE,
    DateError: ExitCode.NOT_DONE,
    IriError: ExitCode.USAGE,
    UnknownNameError: ExitCode.USAGE,
    WithdrawnError: ExitCode.USAGE,
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
    """Return the exit code for an error: that of its class, or of the nearest superclass that has one."""
    return next(EXIT_CODES[kind] for kind in type(error).__mro__ if kind in EXIT_CODES)
