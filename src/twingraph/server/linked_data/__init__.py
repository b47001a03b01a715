"""Linked data: every IRI of the publication leads to a document about what it denotes."""
