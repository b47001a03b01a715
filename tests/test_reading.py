"""Which files are read, within which limits, and what is said of those that are not."""

import gzip
import io
import os
from pathlib import Path

import pyoxigraph as ox
import pytest

from twingraph.check.run import check
from twingraph.errors import SettingsError
from twingraph.findings import Severity
from twingraph.publication.assembly import assemble
from twingraph.publication.files import Publication
from twingraph.publication.reading import Reading, read
from twingraph.settings import load_settings

BASE = "https://kg.test/"
HEAD = f'base_iri = "{BASE}"\n[title]\nen = "Lamps"\n'
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def publication(directory: Path, files: dict[str, str | bytes], settings: str = "") -> Publication:
    """Write a publication with these files."""
    for name, content in {"twingraph.toml": HEAD + settings, **files}.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Publication(load_settings(directory))


def reading(directory: Path, files: dict[str, str | bytes], settings: str = "") -> Reading:
    return read(publication(directory, files, settings))


def said(found: Reading) -> list[tuple[str, str]]:
    return [(finding.rule, str(finding.location)) for finding in found.findings]


def xml(body: str, prolog: str = "") -> str:
    return f'{prolog}<rdf:RDF xmlns:rdf="{RDF}" xmlns:e="urn:e:">\n{body}\n</rdf:RDF>'


ONE = "<urn:s> <urn:p> <urn:o> .\n"
ONE_XML = xml('<rdf:Description rdf:about="urn:s"><e:p rdf:resource="urn:o"/></rdf:Description>')
ONE_JSON = '{"@id": "urn:s", "urn:p": {"@id": "urn:o"}}'
SYNTAXES = {
    "ttl": ONE, "n3": ONE, "nt": ONE, "nq": ONE, "trig": ONE, "rdf": ONE_XML, "owl": ONE_XML, "xml": ONE_XML,
    "jsonld": ONE_JSON,
}  # fmt: skip


@pytest.mark.parametrize("suffix", [*SYNTAXES, *(suffix.upper() for suffix in SYNTAXES)])
@pytest.mark.parametrize("is_compressed", [False, True])
def test_every_suffix_is_read_in_any_case_and_compressed(suffix, is_compressed, tmp_path):
    content = SYNTAXES[suffix.lower()].encode()
    name = f"data/a.{suffix}" + (".GZ" if suffix.isupper() else ".gz") * is_compressed
    found = reading(tmp_path, {name: gzip.compress(content) if is_compressed else content})
    assert (found.findings, len(found.lines)) == ((), 1)


def test_ontology_in_owl_may_be_in_turtle(tmp_path):
    found = reading(tmp_path, {"ontology/a.owl": f"@prefix : <urn:x> .\n{ONE}"})
    assert (found.findings, len(found.lines)) == ((), 1)


def test_without_graphs_each_file_has_its_own_and_that_is_said(tmp_path):
    found = reading(tmp_path, {"data/in/Two words ä.v1.ttl": ONE, "data/b.nt.gz": gzip.compress(ONE.encode())})
    assert [file.graph for file in found.files] == [f"{BASE}graph/data/b", f"{BASE}graph/data/in/Two%20words%20ä.v1"]
    [note] = found.notes
    assert (note.rule, note.severity, note.location.path) == ("file/graph", Severity.INFO, "twingraph.toml")
    assert "graph/{path}" in note.message


def test_unknown_name_in_braces_is_an_error_of_the_settings_with_a_suggestion(tmp_path):
    rule = '[[graphs]]\nfiles = "**"\ngraph = "graph/{parnt}"\n'
    with pytest.raises(SettingsError, match=r"graphs.0.graph: \{parnt\} stands for nothing; did you mean \{parent\}\?"):
        publication(tmp_path, {}, rule)


def test_unknown_suffix_in_prefer_is_an_error_of_the_settings(tmp_path):
    with pytest.raises(SettingsError, match=r"'\.csv' is no suffix of RDF; known: \.ttl"):
        publication(tmp_path, {}, '[files]\nprefer = [".csv"]\n')


