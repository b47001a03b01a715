"""Language tags: malformed ones, and labels in languages that the publication does not list."""

from collections import Counter
from collections.abc import Callable, Iterable

import pyoxigraph as ox

from twingraph.check.statements import LABELS, Statements, statement
from twingraph.findings import Finding
from twingraph.rdf.iris import canonical_language, is_language_tag


def check_languages(statements: Statements, listed: Iterable[str]) -> tuple[Finding, ...]:
    """Return a finding for each property with a malformed tag, or labels in a language that is not ``listed``.

    A listed language includes its varieties, ``en`` also ``en-GB`` (RFC 4647, section 3.3.1); none listed allows all.
    """
    tags = {term.language for term in statements.terms.objects if isinstance(term, ox.Literal) and term.language}
    malformed = {tag for tag in tags if not is_language_tag(tag)}
    ranges = [tag.lower() for tag in listed]
    others = {tag for tag in tags - malformed if ranges and not any(_matches(tag, one) for one in ranges)}

    def is_problem(quad: ox.Quad) -> bool:
        tag = quad.object.language if isinstance(quad.object, ox.Literal) else None
        return tag in malformed or (tag in others and quad.predicate.value in LABELS)

    return _findings(statements, is_problem, malformed) if malformed or others else ()


def _findings(
    statements: Statements, is_problem: Callable[[ox.Quad], bool], malformed: set[str]
) -> tuple[Finding, ...]:
    """Return one finding for each property and tag, at its first statement: there may be a million of them."""
    first: dict[tuple[str, str], tuple[str, str, str]] = {}
    counts: Counter[tuple[str, str]] = Counter()
    for quad in statements.quads:
        if is_problem(quad) and isinstance(quad.object, ox.Literal):
            key = (quad.predicate.value, quad.object.language or "")
            first.setdefault(key, statement(quad))
            counts[key] += 1
    return tuple(
        _finding(statements, place, tag, counts[predicate, tag], is_malformed=tag in malformed)
        for (predicate, tag), place in first.items()
    )


def _finding(
    statements: Statements, place: tuple[str, str, str], tag: str, count: int, *, is_malformed: bool
) -> Finding:
    values = f"{'1 value has' if count == 1 else f'{count:,} values have'} the language tag {canonical_language(tag)!r}"
    if is_malformed:
        message, remedy = f"{values}, which is malformed", "correct the tag, as in en, pt-BR or zh-Hans"
    else:
        message, remedy = f"{values}, which the publication does not list", "correct the tag, or add it to languages"
    return statements.finding("literal/language", message, remedy, *place)


def _matches(tag: str, language_range: str) -> bool:
    return tag.lower() == language_range or tag.lower().startswith(language_range + "-")
