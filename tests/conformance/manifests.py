"""The suites' manifests, read: which test asks what of which data and expects what."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from urllib.parse import urljoin

from rdflib import RDF, RDFS, BNode, Graph, Namespace, URIRef
from rdflib.collection import Collection

MF = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-manifest#")
QT = Namespace("http://www.w3.org/2001/sw/DataAccess/tests/test-query#")
REPOSITORY = Path(__file__).parents[2]
CONFORMANCE = Path(os.environ.get("CONFORMANCE_SUITES") or REPOSITORY / "../shared/conformance").resolve()
SUITES = CONFORMANCE / "w3c-sparql"
# Where the suites are published: relative IRIs in data and queries are resolved against this.
BASE = "https://w3c.github.io/rdf-tests/sparql/"
MISSING = "the W3C suites are not here; name their folder in CONFORMANCE_SUITES"

QUERY_FOLDERS_10 = (
    "algebra", "ask", "basic", "bnode-coreference", "boolean-effective-value", "bound", "cast", "construct",
    "dataset", "distinct", "expr-builtin", "expr-equals", "expr-ops", "graph", "i18n", "open-world", "optional",
    "optional-filter", "reduced", "regex", "solution-seq", "sort", "triple-match", "type-promotion",
)  # fmt: skip
QUERY_FOLDERS_11 = (
    "aggregates", "bind", "bindings", "cast", "construct", "exists", "functions", "grouping", "negation",
    "project-expression", "property-path", "subquery", "syntax-query",
)  # fmt: skip
FOLDERS: dict[str, tuple[str, ...]] = {
    "SPARQL 1.1 query": tuple(f"sparql11/{name}" for name in QUERY_FOLDERS_11),
    "SPARQL 1.1 results in CSV and TSV": ("sparql11/csv-tsv-res",),
    "SPARQL 1.1 results in JSON": ("sparql11/json-res",),
    "SPARQL 1.0 query": tuple(f"sparql10/{name}" for name in QUERY_FOLDERS_10),
    "SPARQL 1.0 syntax": tuple(f"sparql10/syntax-sparql{number}" for number in range(1, 6)),
}
OUT_OF_SCOPE = {
    "sparql11/entailment": "the endpoint answers from what is stated and derived at build time (simple entailment)",
    "sparql11/service": "federated queries are refused: the endpoint asks no other server",
    "sparql11/syntax-fed": "federated queries are refused: the endpoint asks no other server",
    **dict.fromkeys(
        (
            "sparql11/add", "sparql11/basic-update", "sparql11/clear", "sparql11/copy", "sparql11/delete",
            "sparql11/delete-data", "sparql11/delete-insert", "sparql11/delete-where", "sparql11/drop",
            "sparql11/move", "sparql11/syntax-update-1", "sparql11/syntax-update-2", "sparql11/update-silent",
        ),
        "the endpoint is read-only: updates are refused",
    ),
    "sparql11/http-rdf-update": "deprecated by the W3C in favour of graph-store-protocol",
}  # fmt: skip


class Kind(StrEnum):
    """What a test expects: the answer to a query, or that the text is or is not a query."""

    ANSWER = "answer"
    POSITIVE = "positive syntax"
    NEGATIVE = "negative syntax"


_KINDS = {
    "QueryEvaluationTest": Kind.ANSWER,
    "CSVResultFormatTest": Kind.ANSWER,
    "PositiveSyntaxTest": Kind.POSITIVE,
    "PositiveSyntaxTest11": Kind.POSITIVE,
    "NegativeSyntaxTest": Kind.NEGATIVE,
    "NegativeSyntaxTest11": Kind.NEGATIVE,
}


@dataclass(frozen=True, order=True)
class Dataset:
    """The data of tests: ``base`` is the IRI of their folder, the rest IRIs of files."""

    base: str
    default: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    # Named by FROM clauses in tests of syntax: they hold something, so that the name is known.
    mentioned: tuple[str, ...] = ()


@dataclass(frozen=True)
class SuiteTest:
    """One test; ``folder`` is that of its manifest, ``name`` the entry's own there."""

    suite: str
    folder: str
    name: str
    kind: Kind
    query: Path
    dataset: Dataset
    result: Path | None = None
    lax: bool = False

    @property
    def id(self) -> str:
        """The name by which results and failures are listed."""
        return f"{self.folder}/{self.name}"

    @property
    def text(self) -> str:
        """The query."""
        return self.query.read_bytes().decode("utf-8")


