"""Files broken at random, in every syntax: each is read whole or is a finding, never a traceback or a part of it."""

import gzip
import tempfile
from pathlib import Path

import pyoxigraph as ox
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from twingraph.check.statements import statement
from twingraph.findings import Severity
from twingraph.publication.files import Publication
from twingraph.publication.reading import Reading, read
from twingraph.settings import Settings

BASE = "https://kg.test/"
TURTLE = """@prefix ex: <urn:ex:> .
ex:a a ex:C ; ex:p "ä \\"quoted\\""@sv, 1.50, [ ex:q ( 1 "two" ) ] .
ex:b ex:p '''long
text'''^^ex:text .
"""
TRIG = f"{TURTLE}ex:g {{ ex:a ex:p <<( ex:a ex:b ex:c )>> }}\n"
N_TRIPLES = '<urn:a> <urn:p> "\\u00E4"@sv .\n_:b <urn:p> "x" . # ä\n<urn:a> <urn:q> _:b .\n'
N_QUADS = '<urn:a> <urn:p> "1"^^<urn:int> <urn:g> .\n_:b <urn:p> "ä" _:b .\n'
RDF_XML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE rdf:RDF [ <!ENTITY ex "urn:ex:"> ]>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:ex="urn:ex:">
  <ex:C rdf:about="&ex;a"><ex:p xml:lang="sv">ä &amp; ö</ex:p><ex:q rdf:resource="&ex;b"/></ex:C>
  <rdf:Description><ex:p rdf:parseType="Literal"><b>x</b></ex:p></rdf:Description>
</rdf:RDF>"""
JSON_LD = """{"@context": ["urn:context", {"ex": "urn:ex:"}],
 "@graph": [{"@id": "ex:a", "name": "ä", "ex:p": [1, true, {"@list": ["x", 2.5]}]},
            {"@id": "urn:g", "@graph": [{"@type": "ex:C", "ex:p": {"@id": "ex:b"}}]}]}"""
INTACT = {
    ".ttl": TURTLE, ".n3": TURTLE, ".trig": TRIG, ".nt": N_TRIPLES, ".nq": N_QUADS, ".rdf": RDF_XML, ".owl": RDF_XML,
    ".xml": RDF_XML, ".jsonld": JSON_LD,
}  # fmt: skip
CONTEXT = '{"@context": {"name": "urn:name"}}'
# What a random byte hits seldom: marks of the syntaxes, bytes of other encodings, and what opens without closing.
INSERTED = [
    b"\0", b"\xff", b"\xe4", b"\xef\xbb\xbf", b"\xff\xfe", b"\xed\xa0\x80", b"<", b">", b'"', b"'''", b'"""', b"\\",
    b"\\u", b"\\uD800", b"[", b"]", b"(", b"{", b"}", b"<<(", b"&x;", b"&#0;", b"<!--", b"]]>", b"@prefix", b"@base <",
    b".", b";", b",", b"\r", b"\n", b"_:", b"^^", b"@", b"%", b"#", b"<a:", b"</rdf:RDF>", b"<!DOCTYPE",
    b'"@context":"urn:x",',
]  # fmt: skip
FILES = st.tuples(st.sampled_from(sorted(INTACT)), st.booleans())


def parse(suffix: str, content: bytes) -> Reading:
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "data").mkdir()
        (directory / f"data/a{suffix}").write_bytes(content)
        (directory / "data/other.nt").write_bytes(b"<urn:other> <urn:p> <urn:o> .\n")
        (directory / "context.jsonld").write_text(CONTEXT)
        files = {"contexts": {"urn:context": "context.jsonld"}}
        found = read(Publication(Settings(directory=directory, base_iri=BASE, title={}, files=files)))
        # Whatever is reported about a file is reported with a place in it, which is looked for while it exists.
        for quad in found.lines:
            stated = statement(quad)
            assert found.locations.find(*stated) or found.locations.home(stated[0])
        return found


def bytes_of(suffix: str, is_compressed: bool) -> bytes:
    content = INTACT[suffix].encode()
    return gzip.compress(content, mtime=0) if is_compressed else content


def canonical(quads) -> set[str]:
    dataset = ox.Dataset(quads)
    dataset.canonicalize(ox.CanonicalizationAlgorithm.UNSTABLE)
    return {str(quad) for quad in dataset}


