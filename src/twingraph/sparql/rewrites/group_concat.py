"""``GROUP_CONCAT`` of other terms than plain strings.

The engine gives nothing when one of the terms is an IRI or a literal that is no string, and keeps a language that all
of them have. The specification's answer is a simple literal (SPARQL 1.1, section 18.5.1.7), made of the terms' texts;
so do Jena, rdflib, Virtuoso and GraphDB. ``STR`` is put around the argument and around the call.

``DISTINCT`` compares terms, not their texts, as it does in Jena: ``"1"`` and ``1`` are both in the answer. So, where
its argument is a variable, what is no string is given its text with a private language made of its datatype.

Concerns: the W3C's ``sparql11/aggregates/agg-groupconcat-04`` and ``-06`` (the language); issue 7, M4 (other terms).
Upstream: oxigraph/oxigraph issue 297 (IRIs and numbers, open), pull request 1717 (the language, merged in May 2026).
Drop when the engine answers ``SELECT (GROUP_CONCAT(?x) AS ?y) { VALUES ?x { <http://a> 2 "b"@en } }`` with ``"http://a
2 b"``.
"""

import re
from collections.abc import Iterator

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied

_STRINGS = "<http://www.w3.org/2001/XMLSchema#string>, <http://www.w3.org/1999/02/22-rdf-syntax-ns#langString>"


def _as_texts(query: TokenizedQuery, _: DatasetFacts) -> str:
    changes = (change for place in query.words.get("GROUP_CONCAT", ()) for change in _changes(query, place))
    return applied(query.text, sorted(changes, key=lambda change: change.start))


def _changes(query: TokenizedQuery, place: int) -> Iterator[Change]:
    brackets = query.arguments(place)
    if brackets is None:
        return
    name, closing = query.tokens[place], query.tokens[brackets[1]]
    yield Change(name.start, name.start, "STR(")
    yield Change(closing.end, closing.end, ")")
    is_distinct = query.keyword(place + 2) == "DISTINCT"
    begin, end = brackets[0] + 1 + is_distinct, _end(query, *brackets)
    first, last = query.tokens[begin], query.tokens[end - 1]
    if end <= begin:
        return
    if is_distinct and end == begin + 1 and first.kind == "variable":
        yield Change(first.start, first.end, _distinguishable(first.text))
    else:
        yield Change(first.start, first.start, "STR(")
        yield Change(last.end, last.end, ")")


def _end(query: TokenizedQuery, opening: int, closing: int) -> int:
    """Return the place behind the argument: its end, or the semicolon before SEPARATOR."""
    place = opening + 1
    while place < closing and query.text_at(place) != ";":
        place = query.closing.get(place, place) + 1
    return min(place, closing)


def _distinguishable(term: str) -> str:
    """Return an expression whose text is the term's, and which is another for another term."""
    datatype = f"SUBSTR(MD5(STR(DATATYPE({term}))), 1, 8)"
    private = f'IF(isIRI({term}), "x-iri", CONCAT("x-", {datatype}))'
    is_string = f"isLiteral({term}) && DATATYPE({term}) IN ({_STRINGS})"
    return f"IF({is_string}, {term}, STRLANG(STR({term}), {private}))"


REWRITE = Rewrite("group_concat", ("group_concat",), re.compile(r"group_concat"), _as_texts)
