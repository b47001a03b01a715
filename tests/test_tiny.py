"""The tiny publication itself: its passages and hashes are right, so that a test breaks only what it means to."""

import pyoxigraph as ox

from twingraph.evidence import documents, passages, verify
from twingraph.publication import Publication
from twingraph.sources import SourceArchive


def test_tiny_publication_names_every_kind_of_file(tiny):
    publication = Publication(tiny.settings)
    counts = [
        len(files)
        for files in (
            publication.rdf_files,
            publication.shape_files,
            publication.example_files,
            publication.rule_files,
            publication.query_files,
            publication.check_files,
        )
    ]
    assert counts == [5, 1, 9, 2, 3, 1]


def test_every_passage_of_the_tiny_publication_stands_where_it_says(tiny):
    settings = tiny.settings
    quads = [
        quad
        for file in Publication(settings).rdf_files
        for quad in ox.parse(path=file.path, base_iri=settings.base_iri)
    ]
    archive = SourceArchive(settings.source_archive)
    texts = {doc.iri: archive.text(doc) for doc in documents(quads, settings.evidence, settings.iris)}
    found = passages(quads, settings.evidence, settings.iris)
    assert len(found) == 8
    assert [verify(passage, texts[passage.document], 60) for passage in found] == [()] * 8


def test_tiny_documents_have_the_hashes_that_the_data_says(tiny):
    settings = tiny.settings
    path = settings.directory / "data/books"
    quads = [quad for file in path.rglob("*.ttl") for quad in ox.parse(path=file, base_iri=settings.base_iri)]
    archive = SourceArchive(settings.source_archive)
    for document in documents(quads, settings.evidence, settings.iris):
        assert archive.digest(document) == document.sha256
