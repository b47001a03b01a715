"""Language tags keep their canonical form in every format, whatever the literals around them hold."""

import io
import json
from xml.etree import ElementTree

import pyoxigraph as ox
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from twingraph.rdf.formats import CSV, FORMATS, HTML, JSON, JSON_LD, N_TRIPLES, RDF_XML, RESULTS, TSV, XML
from twingraph.rdf.terms import ntriples
from twingraph.store.output_filters import canonical_tags

TAGS = ("zh-Hans", "zh-Hans-CN", "de-AT", "pt-BR")
SUBJECT, PROPERTY = ox.NamedNode("http://b.example/s"), ox.NamedNode("http://b.example/p")
BAIT = (
    '"@zh-hans', "@zh-hans", '\\"@zh-hans', "\\", '"', '"xml:lang":"zh-hans"', 'xml:lang="zh-hans"', " ", "\n", "\r",
    "\t",
    '<literal xml:lang="zh-hans">', '"@language":"zh-hans"', '{"@language":"zh-hans"}', "'", ">", "<", "&quot;", "&",
    "]]>", "北", '"""', "zh-hans", ".", ";", '" , "', "xml:lang", ":", "@language",
)  # fmt: skip
texts = st.lists(st.sampled_from(BAIT) | st.text(st.characters(codec="utf-8", min_codepoint=32), max_size=3)).map(
    "".join
)
literals = st.builds(
    lambda text, tag: ox.Literal(text, language=tag) if tag else ox.Literal(text),
    texts,
    st.sampled_from((None, "en", "zh-Hans", "zh-Hans-CN", "de-AT", "zh-Hans-TW", "zh")),
)


def written(values, format_) -> bytes:
    output = io.BytesIO()
    if format_ in RESULTS:
        store = ox.Store()
        store.bulk_extend(ox.Quad(SUBJECT, PROPERTY, value) for value in values)
        store.query("SELECT ?o ?s { ?s ?p ?o }").serialize(output, format=format_.engine)
    else:
        triples = [ox.Triple(SUBJECT, PROPERTY, value) for value in values]
        ox.serialize(triples, output, format=format_.engine, prefixes={"b": "http://b.example/"})
    return output.getvalue()


def restored(body: bytes, format_, size: int, tags=TAGS) -> bytes:
    output = io.BytesIO()
    with canonical_tags(output, format_, tags) as writer:
        for start in range(0, len(body), size):
            piece = body[start : start + size]
            assert writer.write(piece) == len(piece)
        writer.flush()
    return output.getvalue()


def tags_and_texts(body: bytes, format_):
    """Read literals with readers that leave tags as they are."""
    if format_ is JSON:
        rows = json.loads(body)["results"]["bindings"]
        return [(row["o"].get("xml:lang"), row["o"]["value"]) for row in rows]
    if format_ is JSON_LD:
        nodes = [value for node in json.loads(body) for value in node.get(PROPERTY.value, [])]
        return [(value.get("@language"), value["@value"]) for value in nodes]
    name = "{http://www.w3.org/2005/sparql-results#}literal" if format_ is XML else "{http://b.example/}p"
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    return [(one.get(lang), one.text or "") for one in ElementTree.fromstring(body).iter(name)]


def canonical(tag):
    return next((one for one in TAGS if one.lower() == tag), tag)


@pytest.mark.parametrize("format_", [JSON, JSON_LD, XML, RDF_XML], ids=lambda one: one.name)
@given(values=st.lists(literals, max_size=4, unique=True), size=st.integers(1, 60))
@example(values=[ox.Literal("@zh-hans", language="zh-hans"), ox.Literal('"xml:lang":"zh-hans"')], size=1)
def test_readers_see_the_canonical_tag_and_the_same_text(format_, values, size):
    body = written(values, format_)
    try:
        before = tags_and_texts(body, format_)
    except ElementTree.ParseError:
        return  # XML cannot hold every character
    after = tags_and_texts(restored(body, format_, size), format_)
    assert after == [(canonical(tag), text) for tag, text in before]


@given(values=st.lists(literals, max_size=4, unique=True), size=st.integers(1, 60))
@example(values=[ox.Literal("@zh-hans"), ox.Literal("\\", language="zh-hans"), ox.Literal('\\"@zh-hans ')], size=3)
def test_n_triples_are_as_our_own_writer_has_them(values, size):
    lines = restored(written(values, N_TRIPLES), N_TRIPLES, size, (*TAGS, "zh-Hans-TW")).decode().split("\n")
    assert lines[:-1] == [f"{SUBJECT} {PROPERTY} {ntriples(value)} ." for value in values]


@pytest.mark.parametrize("format_", [one for one in FORMATS if one not in (HTML, CSV)], ids=lambda one: one.name)
@given(values=st.lists(literals, max_size=4, unique=True), size=st.integers(1, 60))
def test_nothing_but_the_case_of_tags_is_changed(format_, values, size):
    body = written(values, format_)
    after = restored(body, format_, size)
    changed = [place for place, (old, new) in enumerate(zip(body, after, strict=True)) if old != new]
    assert all(after[place : place + 1].lower() == body[place : place + 1] for place in changed)
    assert len(changed) == sum(sum(map(str.isupper, canonical(one.language))) for one in values if one.language)


@pytest.mark.parametrize("tags", [(), ("en", "sv")])
def test_nothing_is_put_between_where_there_is_nothing_to_do(tags):
    output = io.BytesIO()
    with canonical_tags(output, TSV, tags) as writer:
        assert writer is output
    with canonical_tags(output, CSV, TAGS) as writer:
        assert writer is output


@pytest.mark.parametrize("format_", [one for one in FORMATS if one not in (HTML, CSV)], ids=lambda one: one.name)
def test_what_comes_is_given_on_and_not_gathered(format_):
    values = [ox.Literal(f"word {number}", language="zh-Hans") for number in range(2000)]
    store = ox.Store()
    store.bulk_extend(ox.Quad(ox.NamedNode(f"http://b.example/{n}"), PROPERTY, one) for n, one in enumerate(values))
    body = io.BytesIO()
    if format_ in RESULTS:
        store.query("SELECT ?o ?s { ?s ?p ?o }").serialize(body, format=format_.engine)
    else:
        ox.serialize((quad.triple for quad in store), body, format=format_.engine)
    output = io.BytesIO()
    with canonical_tags(output, format_, TAGS) as writer:
        for start in range(0, len(body.getvalue()), 8192):
            writer.write(body.getvalue()[start : start + 8192])
            assert start - output.tell() <= 8192
    assert output.getvalue().count(b"zh-Hans") == 2000