def test_excluded_files_are_neither_read_nor_mentioned(tmp_path):
    files = {"data/a.ttl": ONE, "data/old/b.ttl": "broken", "data/notes.txt": "x"}
    found = reading(
        tmp_path, files, '[files]\nexclude = ["data/old/**", "**/*.txt"]\n[[graphs]]\nfiles="**"\ngraph="g"'
    )
    assert ([file.path for file in found.files], found.findings, found.notes) == (["data/a.ttl"], (), ())


def test_only_included_files_are_read(tmp_path):
    found = reading(tmp_path, {"data/a.ttl": ONE, "data/b.ttl": ONE}, '[files]\ninclude = ["data/a.*"]\n')
    assert [file.path for file in found.files] == ["data/a.ttl"]


def test_what_is_not_read_is_said_with_number_and_first_names(tmp_path):
    files = {f"data/{number}.csv": "x" for number in range(7)}
    found = reading(tmp_path, files | {"data/a.ttl": ONE, "shapes/b.rq": "", "data/~a.ttl~": "", "data/.a.swp": ""})
    [note] = [note for note in found.notes if note.rule == "file/not-read"]
    assert note.message == "8 files are not read: data/0.csv, data/1.csv, data/2.csv, data/3.csv, data/4.csv, ..."
    assert note.severity == Severity.INFO


def test_links_to_nothing_and_to_themselves_are_said_one_by_one(tmp_path):
    here = publication(tmp_path, {"data/a.ttl": ONE})
    (tmp_path / "data/gone.ttl").symlink_to("nowhere.ttl")
    (tmp_path / "data/self.ttl").symlink_to("self.ttl")
    (tmp_path / "data/up").symlink_to("..")
    notes = {str(note.location): note for note in read(here).notes}
    assert notes["data/gone.ttl"].severity == notes["data/self.ttl"].severity == Severity.WARNING
    assert notes["data/up"].message == "1 file is not read: data/up"


def test_preferred_syntax_of_a_file_is_read_and_the_others_are_said(tmp_path):
    files = {"data/a.ttl": ONE, "data/a.rdf": ONE_XML, "data/a.nt.gz": b"damaged", "data/b.rdf": ONE_XML}
    found = reading(tmp_path, files, '[files]\nprefer = [".TTL", ".rdf"]\n')
    assert [file.path for file in found.files] == ["data/a.ttl", "data/b.rdf"]
    [note] = [note for note in found.notes if note.rule == "file/variants"]
    assert note.message == "2 files are not read, by files.prefer: data/a.nt.gz, data/a.rdf"


def test_without_preference_all_syntaxes_are_read_and_that_is_said(tmp_path):
    found = reading(tmp_path, {"data/a.ttl": ONE, "data/a.rdf": ONE_XML})
    assert len(found.files) == 2
    [note] = [note for note in found.notes if note.rule == "file/variants"]
    assert "although only their suffixes differ: data/a.rdf, data/a.ttl" in note.message


def test_releases_inside_a_folder_of_data_are_not_data(tmp_path):
    settings = '[folders]\ndata = "."\n'
    found = reading(tmp_path, {"a.ttl": ONE, "releases/1/quads.nq.gz": gzip.compress(ONE.encode())}, settings)
    assert [file.path for file in found.files] == ["a.ttl"]


