"""``twingraph locate``: a help for those who write passages."""

from typing import Annotated

import typer

from twingraph.cli.coverage import find_coverages
from twingraph.cli.options import settings
from twingraph.errors import PublicationError
from twingraph.publication.evidence import locate


def locate_command(
    context: typer.Context,
    document: Annotated[str, typer.Argument(help="The document's slug, prefixed name or file name.")],
    words: Annotated[str, typer.Argument(help="Words of the document; white space may differ.")],
) -> None:
    """Print start and end of each place where words stand in a source document.

    Example: twingraph locate 001 "signed an agreement"
    """
    chosen = settings(context)
    cover = find_coverages(chosen, [document])[0]
    name = cover.document.file_name
    if cover.text is None:
        raise PublicationError(str(chosen.source_archive / name), "the source archive does not hold it")
    places = locate(words, cover.text)
    if not places:
        raise PublicationError(name, f"does not hold {words!r}")
    for start, end in places:
        typer.echo(f"{start} {end}")
