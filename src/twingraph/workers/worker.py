"""A worker: a process with an open release that answers one job at a time over an inherited socket.

It is started as ``python -m twingraph.workers.worker DESCRIPTOR PARENT`` and ends with the server or when killed.
Its imports determine how soon a killed worker is replaced, so it imports neither the server nor the settings.
"""

import gc
import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import IO, cast
from urllib.parse import urlencode

from twingraph.errors import MemoryLimitError, StoreError, TwingraphError
from twingraph.linked_data.addresses import Addresses, root_of
from twingraph.linked_data.description import Selection
from twingraph.linked_data.documents import CONTEXT, Documents, Facts
from twingraph.linked_data.representation import Origin
from twingraph.processes import exit_with_parent, limit_memory, memory
from twingraph.rdf.formats import HTML, TSV, Format, by_name
from twingraph.rdf.terms import DefaultGraph
from twingraph.sparql.query import Query, QueryForm, is_volatile, next_page, read_query
from twingraph.store.embedded import EmbeddedStore
from twingraph.store.exact import ExactStatements, GraphFile
from twingraph.store.output_filters import finished_output
from twingraph.workers import ipc, sandbox
from twingraph.workers.ipc import LOCATION, DescribeJob, GraphJob, Job, Kind, OpenRequest, Ready, ResultHead
from twingraph.workers.output import Output, RowLimitReached, RowTally

_RECEIVE_BYTES = 1 << 16
# The growth of the process is measured only after queries that took longer than this (seconds).
_SHORT_SECONDS = 0.05
# Maximum length of a link: all clients and proxies support URIs of 8,000 octets (RFC 9110, section 4.1).
_MAX_LINK = 8000


_JOBS: Mapping[Kind, Callable[[bytes], Job | GraphJob | DescribeJob]] = MappingProxyType(
    {Kind.JOB: ipc.job, Kind.GRAPH: ipc.graph_job, Kind.DESCRIBE: ipc.describe_job}
)


class Worker:
    """Handles the frames that arrive over a connection until the server closes it."""

    def __init__(self, connection: socket.socket, notes: tuple[str, ...]) -> None:
        self._connection, self._frames, self._notes = connection, ipc.FrameReader(), notes
        self._release: _OpenRelease | None = None

    def run(self) -> None:
        """Receive frames and reply to each."""
        try:
            while data := self._connection.recv(_RECEIVE_BYTES):
                for kind, content in self._frames.feed(data):
                    if kind == Kind.OPEN:
                        self._open(ipc.open_request(content))
                    else:
                        self._answer(_JOBS[kind](content))
        except (BrokenPipeError, ConnectionResetError):
            return  # the server has ended, or does not need this answer

    def _open(self, request: OpenRequest) -> None:
        try:
            release = _OpenRelease(request)
        except TwingraphError as error:
            self._connection.sendall(ipc.pack_error(error))
            return
        self._release = release
        # Everything allocated so far lives as long as the process.
        gc.freeze()
        notes = self._notes + limit_memory(request.memory_bytes)
        release.size = memory("VmRSS") or 0
        self._connection.sendall(ipc.pack_ready(Ready(release.quads, notes)))

    def _answer(self, job: Job | GraphJob | DescribeJob) -> None:
        release = self._release
        try:
            if release is None:
                raise StoreError("no release is open")
            release.answer(job, self._connection)
        except TwingraphError as error:
            self._connection.sendall(ipc.pack_error(error))
        except MemoryError:
            self._connection.sendall(ipc.pack_error(MemoryLimitError(release.memory_bytes if release else 0)))


