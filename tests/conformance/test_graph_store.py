"""The conversations of the Graph Store Protocol: what they read is read, and what they write is refused.

A conversation writes graphs and reads them back. Here each write must be refused and change nothing; what it would
have left behind is published, and then the reads that follow must give it.
"""

from collections.abc import Mapping
from email import message_from_bytes, policy
from functools import cache
from urllib.parse import parse_qs

import pyoxigraph as ox
import pytest

from conformance.compare import Match, compare, difference
from conformance.conversations import Conversation, Exchange, conversations
from conformance.manifests import MISSING, SUITES
from conformance.publications import throw_away
from conformance.results import read_graph

FOLDER = "sparql11/graph-store-protocol"
MANIFESTS = ("manifest-direct.ttl", "manifest-indirect.ttl")
SUITE = "SPARQL 1.1 graph store protocol, reading"
# Where the server has it; the conversations say /gsp.
GRAPH_STORE = "/graph-store"
BASE = "http://www.example/gsp/"
NOT_HERE = {
    "DirectGraphIdentification": "an optional feature: graphs are named by ?graph= only (mf:DirectGraphIdentification)",
    "POSTGraphCreation": "an optional feature of writing (mf:POSTGraphCreation)",
}
# The quads of each graph, the default graph's under None.
State = Mapping[str | None, tuple[ox.Quad, ...]]


@cache
def told() -> tuple[Conversation, ...]:
    return tuple(one for file in MANIFESTS for one in conversations(FOLDER, file)) if SUITES.is_dir() else ()


CASES = [pytest.param(one, id=f"{FOLDER}/{one.name}") for one in told()]


@pytest.mark.skipif(not CASES, reason=MISSING)
@pytest.mark.parametrize("conversation", CASES)
def test_graph_store(conversation: Conversation, endpoint, outcome, tmp_path):
    outcome(SUITE, f"{FOLDER}/{conversation.name}", "conversation")
    for feature in conversation.requires & set(NOT_HERE):
        outcome.skip(NOT_HERE[feature])
    state: State = {}
    publish(endpoint, tmp_path / "0", state)
    for number, exchange in enumerate(conversation.exchanges, 1):
        path = exchange.path.replace("/gsp", GRAPH_STORE, 1)
        response = endpoint.http.request(exchange.method, path, headers=exchange.headers, content=exchange.body)
        if exchange.method in ("GET", "HEAD"):
            check_read(response, exchange)
        else:
            check_refusal(response)
            state = after(state, exchange)
            publish(endpoint, tmp_path / str(number), state)


def publish(endpoint, directory, state: State) -> None:
    endpoint.serve(throw_away(directory, BASE, (quad for quads in state.values() for quad in quads)))


def check_refusal(response) -> None:
    assert response.status_code == 405, response.text
    assert {"GET", "HEAD"} <= set(response.headers["allow"].replace(" ", "").split(",")) <= {"GET", "HEAD", "OPTIONS"}
    assert response.headers["content-type"] == "application/problem+json"


def check_read(response, exchange: Exchange) -> None:
    expected = exchange.expected
    assert expected.allows(response.status_code), response.text
    for name, value in expected.headers.items():
        assert without_space(response.headers[name]) == without_space(value)
    if exchange.method == "HEAD":
        assert response.content == b""
    if expected.body is not None:
        wanted = read_graph(expected.body.encode(), "turtle", BASE)
        got = read_graph(response.content, "turtle", BASE)
        assert compare(wanted, got) is Match.SAME, difference(wanted, got)


def without_space(value: str) -> str:
    return value.replace(" ", "").lower()


def after(state: State, exchange: Exchange) -> State:
    """Return what a write would have made of the graphs (section 5 of the protocol)."""
    parameters = parse_qs(exchange.path.partition("?")[2], keep_blank_values=True)
    name = None if "default" in parameters else parameters["graph"][0]
    others = {key: quads for key, quads in state.items() if key != name}
    if exchange.method == "DELETE":
        return others
    before = state.get(name, ()) if exchange.method == "POST" else ()
    return {**others, name: (*before, *written(exchange, name))}


def written(exchange: Exchange, name: str | None) -> tuple[ox.Quad, ...]:
    graph = ox.NamedNode(name) if name else ox.DefaultGraph()
    head = f"Content-Type: {exchange.headers['content-type']}\r\n\r\n".encode()
    message = message_from_bytes(head + (exchange.body or b""), policy=policy.HTTP)
    parts = message.iter_parts() if message.is_multipart() else [message]
    return tuple(quad for part in parts for quad in parsed(part.get_payload(decode=True), graph))


def parsed(content: bytes, graph: ox.NamedNode | ox.DefaultGraph) -> tuple[ox.Quad, ...]:
    found = ox.parse(content, ox.RdfFormat.TURTLE, base_iri=BASE, rename_blank_nodes=True)
    return tuple(ox.Quad(quad.subject, quad.predicate, quad.object, graph) for quad in found)


def test_the_conversations_were_really_read():
    if not CASES:
        pytest.skip(MISSING)
    assert len(told()) == 13
    read = [exchange for one in told() for exchange in one.exchanges if exchange.method in ("GET", "HEAD")]
    assert len(read) > 15
