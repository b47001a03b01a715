"""GROUP_CONCAT."""

from collections.abc import Iterator

from twingraph.sparql.rewrites.tokenized_query import Change, DatasetFacts, TokenizedQuery, applied


def concatenations(query: TokenizedQuery, _: DatasetFacts) -> str:
    """Take the language off ``GROUP_CONCAT`` (section 18.5.1.7): the engine keeps one that all the texts have."""

    def changes() -> Iterator[Change]:
        for place in query.words.get("GROUP_CONCAT", ()):
            if brackets := query.arguments(place):
                first, last = query.tokens[place], query.tokens[brackets[1]]
                yield Change(first.start, first.start, "STR(")
                yield Change(last.end, last.end, ")")

    return applied(query.text, sorted(changes(), key=lambda change: change.start))
