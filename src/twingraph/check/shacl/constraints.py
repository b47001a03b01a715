"""The constraints of shapes as statements of the shapes graph: which go together, which cannot be evaluated."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import rdflib
from rdflib.namespace import RDF, RDFS, SH

from twingraph.check.shacl.graphs import MemoryGraph, Triple
from twingraph.check.shacl.shapes import TARGETS, Node, RetargetedShapes, ShapeError, validate

# Parameters that belong to one constraint component (SHACL, section 4), under the name of the first.
_FAMILIES: dict[Node, Node] = {
    SH.flags: SH.pattern,
    SH.qualifiedMinCount: SH.qualifiedValueShape,
    SH.qualifiedMaxCount: SH.qualifiedValueShape,
    SH.qualifiedValueShapesDisjoint: SH.qualifiedValueShape,
    SH.ignoredProperties: SH.closed,
}
# What a shape says that constrains nothing.
_NO_CONSTRAINTS = {
    *TARGETS, SH.path, SH.severity, SH.message, SH.deactivated, SH.name, SH.description, SH.order, SH.group,
    SH.defaultValue, SH.declare, RDF.type, RDFS.label, RDFS.comment, RDFS.isDefinedBy, RDFS.subClassOf, RDFS.seeAlso,
}  # fmt: skip
_OF_SHAPES = {SH.property, SH.node, SH["not"], SH["and"], SH["or"], SH.xone, SH.qualifiedValueShape}
_LISTS_OF_SHAPES = {SH["and"], SH["or"], SH.xone}
# A node that no data has: what fails for it, fails for all.
_PROBE = rdflib.URIRef("urn:x-twingraph:no-such-node")


@dataclass(frozen=True, slots=True)
class Malformed:
    """A constraint, or with no ``predicate`` a whole shape, that cannot be evaluated, whatever the data."""

    shape: Node
    predicate: Node | None
    value: Node | None
    reason: str


def constraints(shapes: rdflib.Graph, shape: Node) -> list[list[Triple]]:
    """Return the statements of each constraint of a shape; all parameters of other components than SHACL's together."""
    groups: dict[object, list[Triple]] = defaultdict(list)
    for triple in sorted(shapes.triples((shape, None, None)), key=str):
        predicate, value = triple[1], triple[2]
        if predicate in _NO_CONSTRAINTS:
            continue
        if not str(predicate).startswith(str(SH)):
            groups[None].append(triple)
        elif predicate in _FAMILIES or predicate in _FAMILIES.values():
            groups[_FAMILIES.get(predicate, predicate)].append(triple)
        else:
            groups[predicate, value].append(triple)
    return [sorted(group, key=lambda triple: triple[1] in _FAMILIES) for group in groups.values()]


def without(shapes: Iterable[Triple], omitted: Iterable[Triple]) -> MemoryGraph:
    """Return a copy of a graph without some of its statements."""
    dropped, copy = set(omitted), MemoryGraph()
    for triple in shapes:
        if triple not in dropped:
            copy.add(triple)
    return copy


def remove_malformed(shapes: MemoryGraph) -> list[Malformed]:
    """Remove from a graph the constraints that cannot be evaluated, whatever the data, and return them."""
    found = list(_remove_unloadable(shapes))
    while faults := [fault for shape in _failing(shapes, _shapes(shapes)) for fault in _faults(shapes, shape)]:
        # A shape fails with those that it refers to, so these are removed first.
        own = [each for each in faults if each[0].predicate not in _OF_SHAPES] or faults
        for fault, triples in own:
            for triple in triples:
                shapes.remove(triple)
            found.append(fault)
    return found


def _shapes(shapes: rdflib.Graph) -> list[Node]:
    """Return what has a constraint or says that it is a shape."""
    typed = {shape for kind in (SH.NodeShape, SH.PropertyShape) for shape in shapes.subjects(RDF.type, kind)}
    referred = {shape for predicate in _OF_SHAPES - _LISTS_OF_SHAPES for shape in shapes.objects(None, predicate)}
    using = {shape for predicate in _OF_SHAPES for shape in shapes.subjects(predicate)}
    listed = {one for name in _LISTS_OF_SHAPES for items in shapes.objects(None, name) for one in shapes.items(items)}
    targeted = {shape for target in TARGETS for shape in shapes.subjects(target)}
    every = typed | referred | using | listed | targeted
    return sorted((shape for shape in every if (shape, None, None) in shapes), key=str)


