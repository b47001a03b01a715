"""``twingraph check``."""

from pathlib import Path
from typing import Annotated

import typer

from twingraph.check.reports import REPORTS
from twingraph.check.reports.selection import TEXT_LIMIT, select
from twingraph.check.run import check, restricted_to
from twingraph.cli.config import settings
from twingraph.cli.loose_files import has_settings, loose_settings
from twingraph.cli.options import chosen_format, common
from twingraph.cli.progress import progress
from twingraph.errors import ExitCode, UnknownNameError
from twingraph.publication.assembly import assemble

_Rules = Annotated[
    list[str] | None,
    typer.Option("--rule", metavar="RULE", help="List only findings of this rule, such as `iri`; repeatable."),
]
_Limit = Annotated[
    int | None, typer.Option(min=0, metavar="N", help=f"List at most N findings of each rule; as text, {TEXT_LIMIT}.")
]
_Shapes = Annotated[
    list[Path] | None,
    typer.Option(
        "--shapes", metavar="PATH", help="Validate PATH by these shapes, whatever twingraph.toml says; repeatable."
    ),
]


def check_command(
    context: typer.Context,
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH", help="Report only on these files and folders; without twingraph.toml, check them."
        ),
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", "-f", metavar="FORMAT", help=f"One of {', '.join(REPORTS)}.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    rule: _Rules = None,
    limit: _Limit = None,
    all_: Annotated[bool, typer.Option("--all", help="List all findings.")] = False,
    examples: Annotated[
        bool, typer.Option("--examples", help="Also check the examples of shapes, checks and rules.")
    ] = False,
    shapes: _Shapes = None,
    base_iri: Annotated[
        str | None,
        typer.Option("--base-iri", metavar="IRI", help="Use this base IRI instead of the settings' or a guess."),
    ] = None,
) -> None:
    """Check the publication: syntax, shapes, evidence, IRIs, saved queries. Exits with 1 if it does not conform.

    In a directory without twingraph.toml, or with --shapes, check files by syntax, datatypes and shapes alone.

    Example: twingraph check data/sources --format sarif

    Example: twingraph check some.ttl --shapes shapes.ttl
    """
    chosen = chosen_format(format_, json=as_json) or "text"
    if chosen not in REPORTS:
        raise UnknownNameError("format", chosen, REPORTS)
    is_loose = bool(shapes) or bool(paths and not has_settings(common(context).directory))
    loose = (paths or [], shapes or [])
    of = loose_settings(context, *loose, base_iri=base_iri) if is_loose else settings(context, base_iri=base_iri)
    with progress(context, "Checking") as observer:
        assembly = assemble(of, observer=observer)
        result = check(assembly, examples=examples, observer=observer)
    if paths and not is_loose:
        result = restricted_to(result, assembly.publication, paths)
    default = TEXT_LIMIT if chosen == "text" else None
    result = select(result, rule or (), None if all_ else default if limit is None else limit)
    typer.echo(REPORTS[chosen](result, of.iris).rstrip("\n"))
    raise typer.Exit(ExitCode.OK if result.conforms else ExitCode.NOT_CONFORMING)
