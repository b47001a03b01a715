"""The results that pyshacl gives when it is called as anybody would, to compare ours with."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator

import pyoxigraph as ox
import pyshacl
import rdflib
from rdflib.namespace import RDF, SH

from datasets.publishing import Built, Result, names, path_name
from datasets.statements import rdflib_graph
from twingraph.check.shacl.graphs import rdflib_node, rdflib_term, turtle_term


def plain_results(built: Built, quads: Iterable[ox.Quad]) -> Counter[Result]:
    """Return the results that pyshacl finds when it is given the statements as one graph, and the files of shapes.

    Results that are alike in everything, shape and messages too, count once: a shape that two others refer to gives
    each of its results twice.
    """
    quads = list(quads)
    data, shapes = rdflib.Graph(), rdflib.Graph()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for quad in quads:
            data.add((rdflib_node(quad.subject), rdflib_node(quad.predicate), rdflib_term(quad.object)))
        for path in built.shapes:
            shapes += rdflib_graph(path, built.settings.base_iri)
        _, report, text = pyshacl.validate(data, shacl_graph=shapes)
    assert isinstance(report, rdflib.Graph), text
    return Counter(result for result, _ in set(_results(report, names(quads))))


def _results(report: rdflib.Graph, named: Callable[[str], str]) -> Iterator[tuple[Result, tuple[str, ...]]]:
    """Yield each result of a report, with what else it says."""
    for node in report.objects(report.value(None, RDF.type, SH.ValidationReport), SH.result):

        def one(name: rdflib.URIRef, node: rdflib.term.Node = node) -> str:
            value = report.value(node, name)
            return "" if value is None else turtle_term(value)

        focus, value = one(SH.focusNode), one(SH.value)
        facts = (named(value), one(SH.sourceConstraintComponent), one(SH.resultSeverity))
        messages = sorted(map(turtle_term, report.objects(node, SH.resultMessage)))
        yield (named(focus), path_name(one(SH.resultPath)), *facts), (focus, value, one(SH.sourceShape), *messages)
