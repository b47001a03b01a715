"""Blank nodes that cannot be told apart by what is said of each: those for which canonical labels take long."""

from collections import Counter, defaultdict
from collections.abc import Hashable

import pyoxigraph as ox

_Place = tuple[str, Hashable, object]


def look_alikes(lines: bytes) -> str:
    """Return which blank nodes in lines of N-Quads refer to one another and look alike, the most of them, in words.

    RDFC-1.0 tries orders of such nodes (section 7.1), of which there are more than can be tried.
    """
    quads = list(ox.parse(lines, format=ox.RdfFormat.N_QUADS))
    said: dict[object, Counter[_Place]] = defaultdict(Counter)
    for quad in quads:
        for node, other, role in ((quad.subject, quad.object, "subject"), (quad.object, quad.subject, "object")):
            if isinstance(node, ox.BlankNode):
                said[node][role, quad.predicate, None if isinstance(other, ox.BlankNode) else other] += 1
    forms = {node: frozenset(places.items()) for node, places in said.items()}
    number = Counter(forms.values())
    above: dict[object, object] = {node: node for node, form in forms.items() if number[form] > 1}
    for quad in quads:
        if quad.subject in above and quad.object in above:
            above[_root(above, quad.subject)] = _root(above, quad.object)
    sizes = Counter(_root(above, node) for node in above)
    if not sizes:
        return "some blank nodes look alike"
    [(top, size)] = sizes.most_common(1)
    found = ((quad, node) for quad in quads for node in (quad.subject, quad.object) if node in above)
    graph = next(quad.graph_name for quad, node in found if _root(above, node) == top)
    return f"{size:,} blank nodes in the graph {graph} refer to one another and look alike"


def _root(above: dict[object, object], node: object) -> object:
    while above[node] != node:
        above[node] = above[above[node]]
        node = above[node]
    return node
