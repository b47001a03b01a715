"""``twingraph check``."""

from pathlib import Path
from typing import Annotated

import typer

from twingraph.check.reports import REPORTS
from twingraph.check.run import check, restricted_to
from twingraph.cli.options import progress, settings
from twingraph.errors import UnknownNameError
from twingraph.exit_codes import ExitCode
from twingraph.publication.assembly import assemble


def check_command(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None, typer.Argument(metavar="[PATH]...", help="Report only on these files and folders.")
    ] = None,
    format_: Annotated[str, typer.Option("--format", "-f", help=f"One of {', '.join(REPORTS)}.")] = "text",
    examples: Annotated[bool, typer.Option("--examples", help="Check the examples of the shapes too.")] = False,
) -> None:
    """Check the publication: syntax, shapes, evidence, IRIs, saved queries. Ends with 1 when it does not conform.

    Example: twingraph check data/sources --format sarif
    """
    if format_ not in REPORTS:
        raise UnknownNameError("format", format_, REPORTS)
    chosen = settings(context)
    with progress("Checking"):
        assembly = assemble(chosen)
        result = check(assembly, examples=examples)
    if paths:
        result = restricted_to(result, assembly.publication, paths)
    typer.echo(REPORTS[format_](result, chosen.iris).rstrip("\n"))
    raise typer.Exit(ExitCode.OK if result.conforms else ExitCode.NOT_CONFORMING)
