"""``twingraph verify`` and ``twingraph prune``: the releases that there are."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from twingraph.check.reports.text_report import plural
from twingraph.cli.options import progress, say, settings
from twingraph.errors import NoReleaseError, ReleaseError, UnknownNameError
from twingraph.exit_codes import ExitCode
from twingraph.release.archive import Archive, faults, prunable, size


def verify_command(
    context: typer.Context,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[RELEASE]...", help="Releases; all without any.")
    ] = None,
) -> None:
    """Compare the files of releases with their digests and counts. Ends with 1 when one is damaged.

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
    with progress("Verifying"):
        for identifier in names or known:
            damaged += _verify(archive, identifier)
    current = archive.current_id()
    if not names and current not in known:
        typer.echo(f"current: there is no release {current}" if current else "current: names no release")
        damaged += 1
    raise typer.Exit(ExitCode.NOT_CONFORMING if damaged else ExitCode.OK)


def prune_command(
    context: typer.Context,
    keep: Annotated[int, typer.Option(min=1, metavar="N", help="Keep the newest N releases.")],
    older_than: Annotated[
        int | None, typer.Option(min=0, metavar="DAYS", help="Remove only those whose date is so many days ago.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False,
) -> None:
    """Remove old releases, never the current one, and print which.

    Example: twingraph prune --keep 5 --older-than 30 --dry-run
    """
    archive = Archive(settings(context).releases)
    before = None if older_than is None else datetime.now(UTC) - timedelta(days=older_than)
    with archive.locked():
        chosen = prunable(archive, keep, before)
        freed = 0
        for identifier in chosen:
            freed += size(archive.directory / identifier)
            if not dry_run:
                archive.remove(identifier)
            typer.echo(identifier)
    verb = "Would remove" if dry_run else "Removed"
    say(f"{verb} {plural(len(chosen), 'release')}, {freed:,} bytes.")


def _verify(archive: Archive, identifier: str) -> bool:
    """Print what is wrong with a release, or that it is whole; tell whether something is wrong."""
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
        typer.echo(f"{identifier}: whole, {plural(release.manifest.quads, 'quad')}")
        if not release.has_store_digests:
            say(f"{identifier}: the files of its store have no digests, and were not looked at")
    return found
