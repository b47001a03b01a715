"""``twingraph prune``."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from twingraph.check.reports.text_report import plural
from twingraph.cli.options import say, settings
from twingraph.release.archive import Archive, prunable, size


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