@cache
def suite_tests() -> tuple[SuiteTest, ...]:
    """Return every query and syntax test, those with the same dataset side by side; none without the suites."""
    if not SUITES.is_dir():
        return ()
    found = (test for suite, folders in FOLDERS.items() for folder in folders for test in _tests(suite, folder))
    return tuple(sorted(found, key=lambda test: (test.folder, test.dataset, test.name)))


def read_manifest(folder: str, name: str = "manifest.ttl") -> Graph:
    """Return a manifest, its files named as they are published."""
    return Graph().parse(SUITES / folder / name, format="turtle", publicID=f"{BASE}{folder}/")


def entries(manifest: Graph) -> Iterator[URIRef | BNode]:
    """Yield the entries of a manifest in its order."""
    for first in manifest.objects(None, MF.entries):
        yield from Collection(manifest, first)


def local_path(iri: str) -> Path:
    """Return where a file of the suites lies here."""
    assert iri.startswith(BASE), iri
    return SUITES / iri.removeprefix(BASE)


def local_name(term: object) -> str:
    """Return the last part of a name."""
    return str(term).rpartition("#")[2]


def _tests(suite: str, folder: str) -> Iterator[SuiteTest]:
    manifest = read_manifest(folder)
    for entry in entries(manifest):
        kind = _KINDS.get(local_name(manifest.value(entry, RDF.type)))
        if kind is None:
            continue
        action = manifest.value(entry, MF.action)
        query = local_path(str(manifest.value(action, QT.query) or action))
        result = manifest.value(entry, MF.result)
        yield SuiteTest(
            suite,
            folder,
            local_name(entry),
            kind,
            query,
            _dataset(manifest, action, query, folder, kind),
            local_path(str(result)) if kind is Kind.ANSWER else None,
            lax=(entry, MF.resultCardinality, MF.LaxCardinality) in manifest,
        )


# Good enough for the queries of the suites.
_FROM = re.compile(r"\bFROM\s+(?:NAMED\s+)?(?:<([^>]*)>|(\w*):(\w+))", re.IGNORECASE)
_PREFIX = re.compile(r"\bPREFIX\s+(\w*):\s*<([^>]*)>", re.IGNORECASE)


def _clauses(text: str, base: str) -> set[str]:
    """Return the graphs that the dataset clauses of a query name."""
    prefixes = dict(_PREFIX.findall(text))
    return {urljoin(base, iri or prefixes[prefix] + local) for iri, prefix, local in _FROM.findall(text)}


def _dataset(manifest: Graph, action: URIRef | BNode, query: Path, folder: str, kind: Kind) -> Dataset:
    base = f"{BASE}{folder}/"
    clauses = _clauses(query.read_bytes().decode("utf-8"), base)
    if kind is not Kind.ANSWER:
        return Dataset(base, mentioned=tuple(sorted(clauses)))
    named = {str(iri) for iri in manifest.objects(action, QT.graphData)} | clauses
    default = (str(iri) for iri in manifest.objects(action, QT.data))
    return Dataset(base, tuple(sorted(default)), tuple(sorted(named)))


def labelled_graphs(manifest: Graph, entry: URIRef | BNode, predicate: URIRef, graph: URIRef) -> dict[str, Path]:
    """Return the files that a test wants as named graphs, by the graphs' names."""
    nodes = manifest.objects(entry, predicate)
    return {str(manifest.value(node, RDFS.label)): local_path(str(manifest.value(node, graph))) for node in nodes}
