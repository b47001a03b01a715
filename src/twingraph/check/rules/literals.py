"""Ill-typed literals: those outside the lexical space of EDTF or of their XML Schema datatype.

They are legal RDF (RDF 1.1 Concepts, section 3.3), but engines drop them from every comparison.
"""

import pyoxigraph as ox

from twingraph.check.statements import Statements, statement
from twingraph.errors import DateError
from twingraph.findings import Finding
from twingraph.rdf.edtf import EDTF, bounds
from twingraph.rdf.terms import is_lexical_form


def check_literals(statements: Statements) -> tuple[Finding, ...]:
    """Return the literals that are outside the lexical space of their datatype."""
    ill_typed = {term for term in statements.terms.objects if isinstance(term, ox.Literal) and not _is_well_typed(term)}
    quads: dict[tuple[str, str, str], ox.Literal] = {}
    for quad in statements.quads if ill_typed else ():
        if isinstance(quad.object, ox.Literal) and quad.object in ill_typed:
            quads.setdefault(statement(quad), quad.object)
    return tuple(_finding(statements, key, literal) for key, literal in quads.items())


def _finding(statements: Statements, key: tuple[str, str, str], literal: ox.Literal) -> Finding:
    if literal.datatype.value == EDTF:
        message = _edtf_error(literal.value) or ""
        remedy = "write the date as EDTF, such as 2010, 2010-04, 2010-04-12, 2012-23 (autumn), 1998~ or 2016/2020"
        return statements.finding("date/edtf", message, remedy, *key)
    message = f"{literal.value!r} is not a value of {statements.short(literal.datatype.value)}"
    remedy = f"correct the value of {statements.short(key[1])}, or its datatype"
    return statements.finding("literal/datatype", message, remedy, *key)


def _is_well_typed(literal: ox.Literal) -> bool:
    datatype = literal.datatype.value
    return _edtf_error(literal.value) is None if datatype == EDTF else is_lexical_form(literal.value, datatype)


def _edtf_error(value: str) -> str | None:
    try:
        bounds(value)
    except DateError as error:
        return str(error)
    return None
