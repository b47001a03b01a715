"""Queries made wrong on purpose, each by a few seeded changes to one of a list: the same for a seed and a number."""

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

_TOKEN = re.compile(r"<[^<>\s]*>|\"[^\"\n]*\"|'[^'\n]*'|[?$]?\w[\w:.-]*|\s+|.", re.DOTALL)


def _words(text: str) -> list[str]:
    return text.split()


_KEYWORDS = _words(
    "SELECT ASK CONSTRUCT DESCRIBE DISTINCT REDUCED FROM NAMED WHERE GRAPH OPTIONAL UNION MINUS FILTER EXISTS NOT BIND "
    "VALUES SERVICE SILENT UNDEF GROUP BY HAVING ORDER ASC DESC LIMIT OFFSET BASE PREFIX AS IN COUNT SUM AVG MIN MAX "
    "SAMPLE GROUP_CONCAT SEPARATOR BNODE IF COALESCE STRDT STRLANG LANG DATATYPE REGEX REPLACE NOW UUID a true false"
)
_SIGNS = _words("{ } ( ) [ ] . ; , * + ? ! = != < > <= >= && || / | ^ ^^ @ @en _: # \\ \" ' ''' - $ : % & ~")
_OPERATORS = _words("+ - * / = != < > <= >= && || | ^")
_GROUPS = (
    *(
        "{ {} }",
        "{ {} OPTIONAL {} }",
        "{ {} UNION {} }",
        "{ {} MINUS {} }",
        "{ GRAPH ?g {} }",
        "{ GRAPH ?g { {} MINUS {} } }",
    ),
    *("{ {} FILTER EXISTS {} }", "{ {} FILTER NOT EXISTS {} }", "{ SELECT * {} LIMIT 5 }", "{ SELECT DISTINCT ?s {} }"),
    *(
        "{ SELECT (COUNT(*) AS ?n) {} }",
        "{ {} VALUES ?s { <urn:x> UNDEF } }",
        "{ {} BIND(?s AS ?new) }",
        "{ {} {} {} }",
    ),
)
_TERMS = _words(
    "?s ?p ?o ?g <> <urn:x> <http://[> <//[> <file:///etc/passwd> :x a: _:b [] () 1 -1 1.5 1e9999 00 true "
    "BNODE(?s) LANG(?o) GROUP_CONCAT(?o) TRUE :x* ^:x \\u0041 "
    '"" "x"@en "x"^^<urn:x> "1"^^<http://www.w3.org/2001/XMLSchema#integer> '
    '"0000-00-00"^^<http://www.w3.org/2001/XMLSchema#date> 99999999999999999999999999'
)
_BYTES = (
    b"\0",
    b"\r",
    b"\x80",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\\u0000",
    b"\\uD800",
    b"\\U00110000",
    b"%",
)
# A mutated query may have this many bytes: what is longer has tests of its own.
_MOST = 50_000

Tokens = list[str]


def mutated(queries: Sequence[str], seed: int, number: int) -> bytes:
    """Return one query, always the same for a list, a seed and a number."""
    random = Random(f"{seed}:{number}")
    tokens = _TOKEN.findall(random.choice(queries))
    for _ in range(random.choice((1, 1, 1, 2, 2, 3, 5))):
        random.choice(_CHANGES)(tokens, random, queries)
    data = "".join(tokens).encode("utf-8", "surrogatepass")[:_MOST]
    if random.random() < 0.05:
        at = random.randrange(len(data) + 1)
        data = data[:at] + random.choice(_BYTES) + data[at:]
    return data


def w3c_queries(folder: Path) -> list[str]:
    """Return the queries of the W3C's suites, in order of their paths."""
    paths = sorted(folder.glob("w3c-sparql/**/*.rq"))
    return [text for path in paths if len(text := path.read_text(encoding="utf-8", errors="replace")) < _MOST]


def _swap(tokens: Tokens, random: Random, _: Sequence[str]) -> None:
    one, other = _at(tokens, random), _at(tokens, random)
    if tokens:
        tokens[one], tokens[other] = tokens[other], tokens[one]


