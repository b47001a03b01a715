"""The conversations of the SPARQL Protocol: those that query are held, those that update are refused."""

from functools import cache
from urllib.parse import parse_qs

import pyoxigraph as ox
import pytest
from rdflib import Graph, Namespace

from conformance.conversations import Conversation, Exchange, conversations
from conformance.manifests import MISSING, SUITES, labelled_graphs, read_manifest
from conformance.publications import read_quads, throw_away

UT = Namespace("http://www.w3.org/2009/sparql/tests/test-update#")
FOLDER = "sparql11/protocol"
# The conversations name this graph as being there, and the manifest gives no data for it.
DATA_0 = "http://kasei.us/2009/09/sparql/data/data0.rdf"
FORM = "application/x-www-form-urlencoded"


@cache
def told() -> tuple[Conversation, ...]:
    return conversations(FOLDER) if SUITES.is_dir() else ()


CASES = [pytest.param(one, id=f"{FOLDER}/{one.name}") for one in told()]


@pytest.fixture(scope="module")
def http(endpoint, tmp_path_factory):
    manifest = read_manifest(FOLDER)
    files = {name: path for one in told() for name, path in data(manifest, one).items()}
    quads = [quad for name, path in files.items() for quad in read_quads(path, name, ox.NamedNode(name))]
    node = ox.NamedNode(DATA_0)
    quads.append(ox.Quad(node, node, node, node))
    endpoint.serve(throw_away(tmp_path_factory.mktemp("protocol") / "publication", "http://www.example/", quads))
    return endpoint.http


def data(manifest, conversation):
    return labelled_graphs(manifest, conversation.entry, UT.graphData, UT.graph)


@pytest.mark.skipif(not CASES, reason=MISSING)
@pytest.mark.parametrize("conversation", CASES)
def test_protocol(conversation: Conversation, http, outcome):
    updates = any(is_update(exchange) for exchange in conversation.exchanges)
    suite = "SPARQL 1.1 protocol, updates refused" if updates else "SPARQL 1.1 protocol, queries"
    outcome(suite, f"{FOLDER}/{conversation.name}", "conversation")
    for exchange in conversation.exchanges:
        # What is asked after an update asks for what it did.
        if is_update(exchange) or not updates:
            hold(http, exchange)


def hold(http, exchange: Exchange) -> None:
    path = exchange.path.replace("/sparql/", "/sparql", 1)
    response = http.request(exchange.method, path, headers=exchange.headers, content=exchange.body)
    if is_update(exchange):
        check_refusal(response, exchange)
        return
    expected = exchange.expected
    assert expected.allows(response.status_code), response.text
    if expected.boolean is not None:
        assert response.json()["boolean"] is expected.boolean
    elif expected.form == "tabular":
        assert "bindings" in response.json()["results"]
    elif expected.form == "RDF":
        Graph().parse(data=response.content, format=response.headers["content-type"].partition(";")[0])
    if response.status_code >= 400:
        check_problem(response)


def check_refusal(response, exchange: Exchange) -> None:
    check_problem(response)
    if not is_recognisable(exchange):
        assert exchange.expected.allows(response.status_code), response.text
        return
    assert response.status_code == 403, response.text
    assert "read-only" in response.json()["detail"]


def check_problem(response) -> None:
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == response.status_code
    assert response.json()["detail"]


def is_update(exchange: Exchange) -> bool:
    """Tell whether a request means to update, whether or not it is one by the protocol."""
    body = (exchange.body or b"").decode("utf-16" if "UTF-16" in str(exchange.headers) else "utf-8")
    words = ("update=", "CLEAR", "INSERT", "DELETE", "PREFIX dc")
    return "update" in parse_qs(exchange.path.partition("?")[2]) or any(word in body for word in words)


def is_recognisable(exchange: Exchange) -> bool:
    """Tell whether a request is an update operation by the protocol (section 2.2), or meant to be one by its type."""
    kind = exchange.headers.get("content-type", "").partition(";")[0]
    in_form = kind == FORM and b"update=" in (exchange.body or b"")
    return in_form or kind == "application/sparql-update" or "update=" in exchange.path


def test_the_conversations_were_really_read():
    if not CASES:
        pytest.skip(MISSING)
    updates = [one for one in told() if any(map(is_update, one.exchanges))]
    assert (len(told()), len(updates)) == (34, 14)
