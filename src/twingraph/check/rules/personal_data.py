"""Personal data: e-mail addresses and telephone numbers, which a publication must not contain."""

import re

import pyoxigraph as ox

from twingraph.check.statements import Statements, statement
from twingraph.findings import Finding
from twingraph.rdf.terms import XSD

_EMAIL = re.compile(
    r"[A-Za-z0-9._%+-]+\s?(?:@|\(at\)|\[at\])\s?(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?![A-Za-z0-9])", re.IGNORECASE
)
_SCHEMES = ("mailto:", "tel:", "sms:", "callto:")
_URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_PHONES = (
    # International: +46 70-123 45 67, +8613812345678, 0046 70 123 45 67.
    re.compile(
        r"(?<![\w.,+-])(?:\+[1-9]\d{0,2}|00[1-9]\d{0,2}(?=[ -]))[ -]?(?:\(0\)[ -]?)?\d(?:[ -]?\d){5,11}(?![\w.])"
    ),
    # National with a leading zero and at least one gap: 070-123 45 67, (026) 12 34 56, 09 8162 1234.
    re.compile(r"(?<![\w.,/+-])(?:\(0\d{1,4}\)|0\d{1,4})[ /-]{1,3}\d{2,4}(?:[ -]?\d{2,4}){1,3}(?![\w.,]?\d)"),
    # Four pairs: 12 34 56 78.
    re.compile(r"(?<![\w.,/+-])(?<!\d )\d{2}(?: \d{2}){3}(?![\w.,/-]|\s\d)"),
    # Digits after a word for telephone.
    re.compile(
        r"\b(?:tel|tlf|tfn|puh|phone|telephone|telefon|puhelin|mobil|mobile)\b[.:]*\s*[+(]?\d(?:[ ()/-]{0,2}\d){4,}",
        re.I,
    ),
    re.compile(r"(?:电话|手机|電話)[::]?\s*[+(]?\d(?:[ ()/-]{0,2}\d){4,}"),
)
# What every address and every number contains: most texts have neither, and are ruled out quickly.
_AT = re.compile(r"@|[(\[]at[)\]]", re.IGNORECASE)
_FIVE_DIGITS = re.compile(r"\d(?:\D{0,4}\d){4}")
_DATE = re.compile(r"\d{1,2}[-/ ]\d{1,2}[-/ ]\d{2,4}")
_TEXT_TYPES = (
    *(XSD + name for name in ("string", "normalizedString", "token")),
    *("http://www.w3.org/1999/02/22-rdf-syntax-ns#" + name for name in ("langString", "HTML", "XMLLiteral")),
)


def find_personal_data(text: str) -> str | None:
    """Return the first e-mail address or telephone number in a text, ignoring dates, other numbers and URLs."""
    if match := _AT.search(text) and _EMAIL.search(text):
        return match[0]
    plain = _URL.sub(" ", text) if "://" in text else text
    if not _FIVE_DIGITS.search(plain):
        return None
    matches = (match for pattern in _PHONES for match in pattern.finditer(plain))
    return next((match[0].strip() for match in matches if not _DATE.fullmatch(match[0].strip())), None)


def check_personal_data(statements: Statements) -> tuple[Finding, ...]:
    """Return the statements with an e-mail address or a telephone number, in a literal or an IRI."""
    terms = statements.terms.subjects | statements.terms.objects
    containing = {term: found for term in terms if (found := _in_term(term))}
    findings: dict[tuple[str, str, str], Finding] = {}
    for quad in statements.quads if containing else ():
        found = containing.get(quad.object) or containing.get(quad.subject)
        key = statement(quad)
        if found and key not in findings:
            message = f"personal data: {statements.short(key[1])} contains {found!r}"
            remedy = "remove the e-mail address or telephone number; link to the organisation's own page instead"
            findings[key] = statements.finding("personal-data", message, remedy, *key)
    return tuple(findings.values())


def _in_term(term: object) -> str | None:
    if isinstance(term, ox.NamedNode) or (isinstance(term, ox.Literal) and term.datatype.value == XSD + "anyURI"):
        if term.value.strip().lower().startswith(_SCHEMES):
            return term.value
        found = _AT.search(term.value) and _EMAIL.search(term.value)
        return found[0] if found else None
    if isinstance(term, ox.Literal) and term.datatype.value in _TEXT_TYPES:
        return find_personal_data(term.value)
    return None
