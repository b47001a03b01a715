"""``twingraph build``, ``verify`` and ``prune``: writing, checking and removing releases."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from twingraph.cli.building import build_with_report
from twingraph.cli.config import settings
from twingraph.cli.loose_files import judged_by_syntax, loose_settings
from twingraph.cli.options import print_note
from twingraph.cli.progress import progress
from twingraph.errors import ExitCode, NoReleaseError, ReleaseError, UnknownNameError
from twingraph.release.archive import Archive, faults, prunable, size
from twingraph.tables import plural


def build_command(
    context: typer.Context,
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Build these files and folders instead of a publication; needs --output."),
    ] = None,
    base_iri: Annotated[
        str | None,
        typer.Option("--base-iri", metavar="IRI", help="Use this base IRI instead of the publication's own."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="Write releases to this directory.")
    ] = None,
) -> None:
    """Check the publication and, if it conforms, write a release and make it the current one.

    Example: twingraph build --base-iri http://127.0.0.1:8000/
    """
    folders = str(output.resolve()) if output else None
    if files:
        if folders is None:
            raise typer.BadParameter("files without settings are built into a directory: give one with --output")
        loose = loose_settings(context, files, base_iri=base_iri, folders__releases=folders)
        built = build_with_report(context, loose, judged_by_syntax)
    else:
        built = build_with_report(context, settings(context, base_iri=base_iri, folders__releases=folders))
    state = "Wrote the release" if built.new else "Nothing has changed since this release"
    print_note(context, f"{state}, {plural(built.release.manifest.quads, 'quad')}; it is the current one:")
    typer.echo(built.release.directory)


def verify_command(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="RELEASE", help="Releases to verify; all by default.")
    ] = None,
) -> None:
    """Compare the files of releases with their digests and counts. Exits with 1 if a release is damaged.

    Example: twingraph verify 20261123T144039Z-3bdf7572b32e
    """
    archive = Archive(settings(context).releases)
    known = archive.ids()
    for name in names or ():
        if name not in known:
            raise UnknownNameError("release", name, known)
    if not known:
        raise NoReleaseError(str(archive.directory))
    damaged = 0
    with progress(context, "Verifying"):
        for identifier in names or known:
            damaged += _is_damaged(context, archive, identifier)
    current = archive.current_id()
    if not names and current not in known:
        typer.echo(f"current: there is no release {current}" if current else "current: names no release")
        damaged += 1
    raise typer.Exit(ExitCode.NOT_CONFORMING if damaged else ExitCode.OK)


def _is_damaged(context: typer.Context, archive: Archive, identifier: str) -> bool:
    """Verify a release, print the result, and return whether it is damaged."""
    try:
        release = archive.get(identifier)
    except ReleaseError as error:
        typer.echo(f"{identifier}: {error}")
        return True
    found = False
    for name, reason in faults(release):
        typer.echo(f"{identifier}/{name}: {reason}")
        found = True
    if not found:
        typer.echo(f"{identifier}: intact, {plural(release.manifest.quads, 'quad')}")
        if not release.has_store_digests:
            print_note(context, f"{identifier}: the files of its store have no digests and were not verified")
    return found


def prune_command(
    context: typer.Context,
    keep: Annotated[int, typer.Option(min=1, metavar="N", help="Keep the newest N releases.")],
    older_than: Annotated[
        int | None, typer.Option(min=0, metavar="DAYS", help="Remove only releases older than this many days.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be removed.")] = False,
) -> None:
    """Remove old releases, but never the current one, and print their names.

    Example: twingraph prune --keep 5 --older-than 30 --dry-run
    """
    archive = Archive(settings(context).releases)
    before = None if older_than is None else datetime.now(UTC) - timedelta(days=older_than)
    with archive.locked():
        old = prunable(archive, keep, before)
        freed = 0
        for identifier in old:
            freed += size(archive.directory / identifier)
            if not dry_run:
                archive.remove(identifier)
            typer.echo(identifier)
    verb = "Would remove" if dry_run else "Removed"
    print_note(context, f"{verb} {plural(len(old), 'release')}, {freed:,} bytes.")
