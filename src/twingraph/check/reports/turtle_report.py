"""The report of a check as a SHACL validation report in Turtle (SHACL, section 3.6).

Findings of checks other than shapes are results too: their constraint component is a URN made from the rule. The focus
node of a finding about a file is a URN made from its path.
"""

from collections.abc import Iterator
from urllib.parse import quote

import pyoxigraph as ox

from twingraph.check.run import CheckResult
from twingraph.findings import Finding, ResultTerms, Severity, in_order
from twingraph.rdf.iris import Iris

_SEVERITIES = {Severity.VIOLATION: "sh:Violation", Severity.WARNING: "sh:Warning", Severity.INFO: "sh:Info"}
_PREFIXES = {
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "sh": "http://www.w3.org/ns/shacl#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
_URN = "urn:x-twingraph:"


def report_turtle(result: CheckResult, iris: Iris) -> str:
    """Return the report; as SHACL defines it, data conforms only when there is no result of any severity.

    All results of shapes are in it, those too that other reports leave out because another finding is their cause.
    """
    heads = [f"@base {_iri(iris.base)} .", *(f"@prefix {name}: {_iri(iri)} ." for name, iri in _PREFIXES.items())]
    if result.unlisted:
        heads.insert(0, f"# {len(result.unlisted)} findings are not listed, as the options asked.")
    every = in_order((*result.findings, *result.consequences))
    conforms = "false" if every or result.unlisted else "true"
    parts = ["a sh:ValidationReport", f"sh:conforms {conforms}"]
    labels: dict[str, str] = {}
    for finding in every:
        facts = "\n".join(f"    {line} ;" for line in _facts(finding, labels))
        parts.append(f"sh:result [\n{facts}\n  ]")
    return "\n".join(heads) + "\n\n[] " + " ;\n  ".join(parts) + " .\n"


def _facts(finding: Finding, labels: dict[str, str]) -> Iterator[str]:
    yield "a sh:ValidationResult"
    yield from _of_shape(finding.terms, labels) if finding.terms else _of_rule(finding)
    yield f"rdfs:comment {_text(finding.remedy)}"
    if finding.location:
        yield f"rdfs:seeAlso {_text(str(finding.location))}"


def _of_shape(terms: ResultTerms, labels: dict[str, str]) -> Iterator[str]:
    yield f"sh:resultSeverity {terms.severity}"
    yield f"sh:focusNode {_labelled(terms.focus, labels)}"
    if terms.path is not None:
        yield f"sh:resultPath {terms.path}"
    if terms.value is not None:
        yield f"sh:value {_labelled(terms.value, labels)}"
    yield f"sh:sourceConstraintComponent {terms.component}"
    yield f"sh:sourceShape {_labelled(terms.shape, labels)}"
    for message in terms.messages:
        yield f"sh:resultMessage {message}"


def _labelled(term: str, labels: dict[str, str]) -> str:
    """Return a term, a blank node with a label that does not change with every run."""
    return labels.setdefault(term, f"_:b{len(labels) + 1}") if term.startswith("_:") else term


def _of_rule(finding: Finding) -> Iterator[str]:
    yield f"sh:resultSeverity {_SEVERITIES[finding.severity]}"
    yield f"sh:focusNode {_focus(finding)}"
    if finding.path:
        yield f"sh:resultPath {_iri(finding.path)}"
    if finding.value is not None:
        yield f"sh:value {_value(finding.value)}"
    yield f"sh:sourceConstraintComponent {_iri(_component(finding.rule))}"
    if finding.shape:
        yield f"sh:sourceShape {_iri(finding.shape)}"
    yield f"sh:resultMessage {_text(finding.message)}"


def _focus(finding: Finding) -> str:
    if not finding.focus:
        return _iri(_URN + ("file:" + quote(finding.location.path) if finding.location else "publication"))
    try:
        return _iri(finding.focus)
    except ValueError:  # a literal, which a shape can have as its target
        return str(ox.Literal(finding.focus))


def _component(rule: str) -> str:
    return f"{_URN}rule:{quote(rule)}"


def _value(value: str) -> str:
    if value.startswith(("http://", "https://", "urn:")) and not any(char in value for char in ' <>"{}|^`\\\n'):
        return _iri(value)
    return str(ox.Literal(value))


def _iri(iri: str) -> str:
    return str(ox.NamedNode(iri))


def _text(text: str) -> str:
    return str(ox.Literal(text, language="en"))