def test_folder_outside_the_publication_is_read(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/a.ttl").write_text(ONE)
    found = reading(tmp_path / "here", {}, '[folders]\ndata = "../elsewhere"\n')
    assert [file.path for file in found.files] == ["../elsewhere/a.ttl"]


def test_file_whose_name_is_not_utf8_is_read(tmp_path):
    here = publication(tmp_path, {"data/a.ttl": ONE})
    with Path(os.fsdecode(os.fsencode(tmp_path) + b"/data/\xe4.ttl")).open("w") as file:
        file.write(ONE)
    assert [file.graph for file in read(here).files] == [f"{BASE}graph/data/a", f"{BASE}graph/data/%E4"]


# What is wrong with a file: its name, its content, the rule and the place of the finding, and words of the message.
_DEEP = 1001
BAD: dict[str, tuple[str, str | bytes, str, str, str]] = {
    "truncated RDF/XML": ("a.rdf", ONE_XML[:-12], "syntax", "data/a.rdf:2:63", "ends before its root element does"),
    "RDF/XML without its end": ("a.rdf", ONE_XML[:-11], "syntax", "data/a.rdf:2:81", "ends before its root"),
    "compressed truncated RDF/XML": (
        "a.rdf.gz", gzip.compress(ONE_XML[:-11].encode()), "syntax", "data/a.rdf.gz:2:81", "not well-formed XML"),
    "truncated gzip": (
        "a.ttl.gz", gzip.compress(ONE.encode() * 99)[:-9], "file/unreadable", "data/a.ttl.gz", "cannot be read"),
    "no gzip": ("a.ttl.gz", ONE, "file/unreadable", "data/a.ttl.gz", "Not a gzipped file"),
    "nested entities": (
        "a.rdf", xml("", '<!DOCTYPE rdf:RDF [<!ENTITY a "aaaa">\n<!ENTITY b "&a;&a;">]>\n'), "file/limit",
        "data/a.rdf:2:12", "the entity b refers to another entity"),
    "large entity": (
        "a.rdf", xml("", f'<!DOCTYPE rdf:RDF [<!ENTITY a "{"a" * 2001}">]>\n'), "file/limit", "data/a.rdf:1:31",
        "the entity a is larger than 2000 bytes"),
    "external entity": (
        "a.rdf", xml("", '<!DOCTYPE rdf:RDF [<!ENTITY a SYSTEM "file:///etc/passwd">]>\n'), "file/limit",
        "data/a.rdf:1:58", "the entity a is external"),
    "parameter entity": (
        "a.rdf", xml("", '<!DOCTYPE rdf:RDF [<!ENTITY % a "x">]>\n'), "file/limit", "data/a.rdf:1:33", "external or"),
    "deep XML": (
        "a.rdf", xml("<e:C><e:p>\n" * _DEEP + "</e:p></e:C>" * _DEEP), "file/limit", "data/a.rdf:501:6", "deeper than"),
    "many namespaces": (
        "a.rdf", xml("<e:C " + " ".join(f'xmlns:a{number}="urn:a"' for number in range(1000)) + "/>"), "file/limit",
        "data/a.rdf:2:1", "declares more than 1000 namespaces at once"),
    "many attributes": (
        "a.rdf", xml("<e:C " + " ".join(f'e:a{number}="x"' for number in range(1001)) + "/>"), "file/limit",
        "data/a.rdf:2:1", "an element has more than 1000 attributes"),
    "XML in Latin-1": (
        "a.rdf", '<?xml version="1.0" encoding="ISO-8859-1"?>\n<a>ä</a>'.encode("latin-1"), "file/encoding",
        "data/a.rdf:1:1", "declares the encoding ISO-8859-1"),
    "OWL/XML": (
        "a.owl", '<Ontology xmlns="http://www.w3.org/2002/07/owl#"/>', "file/encoding", "data/a.owl:1:1", "OWL/XML"),
    "other XML": ("a.xml", "<catalog><uri/></catalog>", "file/encoding", "data/a.xml:1:1", "root element is catalog"),
    "XHTML": (
        "a.rdf", '<html xmlns="http://www.w3.org/1999/xhtml"/>', "file/encoding", "data/a.rdf:1:1", "a page of HTML"),
    "HTML": ("a.ttl", "\n<!DOCTYPE html><html>", "file/encoding", "data/a.ttl:1:1", "this is a page of HTML"),
    "HTML as JSON-LD": ("a.jsonld", "<html><p>", "file/encoding", "data/a.jsonld:1:1", "this is a page of HTML"),
    "Latin-1": (
        "a.ttl", (ONE + '<urn:s> <urn:p> "Gävle" .').encode("latin-1"), "file/encoding", "data/a.ttl:2:19",
        "the byte 0xE4 here is not UTF-8"),
    "Latin-1 in N-Quads": (
        "a.nq", (ONE + '<urn:s> <urn:p> "Gävle" .').encode("latin-1"), "file/encoding", "data/a.nq:2:19", "0xE4"),
    "Latin-1 in JSON-LD": (
        "a.jsonld", '{"@id": "urn:s",\n"urn:p": "ä"}'.encode("latin-1"), "file/encoding", "data/a.jsonld:2:11", "0xE4"),
    "UTF-16": ("a.ttl", ONE.encode("utf-16"), "file/encoding", "data/a.ttl:1:1", "UTF-16"),
    "UTF-16 in RDF/XML": ("a.rdf", ONE_XML.encode("utf-16"), "file/encoding", "data/a.rdf:1:1", "UTF-16"),
    "large literal": (
        "a.ttl", ONE + f'<urn:s> <urn:p> """{"x" * 17_000_000}""" .', "file/limit", "data/a.ttl:2:17",
        "a literal or other term has more than 16,000,000 bytes"),
    "large literal in RDF/XML": (
        "a.rdf", xml(f'<rdf:Description rdf:about="urn:s"><e:p>{"x" * 16_500_000}</e:p></rdf:Description>'),
        "file/limit", "data/a.rdf", "a literal or other term has more than 16,000,000 bytes"),
    "large comment": ("a.ttl", "#" * 17_000_000, "file/limit", "data/a.ttl", "16,000,000 bytes"),
    "long prefix": (
        "a.ttl", f"@prefix a: <urn:{'x' * 1_000_000}> .\n<urn:s> <urn:p> {', '.join(f'a:{i}' for i in range(400))} .",
        "file/limit", "data/a.ttl", "its prefixes make its statements far larger"),
    "deep triple terms": (
        "a.ttl", "<urn:s> <urn:p> " + "<<( <urn:s> <urn:p> " * 100_000, "file/limit", "data/a.ttl:1:20017",
        "its triple terms are nested deeper than 1000"),
    "deep JSON": (
        "a.jsonld", '{"@id":"urn:s","urn:p":\n' * 1001 + "1" + "}" * 1001, "file/limit", "data/a.jsonld:1001:1",
        "nested deeper than 1000"),
    "context without file": (
        "a.jsonld", '{"@id": "urn:s",\n "@context": ["https://a.test/c", "https://a.test/d"]}', "file/context",
        "data/a.jsonld:2:15", "<https://a.test/c>, <https://a.test/d>, and contexts are not fetched"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD, ids=lambda case: case)
def test_bad_file_gives_one_finding_with_its_place_and_the_others_are_read(case, tmp_path):
    name, content, rule, place, message = BAD[case]
    settings = "[files]\nmax_expansion = 5\n" if case == "long prefix" else ""
    found = reading(tmp_path, {f"data/{name}": content, "data/z.nt": ONE}, settings)
    assert said(found) == [(rule, place)]
    assert message in found.findings[0].message
    assert found.findings[0].remedy
    assert [file.path for file in found.files] == ["data/z.nt"]


def test_decompression_is_bounded(tmp_path):
    bomb = io.BytesIO()
    with gzip.GzipFile(fileobj=bomb, mode="wb") as file:
        for _ in range(80):
            file.write(b" " * 1_000_000)
    found = reading(tmp_path, {"data/a.ttl.gz": bomb.getvalue()}, "[files]\nmax_expansion = 100\n")
    assert said(found) == [("file/limit", "data/a.ttl.gz")]
    assert "raise files.max_expansion" in found.findings[0].remedy


@pytest.mark.parametrize("name", ["a.nt", "a.nt.gz"])
def test_larger_files_than_the_limit_are_refused(name, tmp_path):
    content = ONE.encode() * 9
    found = reading(
        tmp_path,
        {f"data/{name}": gzip.compress(content) if name.endswith("gz") else content},
        "[files]\nmax_bytes = 200\n",
    )
    assert said(found) == [("file/limit", f"data/{name}")]
    assert "has more than 200 bytes" in found.findings[0].message


def test_entities_for_namespaces_are_read_as_they_are(tmp_path):
    prolog = """<?xml version="1.0"?>
<!DOCTYPE rdf:RDF [
    <!ENTITY owl "http://www.w3.org/2002/07/owl#" >
    <!ENTITY q "http://q.test/?a=1&amp;b=" >
]>
"""
    body = '<rdf:Description rdf:about="&q;2"><rdf:type rdf:resource="&owl;Class"/></rdf:Description>'
    [quad] = reading(tmp_path, {"data/a.owl": xml(body, prolog)}).lines
    assert (quad.subject.value, quad.object.value) == ("http://q.test/?a=1&b=2", "http://www.w3.org/2002/07/owl#Class")


def test_namespaces_that_end_with_their_elements_are_not_counted_together(tmp_path):
    body = "".join(f'<e:C xmlns:a{number}="urn:a" a{number}:p="x"/>' for number in range(1100))
    found = reading(tmp_path, {"data/a.rdf": xml(body)})
    assert (found.findings, len(found.lines)) == ((), 2200)


def test_expansion_of_entities_is_bounded(tmp_path):
    prolog = f'<!DOCTYPE rdf:RDF [<!ENTITY a "{"a" * 2000}">]>\n'
    body = f'<rdf:Description rdf:about="urn:s"><e:p>{"&a;" * 40_000}</e:p></rdf:Description>'
    found = reading(tmp_path, {"data/a.rdf": xml(body, prolog)}, "[files]\nmax_expansion = 1\n")
    assert [finding.rule for finding in found.findings] in (["file/limit"], ["syntax"])
    assert found.files == ()


def test_many_triple_terms_that_are_not_nested_are_read(tmp_path):
    content = "".join(f'<urn:s> <urn:p> <<( <urn:s> <urn:p> "{number} <<" )>> . # <<\n' for number in range(1500))
    found = reading(tmp_path, {"data/a.ttl": content})
    assert (found.findings, len(found.lines)) == ((), 1500)


def test_system_error_names_the_file_and_the_others_are_read(tmp_path):
    here = publication(tmp_path, {"data/a.ttl": ONE})
    (tmp_path / "data/broken.ttl").symlink_to("/proc/self/mem")
    found = read(here)
    assert said(found) == [("file/unreadable", "data/broken.ttl")]
    assert "Input/output error" in found.findings[0].message
    assert len(found.files) == 1


def test_context_is_taken_from_the_local_file_that_the_settings_name(tmp_path):
    files = {
        "data/a.jsonld": '{"@context": "https://a.test/c",\n"@id": "urn:s", "name": "x", "part": {"name": "y"}}',
        "data/b.jsonld": '{"@context": [ "own.jsonld", {"more": "urn:more"} ],\n"@id": "urn:t", "name": "x", "more":1}',
        "contexts/c.jsonld": '{"@context":[{"name": "urn:name"}, "d", {"part": {"@id": "urn:part", "@context": "d"}}]}',
        "contexts/d.jsonld": '{"@context": {"unused": "urn:unused"}}',
    }
    settings = """[files.contexts]
"https://a.test/c" = "contexts/c.jsonld"
"https://a.test/d" = "contexts/d.jsonld"
"own.jsonld" = "contexts/c.jsonld"
"""
    found = reading(tmp_path, files, settings)
    assert found.findings == ()
    assert sorted(quad.predicate.value for quad in found.lines) == [
        "urn:more", "urn:name", "urn:name", "urn:name", "urn:part",
    ]  # fmt: skip


def test_release_depends_on_the_files_of_contexts(tmp_path):
    files = {"data/a.ttl": ONE, "c.jsonld": '{"@context": {}}'}
    here = publication(tmp_path, files, '[files.contexts]\n"urn:c" = "c.jsonld"\n"urn:d" = "none.jsonld"\n')
    assert [here.relative(path) for path in here.input_files] == ["twingraph.toml", "c.jsonld", "data/a.ttl"]


def terms(count: int, context: str = "") -> str:
    """The definitions of terms in JSON, each with a context of its own if one is given."""
    own = f',"@context":{context}' if context else ""
    return "{" + ",".join(f'"t{number}":{{"@id":"urn:t{number}"{own}}}' for number in range(count)) + "}"


def json_ld(context: str, count: int, own: str = "") -> str:
    """A document with a context and nodes, each of which may have a context of its own."""
    own = f'"@context":{own},' if own else ""
    nodes = ",".join(f'{{{own}"@id":"urn:s{number}","t0":1}}' for number in range(count))
    return f'{{"@context":{context},"@graph":[{nodes}]}}'


X = '{"x":"urn:x"}'


@pytest.mark.parametrize(
    "document",
    [
        json_ld(terms(5000), 5000, X),
        json_ld(terms(5000), 5000, '["urn:c"]'),
        json_ld(terms(5000), 5000, X).replace("@context", "\\u0040context"),
        json_ld(terms(5000, X), 1),
    ],
    ids=["in nodes", "from a file", "with an escape", "of terms"],
)
def test_contexts_that_would_take_minutes_are_refused_at_once(document, tmp_path):
    files = {"data/a.jsonld": document, "data/b.nt": ONE, "c.jsonld": '{"@context": {"x": "urn:x"}}'}
    found = reading(tmp_path, files, '[files.contexts]\n"urn:c" = "c.jsonld"\n')
    assert said(found) == [("file/limit", "data/a.jsonld")]
    assert "more than 20,000,000 copies of terms" in found.findings[0].message
    assert len(found.lines) == 1


def test_a_large_context_for_many_nodes_is_read(tmp_path):
    found = reading(tmp_path, {"data/a.jsonld": json_ld(terms(5000), 5000)})
    assert (len(found.lines), said(found)) == (5000, [])


def test_how_often_contexts_apply_is_a_setting(tmp_path):
    document = json_ld(terms(10), 10, X)
    small, large = (
        reading(tmp_path / str(limit), {"data/a.jsonld": document}, f"[files]\nmax_context_terms = {limit}\n")
        for limit in (50, 500)
    )
    assert (said(small)[0][0], len(small.lines)) == ("file/limit", 0)
    assert (said(large), len(large.lines)) == ([], 10)


def test_syntax_errors_below_a_context_keep_their_line(tmp_path):
    files = {"data/a.jsonld": '{"@context": "urn:c",\n"@id": "urn:s",\n"name" "x"}', "c.jsonld": '{"@context": {}}'}
    assert said(reading(tmp_path, files, '[files.contexts]\n"urn:c" = "c.jsonld"\n')) == [
        ("syntax", "data/a.jsonld:3:8")
    ]


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (None, "cannot be read: No such file or directory"),
        ("{", "cannot be read: Expecting property name"),
        ("[" * 100_000, "cannot be read: maximum recursion depth exceeded"),
        ("[]", "has no @context"),
        ('{"@context": ["urn:c"]}', "refer to one another"),
        ('{"@context": ["urn:d"]}', "<urn:d>, to which <urn:c> refers"),
        ('{"@context": {"@import": "urn:d"}}', "has @import"),
    ],
)
def test_context_that_cannot_be_used_is_said(context, message, tmp_path):
    files = {"data/a.jsonld": '{"@context": "urn:c", "@id": "urn:s", "urn:p": 1}'}
    files |= {} if context is None else {"c.jsonld": context}
    [finding] = reading(tmp_path, files, '[files.contexts]\n"urn:c" = "c.jsonld"\n').findings
    assert (finding.rule, finding.location.path) == ("file/context", "data/a.jsonld")
    assert message in finding.message


