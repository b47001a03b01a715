"""A worker: a process with one release open, which answers one query at a time over the socket it was started with.

It is started as ``python -m twingraph.workers.worker DESCRIPTOR PARENT`` and ends with the server or when killed.
What it imports decides how soon a killed worker is replaced: nothing of the web or of the settings.
"""

import gc
import os
import socket
import sys
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

from twingraph.errors import MemoryLimitError, StoreError, TwingraphError
from twingraph.processes import exit_with_parent, limit_memory, memory
from twingraph.rdf.formats import TSV, Format, by_name
from twingraph.rdf.terms import DefaultGraph
from twingraph.sparql.query import Query, QueryForm, is_volatile, next_page, read_query
from twingraph.store.embedded import EmbeddedStore
from twingraph.workers import ipc, sandbox
from twingraph.workers.ipc import Job, Kind, OpenRequest, Ready, ResultHead
from twingraph.workers.output import Output, RowLimitReached, RowTally

_RECEIVED = 1 << 16
# After a query that took longer than this (seconds) it is worth looking how much the process has grown.
_SHORT = 0.05
# Addresses that are longer are not taken by every client and proxy (RFC 9110, section 4.1).
_LONGEST_LINK = 8000


class Worker:
    """Answers over a connection until the other side closes it."""

    def __init__(self, connection: socket.socket, notes: tuple[str, ...]) -> None:
        self._connection, self._frames, self._notes = connection, ipc.FrameReader(), notes
        self._opened: _OpenRelease | None = None

    def run(self) -> None:
        """Take frames and answer each."""
        try:
            while data := self._connection.recv(_RECEIVED):
                for kind, content in self._frames.feed(data):
                    if kind == Kind.OPEN:
                        self._open(ipc.open_request(content))
                    else:
                        self._answer(ipc.job(content))
        except (BrokenPipeError, ConnectionResetError):
            return  # the server has gone, or has dropped this answer

    def _open(self, request: OpenRequest) -> None:
        try:
            opened = _OpenRelease(request)
        except TwingraphError as error:
            self._connection.sendall(ipc.pack_error(error))
            return
        self._opened = opened
        # Nothing that is here now becomes rubbish.
        gc.freeze()
        notes = self._notes + limit_memory(request.memory_bytes)
        opened.size = memory("VmRSS") or 0
        self._connection.sendall(ipc.pack_ready(Ready(opened.quads, notes)))

    def _answer(self, job: Job) -> None:
        opened = self._opened
        try:
            if opened is None:
                raise StoreError("no release is open")
            opened.answer(job, self._connection)
        except TwingraphError as error:
            self._connection.sendall(ipc.pack_error(error))
        except MemoryError:
            self._connection.sendall(ipc.pack_error(MemoryLimitError(opened.memory_bytes if opened else 0)))


class _OpenRelease:
    """The release of an OPEN, and the jobs over it; ``size`` is the process's memory (bytes) when it was opened."""

    def __init__(self, request: OpenRequest) -> None:
        self._base, self._prefixes, self.memory_bytes = request.base, request.prefixes, request.memory_bytes
        default_graph = DefaultGraph(request.default_graph)
        self._store = EmbeddedStore(
            request.base, request.prefixes, default_graph, request.memory_quads, request.language_tags
        )
        release = Path(request.directory)
        self._store.load(release, request.quads)
        self.quads = self._store.health()
        self.size = 0
        if request.quads > request.memory_quads:
            _read_ahead(release)

    def answer(self, job: Job, connection: socket.socket) -> None:
        """Answer a job; raises QueryError, StoreError or a LimitError."""
        began = time.perf_counter()
        query = read_query(job.text, self._prefixes, self._base)
        if job.default_graphs or job.named_graphs:
            query = replace(query, default_graphs=job.default_graphs or (), named_graphs=job.named_graphs or ())
        format_name = job.graph_format if query.form.gives_graph else job.results_format
        head = ResultHead(query.form.value, format_name, volatile=is_volatile(query.text))
        if not format_name:
            connection.sendall(ipc.pack_answer(head, 0, b""))
            return
        format_ = by_name(format_name)
        rows = format_.rows if job.rows and query.form != QueryForm.ASK else None
        if rows:
            head = head._replace(next=_link(job, query.text, format_name))
        output = Output(connection, job, head, lambda tally: self._write(query, TSV, tally), rows)
        self._write(query, format_, output)
        is_long = time.perf_counter() - began > _SHORT
        output.end((memory("VmRSS") or 0) - self.size if is_long else 0)

    def _write(self, query: Query, format_: Format, target: Output | RowTally) -> None:
        try:
            self._store.query(query, format_, target)  # type: ignore[arg-type]  # all of a file that the engine uses
        except RowLimitReached:
            return


def main() -> None:
    """Run a worker on the socket whose descriptor, and for the server whose process, the command line gives."""
    descriptor, parent = (int(argument) for argument in sys.argv[1:])
    exit_with_parent(parent)
    sandbox.limit_files()
    # Before there is any other thread: threads inherit it. Queries run on this one, the first: on another,
    # memory comes from another arena.
    notes = sandbox.close_network()
    sandbox.deepen_stack()
    with socket.socket(fileno=descriptor) as connection:
        Worker(connection, notes).run()
    # Taking a large store apart piece by piece would take seconds; the system does it at once.
    os._exit(0)


def _link(job: Job, text: str, format_name: str) -> str:
    """Return the link to the rows after those of a job, empty when there is none."""
    following = next_page(text, job.rows) if len(text) <= _LONGEST_LINK else None
    if following is None:
        return ""
    graphs = [("default-graph-uri", iri) for iri in job.default_graphs or ()]
    graphs += [("named-graph-uri", iri) for iri in job.named_graphs or ()]
    link = "/sparql?" + urlencode([("query", following), *graphs, ("format", format_name)])
    return link if len(link) <= _LONGEST_LINK else ""


def _read_ahead(release: Path) -> None:
    """Read the store's files once, so that the first queries do not wait for the disk."""
    for path in sorted((release / "store").glob("*.sst")):
        with path.open("rb") as file:
            while file.read(1 << 22):
                pass


if __name__ == "__main__":
    main()
