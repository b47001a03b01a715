"""IRIs, formats, terms and files of RDF."""
