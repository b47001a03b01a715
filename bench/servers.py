"""Real servers on 127.0.0.1, each with a free port and the same data: one N-Quads file.

Every server is started with the union of all named graphs as its default graph, as twingraph has it.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from client import wait_until_ready
from places import COMPETITORS, FUSEKI
from processes import Memory, cpu_seconds, memory

_PATIENCE = 900.0
_RELEASE_SMALL = 2_000_000


class NotAvailableError(Exception):
    """A server is not installed; the message says how to."""


@dataclass
class Server:
    """A server that runs; the times of loading are zero when it serves what a build has loaded."""

    name: str
    path: str
    port: int
    process: subprocess.Popen[bytes]
    load_seconds: float = 0.0
    load_cpu: float = 0.0
    start_seconds: float = 0.0
    cleaning: list[Path] = field(default_factory=list)

    def cpu(self) -> float:
        """Return the CPU seconds used so far."""
        return cpu_seconds(self.process.pid)

    def memory(self) -> Memory:
        """Return the memory held now."""
        return memory(self.process.pid)

    def stop(self) -> None:
        """End the server and everything it started."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if self.process.poll() is not None:
                break
            os.killpg(self.process.pid, number)
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                continue


@dataclass(frozen=True)
class Data:
    """What the servers are loaded with: a publication with a release, and its quads as one N-Quads file."""

    publication: Path
    quads: Path
    count: int
    scratch: Path


def twingraph(data: Data) -> Server:
    """Start twingraph over the release."""
    port = free_port()
    command = [
        str(Path(sys.executable).parent / "twingraph"),
        "-C",
        str(data.publication),
        "serve",
        "--port",
        str(port),
    ]
    return _start("twingraph", "/sparql", port, command, data.scratch)


def oxigraph_memory(data: Data) -> Server:
    """Start the native server with a store in memory and load it through the Graph Store Protocol."""
    port = free_port()
    command = [_competitor("oxigraph"), "serve", "--bind", f"127.0.0.1:{port}", "--union-default-graph"]
    server = _start("oxigraph (memory)", "/query", port, command, data.scratch)
    begin, cpu = time.perf_counter(), server.cpu()
    _send(f"http://127.0.0.1:{port}/store?no_transaction", data.quads)
    server.load_seconds, server.load_cpu = time.perf_counter() - begin, server.cpu() - cpu
    return server


def oxigraph_disk(data: Data) -> Server:
    """Load a store on disk with the native tool and serve it read-only."""
    location = _fresh(data.scratch / "oxigraph")
    binary = _competitor("oxigraph")
    seconds, cpu = timed([binary, "load", "--location", str(location), "--file", str(data.quads)])
    optimize = timed([binary, "optimize", "--location", str(location)])
    port = free_port()
    command = [binary, "serve-read-only", "--location", str(location), "--bind", f"127.0.0.1:{port}"]
    server = _start("oxigraph (disk)", "/query", port, [*command, "--union-default-graph"], data.scratch)
    server.load_seconds, server.load_cpu = seconds + optimize[0], cpu + optimize[1]
    return server


def rdflib_endpoint(data: Data) -> Server:
    """Start rdflib-endpoint, which parses the file itself before it listens."""
    port = free_port()
    command = [_competitor("rdflib-endpoint"), "serve", "--host", "127.0.0.1", "--port", str(port), str(data.quads)]
    server = _start("rdflib-endpoint", "/", port, command, data.scratch)
    server.load_seconds, server.load_cpu = server.start_seconds, server.cpu()
    return server


def fuseki(data: Data) -> Server:
    """Load a TDB2 database with Jena's loader and serve it."""
    if not FUSEKI.exists() or not shutil.which("java"):
        raise NotAvailableError("Fuseki: python bench/install.py (needs Java 17 and Maven)")
    location, port = _fresh(data.scratch / "tdb2"), free_port()
    seconds, cpu = timed(["java", "-cp", str(FUSEKI), "tdb2.tdbloader", "--loc", str(location), str(data.quads)])
    configuration = data.scratch / "fuseki.ttl"
    configuration.write_text(_FUSEKI.format(location=location), encoding="utf-8")
    command = ["java", "-Xmx4G", "-jar", str(FUSEKI), "--localhost", "--port", str(port), "--conf", str(configuration)]
    server = _start("fuseki (TDB2)", "/ds/sparql", port, command, data.scratch)
    server.load_seconds, server.load_cpu = seconds, cpu
    return server