def statements(found: Reading) -> set[str]:
    return canonical(quad for file in found.files if file.path != "data/other.nt" for quad in file.quads)


WHOLE = {suffix: statements(parse(suffix, bytes_of(suffix, False))) for suffix in INTACT}


def is_said(found: Reading) -> bool:
    """Return whether the file is reported; nothing of it may then be among the statements, and the others must be."""
    if not found.findings:
        return False
    [finding] = found.findings
    assert finding.location.path.startswith("data/a.")
    assert finding.severity is Severity.VIOLATION
    assert finding.message
    assert finding.remedy
    assert [file.path for file in found.files] == ["data/other.nt"]
    assert len(found.lines) == 1
    return True


@pytest.mark.parametrize("suffix", INTACT)
def test_intact_file_is_read_whole(suffix):
    assert WHOLE[suffix]
    assert statements(parse(f"{suffix}.gz", bytes_of(suffix, True))) == WHOLE[suffix]


@pytest.mark.parametrize("suffix", [".rdf", ".owl", ".xml", ".jsonld"])
def test_document_truncated_at_any_byte_is_said(suffix):
    content = bytes_of(suffix, False)
    for length in range(0, len(content), 7):
        assert is_said(parse(suffix, content[:length])), length


@pytest.mark.parametrize("suffix", [".ttl.gz", ".nt.gz", ".jsonld.gz"])
def test_compressed_file_truncated_at_any_byte_is_said(suffix):
    content = bytes_of(suffix.removesuffix(".gz"), True)
    for length in range(1, len(content), 3):
        assert is_said(parse(suffix, content[:length])), length


@pytest.mark.parametrize("suffix", [".ttl", ".n3", ".trig", ".nt", ".nq"])
def test_file_truncated_within_a_statement_is_said(suffix):
    content = bytes_of(suffix, False)
    for length in range(0, len(content), 3):
        kept = content[:length]
        ends = [line.split(b" #")[0].rstrip() for line in kept.split(b"\n") if line.strip()]
        if not is_said(parse(suffix, kept)):
            assert not ends or ends[-1].endswith((b".", b"}")) or ends[-1].startswith(b"#"), kept


@settings(max_examples=60, deadline=None)
@given(FILES, st.floats(0, 1, exclude_max=True), st.integers(1, 255))
def test_file_with_a_changed_byte_is_read_whole_or_said(file, where, change):
    suffix, is_compressed = file
    content = bytearray(bytes_of(suffix, is_compressed))
    content[int(where * len(content))] ^= change
    check_broken(suffix, bytes(content), is_compressed)


@settings(max_examples=80, deadline=None)
@given(FILES, st.lists(st.tuples(st.floats(0, 1), st.sampled_from(INSERTED)), min_size=1, max_size=3))
@example((".jsonld", False), [(0.0, b"\xef\xbb\xbf")])
@example((".rdf", False), [(0.0, b"\xef\xbb\xbf")])
def test_file_with_insertions_is_read_whole_or_said(file, insertions):
    suffix, is_compressed = file
    content = INTACT[suffix].encode()
    for where, inserted in insertions:
        at = int(where * len(content))
        content = content[:at] + inserted + content[at:]
    check_broken(suffix, gzip.compress(content) if is_compressed else content, is_compressed)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(sorted(INTACT)), st.binary(max_size=60))
def test_random_bytes_are_read_or_said(suffix, content):
    is_said(parse(suffix, content))


def check_broken(suffix: str, content: bytes, is_compressed: bool) -> None:
    found = parse(suffix + ".gz" * is_compressed, content)
    if is_said(found):
        return
    if suffix in (".nt", ".nq", ".ttl", ".n3", ".trig"):
        whole = gzip.decompress(content) if is_compressed else content
        engine = {".nt": ox.RdfFormat.N_TRIPLES, ".nq": ox.RdfFormat.N_QUADS, ".trig": ox.RdfFormat.TRIG}
        format_ = engine.get(suffix, ox.RdfFormat.TURTLE)
        base = None if suffix in (".nt", ".nq") else BASE
        assert len(found.lines) - 1 == len(list(ox.parse(whole, format=format_, base_iri=base)))
