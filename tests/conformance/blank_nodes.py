"""Whether two collections of tuples of terms are the same up to the names of their blank nodes.

Colour refinement, and where that cannot tell nodes apart, a choice that is tried: what rdflib's own comparison takes
half a minute for, when many nodes are alike, is done at once.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence

Term = tuple[str, ...]
Tuples = Sequence[tuple[Term, ...]]
Colours = Mapping[Term, int]


def same_but_for_blank_nodes(left: Tuples, right: Tuples) -> bool:
    """Compare two collections of tuples, in which duplicates count and order does not."""
    return len(left) == len(right) and _same(left, right, _plain(left), _plain(right))


def _same(left: Tuples, right: Tuples, left_colours: Colours, right_colours: Colours) -> bool:
    left_colours, right_colours = _refine(left, left_colours), _refine(right, right_colours)
    if Counter(_coloured(left, left_colours)) != Counter(_coloured(right, right_colours)):
        return False
    alike = _classes(right_colours)
    unsure = [(node, colour) for node, colour in left_colours.items() if len(alike[colour]) > 1]
    if not unsure:
        return True
    node, colour = min(unsure, key=lambda pair: (len(alike[pair[1]]), pair))
    fresh = hash(("chosen", colour, len(left_colours)))
    return any(
        _same(left, right, {**left_colours, node: fresh}, {**right_colours, candidate: fresh})
        for candidate in alike[colour]
    )


def _plain(tuples: Tuples) -> Colours:
    return {term: 0 for one in tuples for term in one if term[0] == "bnode"}


def _refine(tuples: Tuples, colours: Colours) -> Colours:
    """Colour each blank node by what stands around it, until that tells no more nodes apart."""
    while True:
        around: dict[Term, list[int]] = defaultdict(list)
        for one, coloured in zip(tuples, _coloured(tuples, colours), strict=True):
            for place, term in enumerate(one):
                if term in colours:
                    around[term].append(hash((coloured, place)))
        finer = {node: hash((colour, tuple(sorted(around[node])))) for node, colour in colours.items()}
        if len(set(finer.values())) == len(set(colours.values())):
            return finer
        colours = finer


def _coloured(tuples: Tuples, colours: Colours) -> list[tuple[object, ...]]:
    return [tuple(colours.get(term, term) for term in one) for one in tuples]


def _classes(colours: Colours) -> Mapping[int, Iterable[Term]]:
    classes: dict[int, list[Term]] = defaultdict(list)
    for node, colour in colours.items():
        classes[colour].append(node)
    return classes
