"""What to do about a validation result, derived from the constraint that was not met."""

import rdflib
from rdflib.namespace import RDF, SH

from twingraph.rdf.iris import Iris

_WORDS = {
    "MinCountConstraintComponent": "add {path}",
    "MaxCountConstraintComponent": "keep no more than {maxCount} of {path}",
    "ClassConstraintComponent": "let {path} point to a thing of class {class}, or give the thing that class",
    "DatatypeConstraintComponent": "write the value of {path} as {datatype}",
    "NodeKindConstraintComponent": "give {path} a value of the kind {nodeKind}",
    "InConstraintComponent": "choose one of {in}",
    "HasValueConstraintComponent": "add {path} {hasValue}",
    "PatternConstraintComponent": "write the value of {path} so that it matches {pattern}",
    "MinLengthConstraintComponent": "give {path} a text of at least {minLength} characters",
    "MaxLengthConstraintComponent": "shorten the value of {path} to {maxLength} characters",
    "LanguageInConstraintComponent": "give the value of {path} one of the language tags {languageIn}",
    "UniqueLangConstraintComponent": "keep one value of {path} in each language",
    "QualifiedMinCountConstraintComponent": "add {path} with a value {qualifiedValueShape}",
    "QualifiedMaxCountConstraintComponent": "take away {path} until {qualifiedMaxCount} of the kind are left",
    "LessThanConstraintComponent": "make {path} less than {lessThan}",
    "LessThanOrEqualsConstraintComponent": "make {path} not greater than {lessThanOrEquals}",
    "MinInclusiveConstraintComponent": "give {path} a value of at least {minInclusive}",
    "MaxInclusiveConstraintComponent": "give {path} a value of at most {maxInclusive}",
    "MinExclusiveConstraintComponent": "give {path} a value above {minExclusive}",
    "MaxExclusiveConstraintComponent": "give {path} a value below {maxExclusive}",
    "EqualsConstraintComponent": "make {path} the same as {equals}",
    "DisjointConstraintComponent": "make {path} differ from {disjoint}",
    "ClosedConstraintComponent": "take away the property, or add it to the shape",
}
_QUALIFIERS = {"languageIn": "with the language tag", "class": "of class", "hasValue": "that is"}
_OTHERWISE = "change the data so that it fits what the message says"


def remedy(component: str, shape: rdflib.term.Node, shapes: rdflib.Graph, iris: Iris) -> str:
    """Return what to do when the constraint ``component`` of ``shape`` is not met."""
    words = _WORDS.get(component)
    if words is None:
        return _OTHERWISE
    names = [part.partition("}")[0] for part in words.split("{")[1:]]
    values = {name: _describe(shapes, shapes.value(shape, SH[name]), iris) for name in names}
    if qualified := shapes.value(shape, SH.qualifiedValueShape):
        values["qualifiedValueShape"] = _qualify(shapes, qualified, iris)
    return words.format_map(values) if all(values.values()) else _OTHERWISE


def _qualify(shapes: rdflib.Graph, qualified: rdflib.term.Node, iris: Iris) -> str:
    """Return in words what a value must be to be counted (SHACL, section 4.7.3)."""
    for name, words in _QUALIFIERS.items():
        if text := _describe(shapes, shapes.value(qualified, SH[name]), iris):
            return f"{words} {text}"
    return "that the shape asks for"


def _describe(shapes: rdflib.Graph, term: rdflib.term.Node | None, iris: Iris) -> str:
    if isinstance(term, rdflib.URIRef):
        return "()" if term == RDF.nil else iris.shorten(str(term))
    if isinstance(term, rdflib.BNode):
        items = [_describe(shapes, item, iris) for item in shapes.items(term)]
        return ", ".join(items) if items and all(items) else ""
    return "" if term is None else str(term)
