"""The tiny publication itself: its passages and hashes are right, so that a test breaks only what it means to."""

from twingraph.publication.evidence import SourceArchive, documents, passages, verify
from twingraph.publication.files import Publication
from twingraph.publication.reading import read


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
    lines = read(Publication(settings)).lines
    archive = SourceArchive(settings.source_archive)
    texts = {doc.iri: archive.text(doc) for doc in documents(lines, settings.evidence, settings.iris)}
    found = passages(lines, settings.evidence, settings.iris)
    assert len(found) == 8
    assert [verify(passage, texts[passage.document], 60) for passage in found] == [()] * 8


def test_tiny_documents_have_the_hashes_that_the_data_says(tiny):
    settings = tiny.settings
    lines = read(Publication(settings)).lines
    archive = SourceArchive(settings.source_archive)
    for document in documents(lines, settings.evidence, settings.iris):
        assert archive.digest(document) == document.sha256
