"""``GROUP_CONCAT`` of other terms than simple literals.

The engine leaves the result unbound when a term is an IRI or a literal other than a string, and keeps a language that
all terms have. In the specification the result is a simple literal (SPARQL 1.1, section 18.5.1.7) of the strings of the
terms, as in Jena, rdflib, Virtuoso and GraphDB. The argument and the call are wrapped in ``STR``.

``DISTINCT`` compares terms, not strings, as in Jena: ``"1"`` and ``1`` are both in the result. So, where its argument
is a variable, other terms than strings become literals with a private language tag made of their datatype.

Concerns: the W3C's ``sparql11/aggregates/agg-groupconcat-04`` and ``-06`` (the language); issue 7, M4 (other terms).
Upstream: oxigraph/oxigraph issue 297 (IRIs and numbers, open), pull request 1717 (the language, merged in May 2026).
Drop when ``SELECT (GROUP_CONCAT(?x) AS ?y) { VALUES ?x { <http://a> 2 "b"@en } }`` returns ``"http://a 2 b"``.
"""

import re
from collections.abc import Iterator

from twingraph.sparql.rewrites.rewrite import Change, DatasetFacts, Rewrite, TokenizedQuery, applied

_STRINGS = "<http://www.w3.org/2001/XMLSchema#string>, <http://www.w3.org/1999/02/22-rdf-syntax-ns#langString>"


def _as_texts(query: TokenizedQuery, _: DatasetFacts) -> str:
    changes = (change for index in query.words.get("GROUP_CONCAT", ()) for change in _changes(query, index))
    return applied(query.text, sorted(changes, key=lambda change: change.start))


def _changes(query: TokenizedQuery, index: int) -> Iterator[Change]:
    brackets = query.arguments(index)
    if brackets is None:
        return
    name, closing = query.tokens[index], query.tokens[brackets[1]]
    yield Change(name.start, name.start, "STR(")
    yield Change(closing.end, closing.end, ")")
    is_distinct = query.keyword(index + 2) == "DISTINCT"
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
    """Return the index after the argument: of the semicolon before SEPARATOR, or of the closing bracket."""
    index = opening + 1
    while index < closing and query.text_at(index) != ";":
        index = query.closing.get(index, index) + 1
    return min(index, closing)


def _distinguishable(term: str) -> str:
    """Return an expression for a literal with the term's string that differs for different terms."""
    datatype = f"SUBSTR(MD5(STR(DATATYPE({term}))), 1, 8)"
    private = f'IF(isIRI({term}), "x-iri", CONCAT("x-", {datatype}))'
    is_string = f"isLiteral({term}) && DATATYPE({term}) IN ({_STRINGS})"
    return f"IF({is_string}, {term}, STRLANG(STR({term}), {private}))"


REWRITE = Rewrite("group_concat", ("group_concat",), re.compile(r"group_concat"), _as_texts)
