"""Writing graphs in any format: the triples of an answer, and lines with the terms as they were written.

The engine's parsers and serializers keep lexical forms, datatypes and labels of blank nodes; only its store does not.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import IO, TypeGuard, cast

import pyoxigraph as ox

from twingraph.errors import QueryError
from twingraph.rdf.formats import N_QUADS, N_TRIPLES, Format
from twingraph.rdf.terms import Term
from twingraph.store.output_filters import finished_output

# A graph is streamed, so its prefixes are those that its first triples use.
_FIRST_TRIPLES = 20_000


def write_lines(
    blocks: Iterable[bytes], format_: Format, namespaces: Mapping[str, str], tags: Sequence[str], output: IO[bytes]
) -> None:
    """Write lines of N-Triples, given in blocks, in a format for graphs, with every term as it is.

    ``tags`` are the language tags among them that are not lower-case. Raises QueryError for what the format cannot
    represent, and what iterating over the blocks raises.
    """
    if format_.engine in (N_TRIPLES.engine, N_QUADS.engine):
        for block in blocks:
            output.write(block)
        return
    triples = (quad.triple for block in blocks for quad in ox.parse(block, format=ox.RdfFormat.N_TRIPLES))
    with finished_output(output, format_, tags) as target, refusing_unsupported(format_):
        serialize_triples(triples, format_, namespaces, target)


def serialize_triples(
    triples: Iterable[ox.Triple], format_: Format, namespaces: Mapping[str, str], output: IO[bytes]
) -> None:
    """Write triples in a format for graphs, with the prefixes that the first of them use."""
    every, engine = iter(triples), cast(ox.RdfFormat, format_.engine)
    first = tuple(islice(every, _FIRST_TRIPLES)) if format_.prefixes else ()
    ox.serialize(chain(first, every), output, format=engine, prefixes=used_prefixes(namespaces, first))


@contextmanager
def refusing_unsupported(format_: Format) -> Iterator[None]:
    """Raise QueryError for terms of RDF 1.2 that the format cannot represent."""
    try:
        yield
    except OSError as error:
        if "does not support" in str(error):
            raise QueryError(f"the result cannot be written as {format_.name}: {error}") from error
        raise


def used_prefixes(namespaces: Mapping[str, str], triples: Iterable[ox.Triple]) -> dict[str, str]:
    """Return the prefixes of the IRIs in the triples."""
    terms = {term for one in triples for term in (one.subject, one.predicate, one.object)}
    iris = {term.value if isinstance(term, ox.NamedNode) else term.datatype.value for term in terms if _has_iri(term)}
    stems = {iri[: max(iri.rfind("#"), iri.rfind("/")) + 1] for iri in iris}
    return {prefix: namespace for prefix, namespace in namespaces.items() if namespace in stems}


def _has_iri(term: Term) -> TypeGuard[ox.NamedNode | ox.Literal]:
    return isinstance(term, ox.NamedNode | ox.Literal)
