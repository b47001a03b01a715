"""A knowledge-graph and linked-data publisher: a directory in, a validated release and a SPARQL endpoint out."""

__version__ = "0.1.0"