@pytest.mark.parametrize(
    ("document", "ignored"),
    [
        ('{"@id": "urn:s",\n"name": "x", "urn:p": {"part": 1}}', "2: name, part"),
        ('{"@id": "urn:s",\n"urn:p": {"@id": "http://a b"}}', "1: http://a b"),
        ('{"@context": {"p": {"@id": "urn:p", "@type": "@id"}}, "@id": "urn:s",\n"p": ["urn:a", "b c"]}', "1: b c"),
        ('{"@context": {"@vocab": "urn:v:"}, "@id": "urn:s",\n"a b": "x"}', "1: a b"),
    ],
)
def test_what_json_ld_ignores_is_a_warning(document, ignored, tmp_path):
    found = reading(tmp_path, {"data/a.jsonld": document})
    [note] = [note for note in found.notes if note.rule == "file/ignored"]
    assert found.findings == ()
    assert (note.severity, str(note.location)) == (Severity.WARNING, "data/a.jsonld:2")
    assert note.message.endswith(ignored)


@pytest.mark.parametrize("depth", [950, 999])
def test_json_as_deep_as_allowed_is_read_whether_or_not_it_is_examined(depth, tmp_path):
    document = '{"@id":"urn:s","urn:p":' * depth + "1" + "}" * depth
    found = reading(tmp_path, {"data/a.jsonld": document + " "})
    assert (found.findings, len(found.lines)) == ((), depth)
    assert {note.rule for note in found.notes} <= {"file/graph", "file/ignored"}