def _remove_unloadable(shapes: MemoryGraph) -> Iterator[Malformed]:
    """Remove the shapes with which pyshacl loads none."""
    every = _shapes(shapes)
    own = {shape: list(shapes.triples((shape, None, None))) for shape in every}
    rest = without(shapes, [triple for triples in own.values() for triple in triples])
    loaded: list[Triple] = list(rest)

    def reason(part: Sequence[Node]) -> str | None:
        added = [triple for shape in part for triple in own[shape]]
        failure = _failure(without([*loaded, *added], ()), ())
        if failure is None:
            loaded.extend(added)
        return failure

    for shape, why in _halved(every, reason):
        yield Malformed(shape, None, None, why)
        for triple in own[shape]:
            shapes.remove(triple)
        # What refers to it fails for this reason alone.
        for predicate in _OF_SHAPES:
            shapes.remove((None, predicate, shape))


def _failing(shapes: MemoryGraph, every: Sequence[Node]) -> list[Node]:
    return [shape for shape, _ in _halved(every, lambda part: _failure(shapes, part))]


def _faults(shapes: MemoryGraph, shape: Node) -> Iterator[tuple[Malformed, list[Triple]]]:
    """Yield each constraint with which alone the shape fails, or all of them together when it takes several."""
    groups = constraints(shapes, shape)
    is_found = False
    for group in groups:
        others = [triple for other in groups if other is not group for triple in other]
        if why := _failure(without(shapes, others), [shape]):
            is_found = True
            yield Malformed(shape, group[0][1], group[0][2], why), group
    if not is_found and (why := _failure(shapes, [shape])):
        yield Malformed(shape, None, None, why), list(shapes.triples((shape, None, None)))


def _failure(shapes: MemoryGraph, probed: Sequence[Node]) -> str | None:
    """Return why some shapes cannot be evaluated, for a node about which there are no statements."""
    try:
        validate(MemoryGraph(), RetargetedShapes(shapes).with_targets({shape: [_PROBE] for shape in probed}))
    except ShapeError as error:
        return error.reason
    return None


def _halved(items: Sequence[Node], reason: Callable[[Sequence[Node]], str | None]) -> Iterator[tuple[Node, str]]:
    """Yield the items for which alone ``reason`` returns one, found by halving."""
    why = reason(items)
    if why is None:
        return
    if len(items) == 1:
        yield items[0], why
    elif items:
        middle = len(items) // 2
        yield from _halved(items[:middle], reason)
        yield from _halved(items[middle:], reason)


def recursive_shapes(shapes: rdflib.Graph) -> list[list[Node]]:
    """Return the cycles in which shapes refer to themselves (SHACL, section 3.4.3), each from one of its shapes on."""
    edges = {shape: set(_referred(shapes, shape)) for shape in _shapes(shapes)}
    while ends := [shape for shape, others in edges.items() if not others & edges.keys()]:
        for shape in ends:
            del edges[shape]
    cycles: dict[frozenset[Node], list[Node]] = {}
    for shape in sorted(edges, key=lambda node: (isinstance(node, rdflib.BNode), str(node))):
        if cycle := _cycle(edges, shape):
            cycles.setdefault(frozenset(cycle), cycle)
    return list(cycles.values())


def _referred(shapes: rdflib.Graph, shape: Node) -> Iterator[Node]:
    for predicate in _OF_SHAPES:
        for value in shapes.objects(shape, predicate):
            yield from shapes.items(value) if predicate in _LISTS_OF_SHAPES else (value,)


def _cycle(edges: dict[Node, set[Node]], start: Node) -> list[Node]:
    """Return a shortest chain from a shape back to it, empty when there is none."""
    before: dict[Node, Node] = {}
    queue = [start]
    for node in queue:
        for other in sorted(edges.get(node, ()), key=str):
            if other == start:
                chain = [node]
                while chain[0] != start:
                    chain.insert(0, before[chain[0]])
                return chain
            if other not in before:
                before[other] = node
                queue.append(other)
    return []
