"""Literals: every EDTF date is a date, every literal of an XML Schema datatype is in its lexical space.

Ill-typed literals are legal RDF (RDF 1.1 Concepts, section 3.3), and engines then drop them from every comparison.
"""

from collections.abc import Iterator

import pyoxigraph as ox

from twingraph.check.statements import Statements, statement
from twingraph.errors import DateError
from twingraph.findings import Finding
from twingraph.rdf.edtf import EDTF, bounds
from twingraph.rdf.terms import is_lexical_form


def check_literals(statements: Statements) -> tuple[Finding, ...]:
    """Return the literals that are not what their datatype says."""
    return tuple(_findings(statements))


def _findings(statements: Statements) -> Iterator[Finding]:
    wrong = {term for term in statements.terms.objects if isinstance(term, ox.Literal) and not _is_right(term)}
    seen: set[tuple[str, str, str]] = set()
    for quad in statements.quads if wrong else ():
        key = statement(quad)
        if not isinstance(quad.object, ox.Literal) or quad.object not in wrong or key in seen:
            continue
        seen.add(key)
        if quad.object.datatype.value == EDTF:
            if reason := _not_edtf(quad.object.value):
                remedy = (
                    "write the date as EDTF, such as 2010, 2010-04, 2010-04-12, 2012-23 (autumn), 1998~ or 2016/2020"
                )
                yield statements.finding("date/edtf", reason, remedy, *key)
        else:
            kind = statements.short(quad.object.datatype.value)
            message = f"{quad.object.value!r} is not a value of {kind}"
            remedy = f"mend the value of {statements.short(key[1])}, or its datatype"
            yield statements.finding("literal/datatype", message, remedy, *key)


def _is_right(literal: ox.Literal) -> bool:
    datatype = literal.datatype.value
    return _not_edtf(literal.value) is None if datatype == EDTF else is_lexical_form(literal.value, datatype)


def _not_edtf(value: str) -> str | None:
    try:
        bounds(value)
    except DateError as error:
        return str(error)
    return None