def test_keys_of_maps_keywords_and_literals_of_json_are_not_reported_as_ignored(tmp_path):
    document = """{"@context": {"label": {"@id": "urn:l", "@container": "@language"}, "id": "@id",
        "data": {"@id": "urn:d", "@type": "@json"}, "gone": null},
        "id": "urn:s", "label": {"en": "x", "sv": "y"}, "data": {"any": 1}, "gone": 1,
        "urn:v": {"@value": {"key": "a b"}, "@type": "@json"}, "urn:p": {"@value": "x", "@language": "en"}}"""
    found = reading(tmp_path, {"data/a.jsonld": document})
    assert (found.findings, [note.rule for note in found.notes]) == ((), ["file/graph"])
    assert len(found.lines) == 5


SUBJECT = "<urn:s>"
SPREAD = {
    "data/a.ttl": f"{SUBJECT} a <urn:C> ;\n <urn:p> 1 .\n",
    "data/b.nt": f'# b\n{SUBJECT} <urn:p> "two" .\n',
    "data/c.trig": f"<urn:g> {{\n{SUBJECT} <urn:q>\n [ <urn:r> 'three' ] ; <urn:p> 1.50 }}\n",
    "data/d.ttl.gz": gzip.compress(f"\n\n{SUBJECT} <urn:p> <urn:four>, (<urn:x> <urn:y>) .\n".encode()),
    "data/e.rdf": xml('<rdf:Description rdf:about="urn:s"><e:five>5</e:five></rdf:Description>'),
    "data/f.jsonld": '{"@id": "urn:s", "urn:p": "six"}',
}