def virtuoso(data: Data) -> Server:
    """Start Virtuoso with a database of its own and load the file with its bulk loader."""
    if not shutil.which("virtuoso-t") or not shutil.which("isql-vt"):
        raise NotAvailableError("Virtuoso: on Debian, apt-get install virtuoso-opensource")
    folder, port, sql = _fresh(data.scratch / "virtuoso"), free_port(), free_port()
    settings = folder / "virtuoso.ini"
    settings.write_text(_VIRTUOSO.format(folder=folder, quads=data.quads.parent, port=port, sql=sql), encoding="utf-8")
    command = ["virtuoso-t", "+foreground", "+configfile", str(settings)]
    server = _start("virtuoso", "/sparql", port, command, folder)
    begin, cpu = time.perf_counter(), server.cpu()
    steps = (f"ld_dir('{data.quads.parent}', '{data.quads.name}', 'urn:x:default')", "rdf_loader_run()", "checkpoint")
    for step in steps:
        statement = f"EXEC={step};"
        subprocess.run(["isql-vt", str(sql), "dba", "dba", statement], check=True, capture_output=True)
    server.load_seconds, server.load_cpu = time.perf_counter() - begin, server.cpu() - cpu
    return server


SERVERS: dict[str, Callable[[Data], Server]] = {
    "twingraph": twingraph,
    "oxigraph (memory)": oxigraph_memory,
    "oxigraph (disk)": oxigraph_disk,
    "virtuoso": virtuoso,
    "fuseki (TDB2)": fuseki,
    "rdflib-endpoint": rdflib_endpoint,
}


def native(count: int) -> str:
    """Return the native server with the kind of store that twingraph takes for so many quads."""
    return "oxigraph (memory)" if count <= _RELEASE_SMALL else "oxigraph (disk)"


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def timed(command: Sequence[str]) -> tuple[float, float]:
    """Run a command and return its wall-clock and CPU seconds."""
    before, begin = os.times(), time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    after = os.times()
    cpu = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - begin, cpu


def _competitor(name: str) -> str:
    path = COMPETITORS / name
    if not path.exists():
        raise NotAvailableError(f"{name}: python bench/install.py")
    return str(path)


def _start(name: str, path: str, port: int, command: Sequence[str], folder: Path) -> Server:
    begin = time.perf_counter()
    log = folder / f"{name.partition(' ')[0]}-{port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder, start_new_session=True)
    server = Server(name, path, port, process)
    try:
        wait_until_ready(port, path, _PATIENCE, lambda: process.poll() is None)
    except Exception:
        server.stop()
        raise
    server.start_seconds = time.perf_counter() - begin
    return server


def _send(url: str, file: Path) -> None:
    command = [
        "curl",
        "--silent",
        "--fail",
        "-X",
        "POST",
        "-H",
        "Content-Type: application/n-quads",
        "-T",
        str(file),
        url,
    ]
    subprocess.run(command, check=True, capture_output=True)


def _fresh(folder: Path) -> Path:
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    return folder


_FUSEKI = """
PREFIX : <#>
PREFIX fuseki: <http://jena.apache.org/fuseki#>
PREFIX rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#>
PREFIX tdb2: <http://jena.apache.org/2016/tdb#>
:service rdf:type fuseki:Service ; fuseki:name "ds" ;
  fuseki:endpoint [ fuseki:operation fuseki:query ; fuseki:name "sparql" ] ; fuseki:dataset :dataset .
:dataset rdf:type tdb2:DatasetTDB2 ; tdb2:location "{location}" ; tdb2:unionDefaultGraph true .
"""

_VIRTUOSO = """
[Database]
DatabaseFile = {folder}/virtuoso.db
ErrorLogFile = {folder}/virtuoso.log
LockFile = {folder}/virtuoso.lck
TransactionFile = {folder}/virtuoso.trx
xa_persistent_file = {folder}/virtuoso.pxa
MaxCheckpointRemap = 2000
TempStorage = TempDatabase

[TempDatabase]
DatabaseFile = {folder}/virtuoso-temp.db
TransactionFile = {folder}/virtuoso-temp.trx

[Parameters]
ServerPort = {sql}
DisableUnixSocket = 1
DirsAllowed = {folder}, {quads}
NumberOfBuffers = 170000
MaxDirtyBuffers = 130000
MaxQueryMem = 2G
MaxSortedTopRows = 1000000
MaxClientConnections = 20
ThreadsPerQuery = 2

[HTTPServer]
ServerPort = 127.0.0.1:{port}
ServerRoot = {folder}
ServerThreads = 20
MaxClientConnections = 20
MaxKeepAlives = 20
KeepAliveTimeout = 60

[Client]
SQL_QUERY_TIMEOUT = 0

[SPARQL]
ResultSetMaxRows = 100000000
MaxQueryCostEstimationTime = 100000
MaxQueryExecutionTime = 600
"""
