"""``twingraph init``."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from twingraph.cli.options import common, print_note
from twingraph.errors import SettingsError
from twingraph.publication.loose_files import settings_of_files
from twingraph.settings import settings_from
from twingraph.starter.writing import LICENCES, Answers, default_base, files_from_data, starter_files, write_files
from twingraph.tables import plural


def init_command(
    context: typer.Context,
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where to write it; by default the publication's directory.")
    ] = None,
    base_iri: Annotated[
        str | None, typer.Option("--base-iri", metavar="IRI", help="What every IRI begins with; it ends with /.")
    ] = None,
    title: Annotated[str | None, typer.Option("--title", metavar="TEXT", help="The publication's title.")] = None,
    languages: Annotated[
        str | None, typer.Option("--languages", metavar="TAGS", help="Languages of labels, as in en,sv.")
    ] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", metavar="IRI", help=f"An IRI, or one of {', '.join(LICENCES)}.")
    ] = None,
    data: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="FILE", help="Start from data, with shapes drafted from them; repeatable."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Ask nothing; take the defaults of what is not given.")
    ] = False,
) -> None:
    """Write a small publication that checks, builds and serves, to start from. Nothing is overwritten.

    Asks for what no option says, if the input is a terminal.

    Example: twingraph init trees --title "Our trees" --yes

    Example: twingraph init catalogue --from data.ttl
    """
    target = (directory or common(context).directory).absolute()
    asks = sys.stdin.isatty() and not yes
    guess = settings_of_files(data)[0].base_iri if data and base_iri is None else default_base(target)
    base = _answer(asks, "Base IRI", base_iri, guess)
    answers = Answers(
        base_iri=base if base.endswith(("/", "#")) else f"{base}/",
        title=_answer(asks, "Title", title, target.name.replace("-", " ").capitalize() or "Publication"),
        languages=tuple(tag.strip() for tag in _answer(asks, "Languages", languages, "en").split(",") if tag.strip()),
        licence=_licence(_answer(asks, f"Licence (an IRI, {', '.join(LICENCES)}, or empty)", licence, "")),
    )
    _refuse_wrong(answers, target)
    contents = files_from_data(answers, data) if data else starter_files(answers)
    write_files(target, contents)
    for path in contents:
        typer.echo(target / path)
    print_note(context, f"Wrote {plural(len(contents), 'file')}. Next:")
    option = "" if target == Path.cwd() else f" -C {directory or common(context).directory}"
    for step in ("check --examples", "serve"):
        print_note(context, f"  twingraph{option} {step}")


def _answer(asks: bool, question: str, given: str | None, default: str) -> str:
    if given is not None:
        return given
    return str(typer.prompt(question, default=default, show_default=bool(default))) if asks else default


def _licence(answer: str) -> str | None:
    known = {name.lower(): iri for name, iri in LICENCES.items()}
    return known.get(answer.strip().lower(), answer.strip()) or None


def _refuse_wrong(answers: Answers, target: Path) -> None:
    """Raise SettingsError for an answer that no setting may have."""
    if not answers.languages:
        raise SettingsError("command line", "languages", "name at least one, as in --languages en")
    values = {"title": {answers.languages[0]: answers.title}}
    given = {"base_iri": answers.base_iri, "languages": answers.languages, "licence": answers.licence}
    settings_from(values, {"directory": target}, **given)