class _OpenRelease:
    """An open release, and the jobs over it; ``size`` is the memory (bytes) of the process after opening it."""

    def __init__(self, request: OpenRequest) -> None:
        self._base, self._prefixes, self.memory_bytes = request.base, request.prefixes, request.memory_bytes
        default_graph = DefaultGraph(request.default_graph)
        self._store = EmbeddedStore(
            request.base, request.prefixes, default_graph, request.memory_quads, request.language_tags
        )
        directory = Path(request.directory)
        self._store.load(directory, request.quads)
        self._graphs = GraphFile(directory, request.prefixes, request.language_tags)
        self.quads = self._store.health()
        self._tags = request.language_tags
        self._documents = _documents(self._store, directory, request)
        self.size = 0
        if request.quads > request.memory_quads:
            _read_ahead(directory)

    def answer(self, job: Job | GraphJob | DescribeJob, connection: socket.socket) -> None:
        """Answer a job.

        Raises QueryError, StoreError or a LimitError; for a document also UnknownNameError and WithdrawnError.
        """
        start = time.perf_counter()
        if isinstance(job, Job):
            output = self._result(job, connection)
        else:
            output = self._graph(job, connection) if isinstance(job, GraphJob) else self._document(job, connection)
        is_long = time.perf_counter() - start > _SHORT_SECONDS
        if output:
            output.end((memory("VmRSS") or 0) - self.size if is_long else 0)

    def _graph(self, job: GraphJob, connection: socket.socket) -> Output:
        """Write a graph, all but the end."""
        output = Output(connection, job, ResultHead(QueryForm.CONSTRUCT.value, job.format), _no_rows, None)
        self._graphs.write(job.extent, by_name(job.format), output)  # type: ignore[arg-type]  # as in `_write`
        return output

    def _result(self, job: Job, connection: socket.socket) -> Output | None:
        """Write the result of a query, all but the end; None when it is complete."""
        query = read_query(job.text, self._prefixes, self._base)
        if job.default_graphs or job.named_graphs:
            query = replace(query, default_graphs=job.default_graphs or (), named_graphs=job.named_graphs or ())
        format_name = job.graph_format if query.form.gives_graph else job.results_format
        head = ResultHead(query.form.value, format_name, volatile=is_volatile(query.text))
        if not format_name:
            connection.sendall(ipc.pack_answer(head, 0, b""))
            return None
        format_ = by_name(format_name)
        rows = format_.rows if job.rows and query.form != QueryForm.ASK else None
        if rows:
            head = head._replace(next=_link(job, query.text, format_name))
        output = Output(connection, job, head, lambda tally: self._write(query, TSV, tally), rows)
        self._write(query, format_, output)
        return output

    def _document(self, job: DescribeJob, connection: socket.socket) -> Output:
        """Write a document, or where it is, all but the end."""
        if self._documents is None:
            raise StoreError("this release has no documents, since an earlier version built it: build it again")
        if job.format == LOCATION:
            written = self._documents.location(job.iris)
        else:
            written = self._documents.written(job.iris, by_name(job.format), job.document, job.page)
        head = ResultHead(QueryForm.DESCRIBE.value, job.format, next=written.next)
        output = Output(connection, job, head, _no_rows, None)
        if job.format in (LOCATION, HTML.name):
            output.write(written.body)
        else:
            with finished_output(cast("IO[bytes]", output), by_name(job.format), self._tags) as target:
                target.write(written.body)
        return output

    def _write(self, query: Query, format_: Format, target: Output | RowTally) -> None:
        try:
            self._store.query(query, format_, target)  # type: ignore[arg-type]  # all of a file that the engine uses
        except RowLimitReached:
            return


def _no_rows(_: RowTally) -> None:
    """Count nothing: graphs and documents are never cut."""


def _documents(store: EmbeddedStore, directory: Path, request: OpenRequest) -> Documents | None:
    """Return the documents about the things of a release, None if it has not the files for them."""
    if not request.descriptions:
        return None
    try:
        exact = ExactStatements.open(directory)
    except FileNotFoundError:
        return None
    names = request.descriptions
    addresses = Addresses(root_of(request.base), names["things"], names["documents"])
    facts = Facts(
        addresses=addresses,
        namespaces=request.prefixes,
        selection=Selection(frozenset(names["forward"]), frozenset(names["backward"]), links=names["links"]),
        origin=Origin(request.base, f"{addresses.base}release/{directory.name}", names["created"], names["licence"]),
        tombstone=names["tombstone"],
        context=directory / CONTEXT,
    )
    return Documents(facts, store.statements(exact, names["labels"]))


def main() -> None:
    """Run a worker with the socket descriptor and the server's process id given on the command line."""
    descriptor, parent = (int(argument) for argument in sys.argv[1:])
    exit_with_parent(parent)
    sandbox.limit_files()
    # Done before any other thread exists, since threads inherit the filter. Queries run on the main thread, because
    # others allocate from arenas of their own.
    notes = sandbox.close_network()
    sandbox.deepen_stack()
    with socket.socket(fileno=descriptor) as connection:
        Worker(connection, notes).run()
    # Freeing a large store piece by piece takes seconds; the kernel does it at once.
    os._exit(0)


def _link(job: Job, text: str, format_name: str) -> str:
    """Return the link to the rows that follow those of a job, empty when there is none."""
    following = next_page(text, job.rows) if len(text) <= _MAX_LINK else None
    if following is None:
        return ""
    graphs = [("default-graph-uri", iri) for iri in job.default_graphs or ()]
    graphs += [("named-graph-uri", iri) for iri in job.named_graphs or ()]
    link = "/sparql?" + urlencode([("query", following), *graphs, ("format", format_name)])
    return link if len(link) <= _MAX_LINK else ""


def _read_ahead(directory: Path) -> None:
    """Read the files of the store into the page cache, so that the first queries do not wait for the disk."""
    for path in sorted((directory / "store").glob("*.sst")):
        with path.open("rb") as file:
            while file.read(1 << 22):
                pass


if __name__ == "__main__":
    main()
