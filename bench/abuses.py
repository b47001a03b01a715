"""The kinds of abuse, each a maker of requests: the same for a seed, bounded in bytes, time and number."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from urllib.parse import quote

from mutate import mutated

# Who abuses comes from some of these addresses of this machine; another client has 127.0.0.2.
_SOURCES = tuple(f"127.0.1.{number}" for number in range(1, 9))
_PATIENCE, _MOST_READ = 12.0, 4 << 20
_PRODUCT = "?a ?b ?c . ?d ?e ?f . ?g ?h ?i . ?j ?k ?l"
_PATHS = (
    *("/", "/sparql", "/sparql/", "/queries", "/queries/lights", "/queries/none", "/graph-store", "/graph/none", "*"),
    *("/healthz", "/readyz", "/metrics", "/.well-known/void", "/openapi.json", "/style.css", "/%00", "//x"),
    "/..%2f..%2fetc/passwd",
)
_HEADERS = (
    *("Content-Length: x", "Content-Length: 5", "Transfer-Encoding: chunked", "Host: a%6", "Expect: 100-continue"),
    *(
        "Range: bytes=0-1",
        "If-None-Match: *",
        "Accept-Encoding: gzip;q=0",
        "Content-Type: ;;charset=\x7f",
        "Upgrade: h2c",
    ),
)
_DATES = ("2001-01-01", "2001-01-01Z", "2001-01-01+05:00", "2002-02-02-14:00", "2001-01-02")


@dataclass(frozen=True)
class Abuse:
    """One connection: what is written, with a pause (seconds) after each piece, and how many bytes are read back.

    Those are read in bites of ``bite`` bytes with ``chew`` seconds after each; it then stays ``linger`` seconds.
    """

    pieces: Sequence[bytes]
    pause: float = 0.0
    read: int = _MOST_READ
    bite: int = 1 << 16
    chew: float = 0.0
    linger: float = 0.0


def _get(target: str, *headers: str) -> bytes:
    lines = (f"GET {target} HTTP/1.1", "Host: 127.0.0.1", "Connection: close", *headers, "", "")
    return "\r\n".join(lines).encode("utf-8", "surrogatepass")


def _ask(query: str | bytes, accept: str = "*/*") -> bytes:
    body = query if isinstance(query, bytes) else query.encode()
    lines = (
        "POST /sparql HTTP/1.1", "Host: 127.0.0.1", "Connection: close", f"Accept: {accept}",
        "Content-Type: application/sparql-query", f"Content-Length: {len(body)}", "", "",
    )  # fmt: skip
    return "\r\n".join(lines).encode() + body


def huge_accept(random: Random) -> Abuse:
    part = random.choice(('"', '"\\', "a/b,", ";q=0", "text/html;q=0.1,", "*/*;", "=", ' ; ""', "é"))
    return Abuse([_get(random.choice(_PATHS), f"Accept: {part * (random.choice((500, 20_000)) // len(part))}")])


def long_head(random: Random) -> Abuse:
    if random.random() < 0.5:
        return Abuse(
            [b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ", *[b"a" * 100_000] * random.choice((1, 20)), b"\r\n\r\n"]
        )
    return Abuse([_get("/healthz", *(f"X-{number}: {number}" for number in range(random.choice((90, 5000))))) + b""])


def deep_query(random: Random) -> Abuse:
    sign, size = random.choice("{([<\"'!.*^|/#\\"), random.choice((1_000, 50_000, 400_000))
    return Abuse(
        [_ask(random.choice((sign * size, f"{sign * size} SELECT * {{ ?s ?p ?o }}", f"ASK {{ {sign * size} }}")))]
    )


def new_query(random: Random) -> Abuse:
    padding = "x" * random.choice((10, 1_000, 15_000, 100_000))
    return Abuse([_ask(f"SELECT * {{ ?s ?p ?o }} LIMIT {random.randrange(100)} # {random.random()} {padding}")])


def slow_head(random: Random) -> Abuse:
    head = _get("/sparql?query=ASK%7B%7D")
    return Abuse([head[at : at + 1] for at in range(random.randrange(2, 30))], pause=0.3, linger=1)


def slow_body(random: Random) -> Abuse:
    data = _ask("ASK {}" + " " * 1000)
    return Abuse([data[:-900], *[b" "] * random.randrange(2, 20)], pause=0.3, linger=1)


def hang_up(random: Random) -> Abuse:
    query = f"SELECT (COUNT(*) AS ?n) {{ {_PRODUCT} FILTER(?c < ?f) }} # {random.random()}"
    return Abuse([_ask(query)], read=0, linger=random.choice((0.0, 0.05, 0.5)))


def killing_order(random: Random) -> Abuse:
    values = " ".join(f'"{random.choice(_DATES)}"^^xsd:date' for _ in range(random.choice((60, 800))))
    prefix = "PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>"
    return Abuse([_ask(f"{prefix} SELECT ?x {{ VALUES ?x {{ {values} }} }} ORDER BY ?x # {random.random()}")])


def memory_bomb(random: Random) -> Abuse:
    doubling = "".join(f"BIND(CONCAT(?x{n}, ?x{n}) AS ?x{n + 1}) " for n in range(40))
    return Abuse([_ask(f'SELECT (STRLEN(?x40) AS ?n) {{ BIND("{random.random()}" AS ?x0) {doubling} }}')])


def endless(random: Random) -> Abuse:
    request = _ask(f"SELECT * {{ {_PRODUCT} }} # {random.random()}", random.choice(("text/csv", "*/*", "text/html")))
    way = random.random()
    if way < 0.3:
        return Abuse([request])
    if way < 0.6:
        return Abuse([request], read=40_000, bite=1_000, chew=0.1)
    return Abuse([request], read=0, linger=4)


def graph_product(random: Random) -> Abuse:
    groups = " ".join(
        f"GRAPH ?g{n} {{ ?s{n} ?p{n} ?o{n} MINUS {{ ?s{n} a ?o{n} }} }}" for n in range(random.randrange(2, 6))
    )
    return Abuse([_ask(f"SELECT (COUNT(*) AS ?n) {{ {groups} }} # {random.random()}")])


def idle(random: Random) -> Abuse:
    return Abuse([random.choice((b"", b"GET ", _get("/healthz")[:-2]))], read=0, linger=random.choice((1.0, 3.0)))


def junk(random: Random) -> Abuse:
    method = random.choice(("HEAD", "OPTIONS", "POST", "PUT", "DELETE", "TRACE", "CONNECT", "BREW", "GET", "PRI"))
    header = random.choice(_HEADERS)
    target = random.choice(_PATHS) + random.choice(
        ("", "?query=%ff", f"?{quote(chr(0x1F600))}", "?format=" + "x" * 3000)
    )
    return Abuse([f"{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{header}\r\n\r\n".encode("latin-1")])


def bytes_only(random: Random) -> Abuse:
    return Abuse([random.randbytes(random.choice((1, 100, 10_000)))])


KINDS: tuple[Callable[[Random], Abuse], ...] = (
    huge_accept, long_head, deep_query, new_query, new_query, slow_head, slow_body, hang_up, killing_order, memory_bomb,
    endless, graph_product, junk, junk, bytes_only,
)  # fmt: skip


def mutants(queries: Sequence[str], seed: int) -> Callable[[Random], Abuse]:
    """Return a kind that asks mutated queries."""

    def mutant(random: Random) -> Abuse:
        return Abuse([_ask(mutated(queries, seed, random.randrange(1 << 30)))])

    return mutant


async def commit(abuse: Abuse, port: int, random: Random) -> str:
    """Make one connection and return the status of the answer, `none` without one."""
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", port, local_addr=(random.choice(_SOURCES), 0), limit=1 << 16
            )
            try:
                return await _talk(abuse, reader, writer)
            finally:
                writer.transport.abort()
    except (OSError, TimeoutError, asyncio.IncompleteReadError):
        return "none"


async def _talk(abuse: Abuse, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
    with suppress(ConnectionError):  # a server may answer and close before it has read everything
        for piece in abuse.pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(abuse.pause)
    first, left = b"", abuse.read
    while left > 0 and (data := await reader.read(abuse.bite)):
        first, left = first or data, left - len(data)
        await asyncio.sleep(abuse.chew)
    await asyncio.sleep(abuse.linger)
    return first[9:12].decode("latin-1") if first.startswith(b"HTTP/1.1 ") else "none"
