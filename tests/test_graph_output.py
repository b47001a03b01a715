"""Graphs in every syntax, from lines as they were written: what two libraries read is what the lines say."""

import io

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reading_back import SYNTAXES, canonical, read, read_by_rdflib
from test_lines import BAIT, BLANKS, IRIS
from twingraph.errors import QueryError
from twingraph.rdf.formats import GRAPHS, RDF_XML, by_name
from twingraph.store.graph_output import write_lines
from twingraph.store.output_filters import finished_output

TYPE = ox.NamedNode("http://www.w3.org/1999/02/22-rdf-syntax-ns#type")

XSD = "http://www.w3.org/2001/XMLSchema#"
NAMESPACES = {"x": "http://x.example/", "xsd": XSD}
TAGS = ("zh-Hans", "pt-BR")
# XML has no other characters, and rdflib reads what is in its Turtle with Python's ideas of the end of a line.
TEXTS = st.lists(BAIT | st.text(st.characters(codec="utf-8", categories=["L", "N", "S"]), max_size=4), max_size=4)
FORMS = st.one_of(
    st.from_regex(r"[+-]?[0-9]{1,4}(\.[0-9]{0,30})?", fullmatch=True),
    st.from_regex(r"[+-]?(\.[0-9]{1,9}|[0-9]{1,2}\.?[eE][+-]?[0-9]{1,2})", fullmatch=True),
    st.sampled_from(
        ["true", "false", "1", "0", "INF", "-INF", "NaN", "", "0.0000001", "-0", "-0.0", "x", "0x1", '"01', ' "01']
    ),
)
DATATYPES = st.sampled_from(["integer", "decimal", "double", "boolean", "int", "string", "dateTime"])
LITERALS = st.one_of(
    TEXTS.map("".join).map(ox.Literal),
    st.builds(lambda text, tag: ox.Literal("".join(text), language=tag), TEXTS, st.sampled_from(["en", *TAGS])),
    st.builds(lambda text, name: ox.Literal(text, datatype=ox.NamedNode(XSD + name)), FORMS, DATATYPES),
    st.builds(lambda text, iri: ox.Literal("".join(text), datatype=iri), TEXTS, IRIS),
)
PROPERTIES = st.sampled_from([ox.NamedNode("http://x.example/p"), ox.NamedNode("http://y.example/a#q")])
TRIPLES = st.lists(st.builds(ox.Triple, IRIS | BLANKS, PROPERTIES, IRIS | BLANKS | LITERALS), max_size=6)


def lines_of(triples):
    return sorted({ox.serialize([triple], format=ox.RdfFormat.N_TRIPLES) for triple in triples})


def written(lines, format_, per_block=2):
    """Write lines that come in several blocks."""
    blocks = [b"".join(lines[start : start + per_block]) for start in range(0, len(lines), per_block)]
    output = io.BytesIO()
    write_lines(blocks, by_name(format_, GRAPHS), NAMESPACES, TAGS, output)
    return output.getvalue()


@pytest.mark.parametrize("format_", SYNTAXES)
@given(triples=TRIPLES)
def test_the_engine_reads_in_every_syntax_what_the_lines_say(format_, triples):
    assert canonical(read(written(lines_of(triples), format_), format_)) == canonical(set(triples))


@pytest.mark.usefixtures("as_written")
@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
@pytest.mark.parametrize("format_", SYNTAXES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(triples=TRIPLES)
def test_rdflib_reads_in_every_syntax_what_the_lines_say(format_, triples):
    assert canonical(read_by_rdflib(written(lines_of(triples), format_), format_)) == canonical(set(triples))


NUMBERS = [("1", "integer"), ("-5", "integer"), ("1.50", "decimal"), ("1e0", "double"), ("true", "boolean")]


def turtle(text, datatype):
    line = f'<http://x.example/a> <http://x.example/p> "{text}"^^<{XSD}{datatype}> .\n'
    return written([line.encode()], "turtle").decode().splitlines()[-1]


@pytest.mark.parametrize(("text", "datatype"), NUMBERS)
def test_turtle_has_usual_numbers_without_quotes(text, datatype):
    assert turtle(text, datatype) == f"x:a x:p {text} ."


QUOTED = [("01", "integer"), ("+1", "integer"), (".5", "decimal"), ("0.0000001", "decimal")]


@pytest.mark.usefixtures("as_written")
@pytest.mark.parametrize(("text", "datatype"), QUOTED)
def test_turtle_has_numbers_in_quotes_that_rdflib_would_change_without(text, datatype):
    assert turtle(text, datatype) == f'x:a x:p "{text}"^^<{XSD}{datatype}> .'
    rdf = rdflib.Graph().parse(data=f"<urn:a> <urn:p> {text} .", format="turtle")
    assert [str(value) for value in rdf.objects()] != [text], "rdflib no longer needs the quotes"


def test_graphs_without_triples_are_documents_too():
    assert [read(written([], format_), format_) for format_ in SYNTAXES] == [[]] * len(SYNTAXES)


@pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")
@pytest.mark.parametrize("size", [1, 7, 10**6])
def test_types_that_are_no_xml_names_are_properties_in_rdf_xml(size):
    types = ("http://x/58543", "http://x/", "urn:GO:0003824", "http://x/a/", "http://x/A")
    triples = [ox.Triple(ox.NamedNode(f"urn:s{n}"), TYPE, ox.NamedNode(type_)) for n, type_ in enumerate(types)]
    node = ox.BlankNode("b")
    triples.append(ox.Triple(node, TYPE, ox.NamedNode("http://x/2")))
    triples.append(ox.Triple(node, ox.NamedNode("http://x/p"), ox.Literal('\n\t<a: rdf:about="x">')))
    output = io.BytesIO()
    with finished_output(output, RDF_XML, ()) as target:
        whole = ox.serialize(triples, format=ox.RdfFormat.RDF_XML, prefixes={"x": "http://x/"})
        for start in range(0, len(whole), size):
            target.write(whole[start : start + size])
    assert canonical(read_by_rdflib(output.getvalue(), "rdfxml")) == canonical(triples)


def test_what_a_syntax_cannot_represent_is_refused():
    text = b'<urn:a> <urn:p> "\x01" .\n'
    with pytest.raises(QueryError, match="XML does not allow"):
        written([text], "rdfxml")
    quoted = b"<urn:a> <urn:p> <<( <urn:a> <urn:p> <urn:b> )>> .\n"
    with pytest.raises(QueryError, match="cannot be written as jsonld"):
        written([quoted], "jsonld")


def test_a_failure_of_the_lines_is_what_is_raised():
    def blocks():
        yield b"<urn:a> <urn:p> <urn:b> .\n"
        raise LookupError("gone")

    for format_ in SYNTAXES:
        with pytest.raises(LookupError, match="gone"):
            write_lines(blocks(), by_name(format_, GRAPHS), {}, (), io.BytesIO())
