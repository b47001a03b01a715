"""``SELECT *``: columns in the order in which the query first names them; the engine puts them into the alphabet's."""

from twingraph.sparql.rewrites.source import Change, Data, Source, applied


def columns(source: Source, data: Data) -> str:
    """Name the columns of the query itself; the order of a sub-query's is not seen (section 18.2.1)."""
    star = _star(source)
    if star is None:
        return source.text
    names = dict.fromkeys(token.text[1:] for token in source.tokens if token.kind == "variable")
    if list(names) == sorted(names):
        return source.text
    found = set(data.columns(source.text))
    if not found or not found <= names.keys():
        return source.text
    ordered = " ".join(f"?{name}" for name in names if name in found)
    token = source.tokens[star]
    return applied(source.text, (Change(token.start, token.end, f" {ordered} "),))


def _star(source: Source) -> int | None:
    """Return the place of the star after the first SELECT."""
    if source.form is None or source.keyword(source.form) != "SELECT":
        return None
    place = source.form + 1
    if source.keyword(place) in ("DISTINCT", "REDUCED"):
        place += 1
    return place if source.sign(place) == "*" else None
