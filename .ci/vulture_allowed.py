"""What vulture takes for unused, and is not: names that a library calls or reads, a line each with who does."""

# ruff: noqa: B018, F821
_.context_aware  # rdflib asks a store what it can
_.graph_aware  # the same
_.data_received  # asyncio calls it on a protocol
_.on_url  # httptools calls it on uvicorn's protocol
_.on_header  # the same
_.expect_100_continue  # uvicorn's cycle of a request reads it
_.more_body  # the same
_.should_exit  # uvicorn's server reads it
_.settings_customise_sources  # pydantic-settings calls it
_.publisher  # a setting, written into the manifest with all others
_.contact  # the same
_.redirect_request  # urllib calls it on a handler
_.anchor  # the fragment of a term, shown by a template
_.question  # a header of saved queries, shown by the pages' templates
trace  # a context manager's third argument
_.ONTOLOGY  # a member of an enumeration, made from its value
_.RELEASE  # the same
_.DEFAULT  # the same
_.GRAPH  # the same
_.SELECT  # the same
_.on_headers_complete  # httptools calls it on uvicorn's protocol
_.collect_usage_pieces  # typer calls it on a command
_.format_options  # the same
_.list_commands  # the same
_.commands  # typer compares a misspelt command with it
live  # twingraph.cli.progress calls it by its name
_.readinto  # io.BufferedReader calls it
_.StartElementHandler  # expat calls it
_.EndElementHandler  # the same
_.StartNamespaceDeclHandler  # the same
_.EndNamespaceDeclHandler  # the same
_.EntityDeclHandler  # the same
_.SkippedEntityHandler  # the same
_.XmlDeclHandler  # the same