@pytest.mark.parametrize(
    ("predicate", "value", "place"),
    [
        ("urn:p", "1", "data/a.ttl:2:10"),
        ("urn:p", "two", "data/b.nt:2:17"),
        ("urn:p", "1.50", "data/c.trig:3:32"),
        ("urn:q", "_:b", "data/c.trig:3:2"),
        ("urn:q", None, "data/c.trig:3:2"),
        ("urn:p", "urn:four", "data/d.ttl.gz:3:17"),
        ("urn:e:five", "5", "data/e.rdf"),
        ("urn:e:five", None, "data/e.rdf"),
        ("urn:p", "six", "data/f.jsonld"),
    ],
)
def test_statement_about_a_subject_in_several_files_is_found_in_its_own(predicate, value, place, tmp_path):
    assert str(reading(tmp_path, SPREAD).locations.find("urn:s", predicate, value)) == place


def test_statement_of_a_blank_node_is_found_within_brackets(tmp_path):
    found = reading(tmp_path, SPREAD)
    [quad] = [quad for quad in found.lines if quad.predicate == ox.NamedNode("urn:r")]
    assert str(found.locations.find(str(quad.subject), "urn:r", "three")) == "data/c.trig:3:12"


def test_query_in_latin1_is_a_finding_and_the_others_run(tiny):
    checks, queries = tiny.directory / "queries/checks", tiny.directory / "queries"
    (checks / "new.rq").write_bytes("# ä\nSELECT * {}".encode("latin-1"))
    (queries / "new.rq").write_bytes("#+ title: ä\n".encode("latin-1"))
    result = check(assemble(tiny.settings))
    assert [(each.rule, str(each.location)) for each in result.findings if each.severity is Severity.VIOLATION] == [
        ("file/encoding", "queries/checks/new.rq:1:3"),
        ("file/encoding", "queries/new.rq:1:11"),
    ]


def test_rule_in_latin1_is_a_finding_and_nothing_is_derived(tiny):
    (tiny.directory / "ontology/rules/99-new.rq").write_bytes("# ä".encode("latin-1"))
    assembly = assemble(tiny.settings)
    assert [(each.rule, str(each.location)) for each in assembly.findings] == [
        ("file/encoding", "ontology/rules/99-new.rq:1:3")
    ]
    assert len(assembly.derived) == 0


def test_code_points_that_no_iri_may_have_are_a_finding_with_their_place(tmp_path):
    text = "@prefix p: <urn:p:> .\n<urn:s> <urn:p> p:ok .\n<urn:s> <urn:p> p:not\U000e01efthis .\n"
    found = reading(
        tmp_path, {"data/a.ttl": text, "data/b.ttl": '<urn:s> <urn:p> "\U0001f600 \U000e01ef", <urn:\U0001f600> .'}
    )
    assert said(found) == [("syntax", "data/a.ttl:3:22")]
    assert (
        "an IRI has the code point U+E01EF, which no IRI may have (RFC 3987, section 2.2)" in found.findings[0].message
    )
    assert len(found.lines) == 2
