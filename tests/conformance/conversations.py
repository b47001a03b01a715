"""HTTP conversations as the manifests of the protocols tell them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rdflib import BNode, Graph, Namespace, URIRef
from rdflib.collection import Collection

from conformance.manifests import MF, entries, local_name, read_manifest

HT = Namespace("http://www.w3.org/2011/http#")
CNT = Namespace("http://www.w3.org/2011/content#")
_STATUSES = {"OK": 200, "Created": 201, "NoContent": 204, "NotFound": 404}


@dataclass(frozen=True)
class Expected:
    """What the manifest says of an answer; None where it says nothing."""

    statuses: frozenset[str]
    boolean: bool | None
    form: str | None
    headers: Mapping[str, str]
    body: str | None
    location: bool

    def allows(self, status: int) -> bool:
        """Tell whether a status is among those expected, one by one or by class."""
        return bool({str(status), f"{status // 100}xx"} & self.statuses)


@dataclass(frozen=True)
class Exchange:
    """A request, ``path`` with its query as it stands on the wire, and the answer that is expected."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes | None
    expected: Expected


@dataclass(frozen=True)
class Conversation:
    """A test: exchanges in their order, and the features it needs."""

    name: str
    entry: URIRef | BNode
    exchanges: tuple[Exchange, ...]
    requires: frozenset[str]


def conversations(folder: str, file: str = "manifest.ttl") -> tuple[Conversation, ...]:
    """Return the conversations of a manifest in its order."""
    manifest = read_manifest(folder, file)
    return tuple(_conversation(manifest, entry) for entry in entries(manifest))


def _conversation(manifest: Graph, entry: URIRef | BNode) -> Conversation:
    connection = manifest.value(entry, MF.action)
    requests = _list(manifest, connection, HT.requests)
    requires = frozenset(local_name(feature) for feature in manifest.objects(entry, MF.requires))
    return Conversation(local_name(entry), entry, tuple(_exchange(manifest, one) for one in requests), requires)


def _exchange(manifest: Graph, request: BNode) -> Exchange:
    body = manifest.value(request, HT.body)
    content = None if body is None else _text(manifest, body).encode(str(manifest.value(body, CNT.characterEncoding)))
    return Exchange(
        str(manifest.value(request, HT.methodName)),
        str(manifest.value(request, HT.absolutePath)),
        _headers(manifest, request),
        content,
        _expected(manifest, manifest.value(request, HT.resp)),
    )


def _expected(manifest: Graph, response: BNode) -> Expected:
    statuses = (local_name(one).removeprefix("StatusCode") for one in manifest.objects(response, MF.expectedStatus))
    boolean = manifest.value(response, MF.expectedBoolean)
    form = manifest.value(response, MF.expectedFormat)
    body = manifest.value(response, HT.body)
    return Expected(
        frozenset(str(_STATUSES.get(status, status)) for status in statuses),
        None if boolean is None else str(boolean) == "true",
        None if form is None else str(form),
        _headers(manifest, response),
        None if body is None else _text(manifest, body),
        manifest.value(response, MF.expectedLocation) is not None,
    )


def _headers(manifest: Graph, message: BNode) -> Mapping[str, str]:
    headers = _list(manifest, message, HT.headers)
    return {str(manifest.value(one, HT.fieldName)): str(manifest.value(one, HT.fieldValue)) for one in headers}


def _text(manifest: Graph, body: BNode) -> str:
    return str(manifest.value(body, CNT.chars))


def _list(manifest: Graph, node: BNode, predicate: URIRef) -> Iterator[BNode]:
    first = manifest.value(node, predicate)
    return iter(Collection(manifest, first)) if first is not None else iter(())
