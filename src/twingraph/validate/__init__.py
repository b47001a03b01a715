"""Validating a publication: functions over plain statements, each returning findings.

None of them reads a publication's directory; :mod:`twingraph.release.pipeline` gives them what they look at and runs
them in order.
"""

from twingraph.validate.checks import run_checks
from twingraph.validate.coverage import DocumentCoverage, document_coverages
from twingraph.validate.engine import Engine, load
from twingraph.validate.examples import Example, check_examples
from twingraph.validate.literals import check_literals
from twingraph.validate.passages import PassagesResult, check_passages
from twingraph.validate.personal import check_personal_data
from twingraph.validate.policy import check_policy
from twingraph.validate.queries import run_saved_queries
from twingraph.validate.references import check_duplicates, check_references
from twingraph.validate.shape_checks import ShapesResult, check_shapes
from twingraph.validate.shapes import shapes_graph
from twingraph.validate.statements import Statements
from twingraph.validate.vocabulary import check_query_names, check_terms

__all__ = [
    "DocumentCoverage",
    "Engine",
    "Example",
    "PassagesResult",
    "ShapesResult",
    "Statements",
    "check_duplicates",
    "check_examples",
    "check_literals",
    "check_passages",
    "check_personal_data",
    "check_policy",
    "check_query_names",
    "check_references",
    "check_shapes",
    "check_terms",
    "document_coverages",
    "load",
    "run_checks",
    "run_saved_queries",
    "shapes_graph",
]
