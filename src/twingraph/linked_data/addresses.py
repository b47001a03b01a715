"""The addresses of documents: which IRIs a request may mean, and where the document about a thing is.

An IRI of a publication is served at its own path. If something in the world has it, the answer is 303 and leads to the
document about the thing (W3C, "Cool URIs for the Semantic Web", section 4.2); ``{base}id/x`` is described at
``{base}doc/x``, any other own IRI at ``{base}doc/`` and its path. An IRI that is not below the base is described at
``{base}doc?iri=``.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

# What a URL may contain besides letters, digits and `_.-~` without being percent-encoded (RFC 3986, sections 2.2, 3.3).
_IN_PATH = "/:@!$&'()*+,;="
_ENCODED = re.compile(r"(?:%[0-9A-Fa-f]{2})+")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# What must not stand in an IRI as it is (RFC 3987, section 2.2).
_NOT_IN_IRI = re.compile(r"[\x00-\x20<>\"{}|\\^`\x7f-\x9f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Addresses:
    """The addresses below a base IRI: ``things`` and ``documents`` are the folders of IRIs and of what describes them.

    The base ends with a slash; `root_of` gives that of a namespace that ends with ``#``.
    """

    base: str
    things: str = "id/"
    documents: str = "doc/"

    def document(self, iri: str) -> str:
        """Return the address of the document about an IRI, relative to the base; without an extension."""
        whole, hash_, _ = iri.partition("#")
        if not whole.startswith(self.base):
            return f"{self.documents.removesuffix('/')}?iri={quote(iri, safe='')}"
        path = whole.removeprefix(self.base)
        if hash_ and not path.startswith(self.things):
            return to_url(path)
        return to_url(self.documents + path.removeprefix(self.things))

    def meant(self, path: str) -> tuple[str, ...]:
        """Return the IRIs that a request for a path may mean, the likeliest first; ``path`` is as it was sent."""
        return tuple(self.base + spelling for spelling in _spellings(path.removeprefix("/")))

    def described(self, path: str) -> tuple[str, ...]:
        """Return the IRIs that the document with a path below ``documents`` may be about, the likeliest first."""
        spellings = tuple(_spellings(path.removeprefix("/")))
        return (
            *(f"{self.base}{self.things}{spelling}" for spelling in spellings),
            *(f"{self.base}{spelling}" for spelling in spellings),
        )


def root_of(base: str) -> str:
    """Return the part of a base IRI that ends with its last slash, below which its documents are."""
    return base[: base.rfind("/") + 1]


def relative(path: str, target: str) -> str:
    """Return a reference to ``target``, relative to the base, from the resource at ``path``.

    A reference of this form is right behind any proxy, whatever the prefix that it adds (RFC 3986, section 4.2).
    """
    return "../" * (path.count("/") - 1) + target if path.count("/") > 1 else f"./{target}"


def to_url(iri: str) -> str:
    """Return an IRI as a URI, its non-ASCII characters percent-encoded (RFC 3987, section 3.1)."""
    return quote(iri, safe=_IN_PATH + "%#?~[]")


def _spellings(path: str) -> Iterator[str]:
    """Yield the IRI paths that a URI path may stand for, each once.

    Names in the data may be written with non-ASCII characters, percent-encoded, or with reserved characters encoded by
    a client that need not be.
    """
    decoded = _ENCODED.sub(_decoded_text, path)
    found = (path, decoded, _ENCODED.sub(_decoded_all, path))
    yield from (one for one in dict.fromkeys(found) if not _NOT_IN_IRI.search(one))


def _decoded_text(match: re.Match[str]) -> str:
    """Decode UTF-8 beyond ASCII, and ASCII that needs no encoding (RFC 3987, section 3.2)."""
    text = unquote_to_bytes(match[0]).decode("utf-8", "surrogateescape")
    return "".join(_kept(character) for character in text)


def _kept(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8
        return f"%{code - 0xDC00:02X}"
    return character if code > 0x9F or code in _UNRESERVED else "".join(f"%{byte:02X}" for byte in character.encode())


def _decoded_all(match: re.Match[str]) -> str:
    try:
        return unquote_to_bytes(match[0]).decode("utf-8")
    except UnicodeDecodeError:
        return match[0]
