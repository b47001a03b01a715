"""Which blank node of a parsed file is which in its text: the parser gives them identifiers of its own.

Nodes are told apart by the statements about them and about their neighbours (colour refinement, on which canonical
labels are built too: RDFC-1.0, section 4.4). Those that still look alike are taken in their order.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import islice

from twingraph.rdf.iris import GENID

Statement = tuple[str, str, str]
# A node of one of two graphs, by its number.
_Node = tuple[int, str]
# Whether a node is the subject, the predicate, and the other end: a blank node or the text of another term.
_Edge = tuple[bool, str, _Node | str]
# How far away what tells two nodes apart may be, in statements.
_ROUNDS = 16
# Larger graphs are not compared: each statement takes a kilobyte.
_MAX_STATEMENTS = 300_000


def is_blank(term: str) -> bool:
    """Return whether a term as text is a blank node, or an IRI in place of one."""
    return term.startswith("_:") or GENID in term


def equal_nodes(one: Iterable[Statement], other: Iterable[Statement]) -> dict[str, str]:
    """Return the blank node of the ``other`` graph for each one of the first that has an equal there."""
    edges: dict[_Node, list[_Edge]] = defaultdict(list)
    for number, statements in enumerate((one, other)):
        for subject, predicate, value in dict.fromkeys(islice(statements, _MAX_STATEMENTS)):
            ends = tuple((number, term) if is_blank(term) else term for term in (subject, value))
            for place, end in enumerate(ends):
                if isinstance(end, tuple):
                    edges[end].append((place == 0, predicate, ends[1 - place]))
    groups: dict[int, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    for (number, name), colour in _colours(edges).items():
        groups[colour][number].append(name)
    same = ((names, others) for names, others in groups.values() if len(names) == len(others))
    return {name: found for names, others in same for name, found in zip(names, others, strict=True)}


def _colours(edges: Mapping[_Node, list[_Edge]]) -> dict[_Node, int]:
    """Return a number for each node, which is the same for nodes that are alike."""
    colours, count = dict.fromkeys(edges, 0), 1
    for _ in range(_ROUNDS):
        numbers: dict[object, int] = {}
        colours = {
            node: numbers.setdefault((colours[node], _neighbours(own, colours)), len(numbers))
            for node, own in edges.items()
        }
        if len(numbers) == count:
            break
        count = len(numbers)
    return colours


def _neighbours(edges: Iterable[_Edge], colours: Mapping[_Node, int]) -> frozenset[object]:
    found = ((place, name, colours[end] if isinstance(end, tuple) else end) for place, name, end in edges)
    return frozenset(Counter(found).items())
