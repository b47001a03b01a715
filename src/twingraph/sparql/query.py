"""What the text of a query says about it: form, dataset, federation, volatility, parameters, paging.

The engine sends requests for ``SERVICE``, which cannot be turned off, and its parser needs no space after a keyword (it
accepts ``SERVICESILENT<x>`` and ``trueSERVICE:x``). So queries are tokenized here first, and ambiguous ones rejected.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from twingraph.errors import FederationRefusedError, QueryError
from twingraph.rdf.iris import resolve
from twingraph.sparql.nesting import may_nest_deeply, refuse_deep_nesting
from twingraph.sparql.tokens import Token, keyword, place, tokens_of, unescaped, without_escaped_letters


class QueryForm(StrEnum):
    """The four query forms (SPARQL 1.1, section 16)."""

    SELECT = "SELECT"
    ASK = "ASK"
    CONSTRUCT = "CONSTRUCT"
    DESCRIBE = "DESCRIBE"

    @property
    def gives_graph(self) -> bool:
        """Whether the result is a graph rather than solutions."""
        return self in (QueryForm.CONSTRUCT, QueryForm.DESCRIBE)


@dataclass(frozen=True, slots=True)
class Query:
    """A query, its form and its dataset.

    ``default_graphs`` and ``named_graphs`` are the IRIs in its dataset clauses (section 13.2); both are None if it has
    none and is about the whole release.
    """

    text: str
    form: QueryForm
    default_graphs: tuple[str, ...] | None = None
    named_graphs: tuple[str, ...] | None = None


_OPERANDS = {"variable", "string", "language", "name", "iri", "number", "word", "blank"}
_SURE_IRI = re.compile(r"<[A-Za-z][A-Za-z0-9+.-]*://")
# The backslash of an escape in a local name, such as `\,` (section 19.8, rule 173).
_ESCAPED_SIGN = re.compile(r"\\(?=[^\w\s])")
_FORMS = {form.value for form in QueryForm}
# Most queries begin like this and have nothing doubtful in them, so their form is known without their tokens. Both
# patterns match in linear time.
_BEGINNING = re.compile(
    r"(?:\s|\#[^\n\r]*+[\n\r]|PREFIX\s+[\w.-]*+:\s*<[^<>\"{}|^`\\\s]*+>)*+(SELECT|ASK|CONSTRUCT|DESCRIBE)(?![\w:.-])",
    re.IGNORECASE | re.ASCII,
)
_UNSURE_IRI = re.compile(r"<(?![A-Za-z][A-Za-z0-9+.-]*+://)[^<>\"{}|^`\\\x00-\x20]*?(?:['#()]|&&)")
# Functions that return another value each time (sections 17.4.2.12, 17.4.4.5 and 17.4.5.1).
_VOLATILE = frozenset({"NOW", "RAND", "UUID", "STRUUID"})
# Letters can be written as escapes (section 19.2).
_MAY_BE_VOLATILE = re.compile(r"NOW|RAND|UUID|\\u", re.IGNORECASE)
_ORDERED = re.compile(r"\bORDER\s+BY\b", re.IGNORECASE)
_LIMITED = re.compile(r"\bLIMIT\b|#", re.IGNORECASE)
_OFFSET = re.compile(r"\bOFFSET\s+(\d+)", re.IGNORECASE | re.ASCII)
# More than any offset needs; parsing a number of thousands of digits takes long.
_MAX_DIGITS = 15


def read_query(text: str, namespaces: Mapping[str, str], base: str, *, federated: bool = False) -> Query:
    """Return a query from its text, without code point escapes in names and keywords.

    It may use ``namespaces`` undeclared. Raises QueryTooLongError when it has too many tokens, and QueryError when it
    has no query form or nests too deeply. Unless it may be ``federated``, it also raises QueryError when it is
    ambiguous, and FederationRefusedError when it uses SERVICE.
    """
    if (plain := _BEGINNING.match(text)) and not _is_doubtful(text):
        return Query(text, QueryForm(plain[1].upper()))
    text = without_escaped_letters(text)
    tokens = tuple(tokens_of(text))
    refuse_deep_nesting(text, tokens)
    if not federated:
        _refuse_service(text, tokens)
        _refuse_ambiguity(text, tokens)
    form = next((token.text.upper() for token in tokens if keyword(token) in _FORMS), None)
    if form is None:
        raise QueryError("not a query: it has no SELECT, ASK, CONSTRUCT or DESCRIBE")
    clauses = tuple(_dataset(text, tokens, namespaces, base))
    if not clauses:
        return Query(text, QueryForm(form))
    default = tuple(iri for named, iri in clauses if not named)
    return Query(text, QueryForm(form), default, tuple(iri for named, iri in clauses if named))


def refuse_federation(text: str) -> None:
    """Raise FederationRefusedError when a query uses SERVICE, and QueryError when it has no tokens or too many."""
    if "SERVICE" in text.upper() or "\\U" in text.upper():
        text = without_escaped_letters(text)
        _refuse_service(text, tuple(tokens_of(text)))


def may_be_volatile(text: str) -> bool:
    """Return whether a query may call a volatile function, without tokenizing it; names and strings count too."""
    return bool(_MAY_BE_VOLATILE.search(text))


def is_volatile(text: str) -> bool:
    """Return whether a query calls a function that returns another value each time."""
    if not may_be_volatile(text):
        return False
    try:
        tokens = tuple(tokens_of(text))
    except QueryError:
        return True
    return any(keyword(token) in _VOLATILE and after.text == "(" for token, after in pairwise(tokens))


def next_page(text: str, rows: int) -> str | None:
    """Return the query for what follows the first ``rows``; None for a query without ORDER BY or with LIMIT."""
    start = text.rfind("}") + 1
    tail = text[start:]
    if not _ORDERED.search(tail) or _LIMITED.search(tail):
        return None
    offset = _OFFSET.search(tail)
    if not offset:
        return f"{text.rstrip()}\nOFFSET {rows}"
    if len(offset[1]) > _MAX_DIGITS:
        return None
    return text[: start + offset.start(1)] + str(int(offset[1]) + rows) + text[start + offset.end(1) :]


def with_prefixes(text: str, namespaces: Mapping[str, str]) -> str:
    """Return a query with declarations of the known prefixes that it uses and does not declare."""
    tokens = tuple(tokens_of(text))
    declared = {after.text[:-1] for token, after in pairwise(tokens) if keyword(token) == "PREFIX"}
    used = {token.text.partition(":")[0] for token in tokens if token.kind == "name"}
    lines = (f"PREFIX {prefix}: <{namespaces[prefix]}>\n" for prefix in sorted(used & set(namespaces) - declared))
    return "".join(lines) + text


def parameters(text: str) -> dict[str, int]:
    """Return each name written ``$name`` in a query, outside strings, IRIs and comments, with its first offset."""
    found: dict[str, int] = {}
    for token in tokens_of(text):
        if token.kind == "variable" and token.text.startswith("$"):
            found.setdefault(token.text[1:], token.start)
    return found


def replace_parameters(text: str, terms: Mapping[str, str]) -> str:
    """Replace each ``$name`` for which there is a term."""
    parts, end = [], 0
    for token in tokens_of(text):
        if token.kind == "variable" and token.text.startswith("$") and token.text[1:] in terms:
            parts += [text[end : token.start], terms[token.text[1:]]]
            end = token.start + len(token.text)
    return "".join((*parts, text[end:]))


def prefixed_names(text: str) -> dict[str, int]:
    """Return the prefixed names in a query, with the first offset of each."""
    found: dict[str, int] = {}
    for token in tokens_of(text):
        if token.kind == "name":
            found.setdefault(token.text, token.start)
    return found


def _is_doubtful(text: str) -> bool:
    """Return whether a query may use SERVICE, dataset clauses or escapes, nest deeply, or be ambiguous."""
    capitals = text.upper()
    words = "SERVICE" in capitals or "FROM" in capitals or "\\U" in capitals
    return (
        words or may_nest_deeply(text) or bool(text.count("'") % 2 or text.count('"') % 2 or _UNSURE_IRI.search(text))
    )


def _refuse_service(text: str, tokens: tuple[Token, ...]) -> None:
    before = ("", *(keyword(token) for token in tokens))
    after = (*(token.text for token in tokens[1:]), "")
    for previous, token, following in zip(before, tokens, after, strict=False):
        word = "SERVICE" in keyword(token)
        prefix = token.text.partition(":")[0].upper() if token.kind == "name" else ""
        # A name is followed by a brace only after GRAPH and SERVICE: `SERVICE:x {` calls the endpoint `:x`.
        glued = prefix.endswith(("SERVICE", "SERVICESILENT")) and following == "{" and previous != "GRAPH"
        if word or glued:
            where = place(text, token.start)
            raise FederationRefusedError("SERVICE is refused: no queries are sent to other endpoints", *where)


def _refuse_ambiguity(text: str, tokens: tuple[Token, ...]) -> None:
    """Reject ``(?a<?b&&?c>?d)``: an IRI in the specification (section 19.8, note 3), two comparisons in the engine."""
    depth, operand = 0, False
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token.text, 0)
        unsure = token.kind == "iri" and operand and depth > 0 and not _SURE_IRI.match(token.text)
        if unsure and (set(token.text) & set("'#()") or "&&" in token.text):
            raise QueryError("`<` could begin an IRI here: write a space after it", *place(text, token.start))
        operand = token.kind in _OPERANDS or token.text == ")"


def _dataset(
    text: str, tokens: tuple[Token, ...], namespaces: Mapping[str, str], base: str
) -> Iterable[tuple[bool, str]]:
    """Yield whether each dataset clause is FROM NAMED, with the IRI of its graph resolved by the prologue."""
    prefixes, position = dict(namespaces), 0
    while position < len(tokens):
        word, rest = keyword(tokens[position]), tokens[position + 1 : position + 3]
        if word == "BASE" and rest and rest[0].kind == "iri":
            base = _absolute(text, rest[0], base)
        elif word == "PREFIX" and len(rest) == 2:
            prefixes[rest[0].text[:-1]] = _absolute(text, rest[1], base)
        elif word in ("FROM", "FROMNAMED"):
            named = word == "FROMNAMED" or bool(rest and keyword(rest[0]) == "NAMED")
            operand = next((token for token in rest if token.kind in ("iri", "name")), None)
            if operand is None:
                raise QueryError("the IRI of a graph must follow FROM", *place(text, tokens[position].start))
            yield named, _resolve(text, operand, prefixes, base)
        position += 1


def _resolve(text: str, token: Token, prefixes: Mapping[str, str], base: str) -> str:
    if token.kind == "iri":
        return _absolute(text, token, base)
    prefix, _, local = token.text.partition(":")
    if prefix not in prefixes:
        raise QueryError(f"the prefix {prefix}: is not declared", *place(text, token.start))
    return prefixes[prefix] + _ESCAPED_SIGN.sub("", local)


def _absolute(text: str, token: Token, base: str) -> str:
    """Resolve an IRI reference in a query; raises QueryError for an invalid one."""
    try:
        return resolve(base, unescaped(token.text[1:-1]))
    except ValueError as error:
        raise QueryError(f"{token.text} is not an IRI: {error}", *place(text, token.start)) from error