def _delete(tokens: Tokens, random: Random, _: Sequence[str]) -> None:
    at = _at(tokens, random)
    del tokens[at : at + random.choice((1, 1, 1, 2, 5, 20))]


def _duplicate(tokens: Tokens, random: Random, _: Sequence[str]) -> None:
    at = _at(tokens, random)
    tokens[at:at] = tokens[at : at + random.choice((1, 2, 5, 20))] * random.choice((1, 1, 2, 100))


def _replace(tokens: Tokens, random: Random, _: Sequence[str]) -> None:
    words = [at for at, token in enumerate(tokens) if token.upper() in _KEYWORDS]
    if words:
        tokens[random.choice(words)] = random.choice(_KEYWORDS)


def _insert(tokens: Tokens, random: Random, _: Sequence[str]) -> None:
    tokens.insert(_at(tokens, random), f" {random.choice(random.choice((_KEYWORDS, _SIGNS, _TERMS)))} ")


def _substitute(tokens: Tokens, random: Random, _: Sequence[str]) -> None:
    if tokens:
        tokens[_at(tokens, random)] = random.choice(random.choice((_SIGNS, _TERMS)))


def _truncate(tokens: Tokens, random: Random, _: Sequence[str]) -> None:
    del tokens[_at(tokens, random) :]


def _nest(tokens: Tokens, random: Random, _: Sequence[str]) -> None:
    begin, end = random.choice((("{", "}"), ("(", ")"), ("{ SELECT * {", "} }"), ("OPTIONAL {", "}"), ("!(", ")")))
    times, at = random.choice((1, 2, 10, 300)), _at(tokens, random)
    length = random.randrange(1, 30)
    tokens[at : at + length] = [begin] * times + tokens[at : at + length] + [end] * times


def _graft(tokens: Tokens, random: Random, queries: Sequence[str]) -> None:
    other = _TOKEN.findall(random.choice(queries))
    at = _at(other, random)
    tokens[_at(tokens, random) : 0] = other[at : at + random.randrange(1, 40)]


def _upset(tokens: Tokens, random: Random, _: Sequence[str]) -> None:
    if tokens:
        at = _at(tokens, random)
        tokens[at] = random.choice((tokens[at].swapcase(), tokens[at][::-1], tokens[at] * 50, tokens[at][:1]))


def _alike(tokens: Tokens, random: Random, queries: Sequence[str]) -> None:
    """Put another term of the same kind in a term's place, so that the query is often well formed."""
    at = _at(tokens, random)
    kind = _kind(tokens[at]) if tokens else ""
    others = [
        token for token in (*_TOKEN.findall(random.choice(queries)), *_TERMS, *_OPERATORS) if _kind(token) == kind
    ]
    if kind and others:
        tokens[at] = random.choice(others)


def _wrap(tokens: Tokens, random: Random, _: Sequence[str]) -> None:
    """Put something before or round a group in braces, which stays as it is; sometimes the group is there twice."""
    begins = [at for at, token in enumerate(tokens) if token == "{"]
    if not begins:
        return
    begin, depth = random.choice(begins), 0
    for end in range(begin, len(tokens)):
        depth += {"{": 1, "}": -1}.get(tokens[end], 0)
        if depth == 0:
            group = tokens[begin : end + 1]
            way = random.choice(_GROUPS).replace("{}", "".join(group))
            tokens[begin : end + 1] = _TOKEN.findall(way)
            return


def _kind(token: str) -> str:
    if token in _OPERATORS:
        return "operator"
    return token[0] if token[0] in "?$<\"'" else "name" if ":" in token else ""


def _at(tokens: Tokens, random: Random) -> int:
    return random.randrange(len(tokens)) if tokens else 0


# What often leaves a query well formed stands here more often.
_CHANGES: tuple[Callable[[Tokens, Random, Sequence[str]], None], ...] = (
    *(_swap, _delete, _duplicate, _replace, _insert, _substitute, _truncate, _nest, _graft, _upset),
    *(_alike, _alike, _alike, _alike, _alike, _alike, _alike, _alike, _wrap, _wrap, _wrap, _wrap, _wrap, _wrap),
)
