"""Personal data in literals and IRIs, by the patterns of the settings."""

import re
from collections.abc import Iterator

import pyoxigraph as ox

from twingraph.check.statements import Statements, statement
from twingraph.findings import Finding
from twingraph.rdf.terms import XSD
from twingraph.settings.policy import PersonalData

_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
# What every address and every number contains: most texts have neither, and are ruled out quickly.
_AT = re.compile(r"@|[(\[]at[)\]]", re.IGNORECASE)
_SPELT_AT = re.compile(r"\s?(?:@|\(at\)|\[at\])\s?", re.IGNORECASE)
_FIVE_DIGITS = re.compile(r"\d(?:\D{0,4}\d){4}")
_DATE = re.compile(r"\d{1,2}[-/ ]\d{1,2}[-/ ]\d{2,4}")
_TEXT_TYPES = (
    *(XSD + name for name in ("string", "normalizedString", "token")),
    *("http://www.w3.org/1999/02/22-rdf-syntax-ns#" + name for name in ("langString", "HTML", "XMLLiteral")),
)


class PersonalDataFinder:
    """Finds what the patterns of the settings describe, with each pattern compiled once."""

    def __init__(self, patterns: PersonalData) -> None:
        self._e_mail = re.compile(patterns.e_mail) if patterns.e_mail else None
        self._telephone = tuple(map(re.compile, patterns.telephone))
        self._other = tuple(map(re.compile, patterns.other))
        self._allowed = frozenset(name.lower() for name in patterns.allowed)
        self._schemes = tuple(scheme.lower() for scheme in patterns.schemes)

    def in_text(self, text: str) -> str | None:
        """Return the first match in a text; telephone numbers are not looked for in dates and URLs."""
        matches = (match for pattern in self._other for match in pattern.finditer(text))
        return self._address(text) or self._number(text) or next((match[0] for match in matches if match[0]), None)

    def in_term(self, term: object) -> str | None:
        """Return the first match in an IRI, or in a literal that is a text or an IRI."""
        if isinstance(term, ox.NamedNode) or (isinstance(term, ox.Literal) and term.datatype.value == XSD + "anyURI"):
            return self._in_iri(term.value.strip())
        if isinstance(term, ox.Literal) and term.datatype.value in _TEXT_TYPES:
            return self.in_text(term.value)
        return None

    def _in_iri(self, iri: str) -> str | None:
        if not iri.lower().startswith(self._schemes):
            return self._address(iri)
        addresses = list(self._addresses(iri))
        return None if addresses and all(map(self._is_allowed, addresses)) else iri

    def _address(self, text: str) -> str | None:
        return next((found for found in self._addresses(text) if not self._is_allowed(found)), None)

    def _addresses(self, text: str) -> Iterator[str]:
        if self._e_mail and _AT.search(text):
            yield from (match[0] for match in self._e_mail.finditer(text) if match[0])

    def _is_allowed(self, address: str) -> bool:
        plain = _SPELT_AT.sub("@", address.lower())
        local, _, domain = plain.partition("@")
        labels = domain.split(".")
        domains = {".".join(labels[start:]) for start in range(len(labels))}
        return bool(self._allowed & {plain, f"{local}@", *domains})

    def _number(self, text: str) -> str | None:
        plain = _URL.sub(" ", text) if "://" in text else text
        if not _FIVE_DIGITS.search(plain):
            return None
        matches = (match[0].strip() for pattern in self._telephone for match in pattern.finditer(plain))
        return next((found for found in matches if found and not _DATE.fullmatch(found)), None)


def check_personal_data(statements: Statements, patterns: PersonalData) -> tuple[Finding, ...]:
    """Return the statements with personal data, in a literal or an IRI."""
    finder = PersonalDataFinder(patterns)
    terms = statements.terms.subjects | statements.terms.objects
    containing = {term: found for term in terms if (found := finder.in_term(term))}
    findings: dict[tuple[str, str, str], Finding] = {}
    for quad in statements.quads if containing else ():
        found = containing.get(quad.object) or containing.get(quad.subject)
        key = statement(quad)
        if found and key not in findings:
            message = f"personal data: {statements.short(key[1])} contains {found!r}"
            remedy = "remove the e-mail address or telephone number; link to the organisation's own page instead"
            findings[key] = statements.finding("personal-data", message, remedy, *key)
    return tuple(findings.values())
