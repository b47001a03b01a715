"""The first files of a publication, from templates or from data; nothing that exists is overwritten."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from twingraph.errors import PublicationError
from twingraph.publication.files import Publication
from twingraph.publication.loose_files import settings_of_files
from twingraph.publication.reading import read
from twingraph.settings_layers import FILE_NAME
from twingraph.starter.drafting import drafted_shapes, drafted_terms, observed

# What licences of open data are usually called.
LICENCES: Mapping[str, str] = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "ODbL-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
}
_GRAPHS = """
[[graphs]]
files = "ontology/**"
graph = "graph/ontology"
[[graphs]]
files = "data/**"
graph = "graph/{stem}"
"""
_QUERY = """#+ title: The classes and how many things each has
#+ description: Every class with the number of its things, the largest first.
#+ rows: 1
SELECT ?class (COUNT(DISTINCT ?thing) AS ?things)
WHERE { ?thing a ?class }
GROUP BY ?class
ORDER BY DESC(?things) ?class
"""


@dataclass(frozen=True, slots=True)
class Answers:
    """What a publication is to be: its base IRI, title, languages, and the IRI of its licence, None for none."""

    base_iri: str
    title: str
    languages: tuple[str, ...]
    licence: str | None


def default_base(directory: Path) -> str:
    """Return a base IRI to begin with, of a domain that nobody has (RFC 2606, section 2)."""
    slug = re.sub(r"[^a-z0-9]+", "-", directory.name.lower()).strip("-")
    return f"https://{slug or 'publication'}.example/"


def starter_files(answers: Answers) -> dict[str, bytes]:
    """Return path and content of each file of a small publication that checks, builds and serves."""
    values = {
        "base": _toml(answers.base_iri),
        "languages": _toml(list(answers.languages)),
        "licence": _licence(answers.licence),
        "title": f"{_toml(answers.languages[0])} = {_toml(answers.title)}",
        "language": answers.languages[0],
        "tag": "@en" if "en" in answers.languages else "",
    }
    return {path: _filled(text, values).encode() for path, text in _templates(files(__package__) / "templates", "")}


def files_from_data(answers: Answers, data: Sequence[Path]) -> dict[str, bytes]:
    """Return path and content of each file of a publication of these data, with draft shapes.

    Raises PublicationError when a file is not there or does not parse.
    """
    settings, _ = settings_of_files(data, base_iri=answers.base_iri)
    publication = Publication(settings)
    reading = read(publication)
    for finding in reading.findings:
        raise PublicationError(str(finding.location), finding.message)
    seen, iris = observed(reading.lines), settings.iris
    copies = {f"data/{_below(file.path, data)}": file.path.read_bytes() for file in publication.rdf_files}
    terms = drafted_terms(seen, iris)
    return {
        FILE_NAME: _settings_of_data(answers, settings.prefixes).encode(),
        **({"ontology/drafts.ttl": terms.encode()} if terms else {}),
        "shapes/drafts.ttl": drafted_shapes(seen, iris).encode(),
        "queries/classes.rq": _QUERY.encode(),
        **copies,
    }


def write_files(directory: Path, contents: Mapping[str, bytes]) -> None:
    """Write new files into a directory; raises PublicationError when one of them exists, and then writes none."""
    for path in contents:
        if (directory / path).exists() or (directory / path).is_symlink():
            raise PublicationError(str(directory / path), "exists already; nothing was written")
    for path, content in contents.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("xb") as new:
            new.write(content)


def _settings_of_data(answers: Answers, prefixes: Mapping[str, str]) -> str:
    lines = [
        "# Written by `twingraph init --from`; `twingraph config` shows each effective value and where it comes from.",
        f"base_iri = {_toml(answers.base_iri)}",
        f"languages = {_toml(list(answers.languages))}",
        _licence(answers.licence),
        "",
        "[title]",
        f"{_toml(answers.languages[0])} = {_toml(answers.title)}",
        "",
        "[prefixes]",
        *(f"{_toml(prefix)} = {_toml(namespace)}" for prefix, namespace in sorted(prefixes.items())),
    ]
    return "\n".join(lines) + "\n" + _GRAPHS


def _licence(iri: str | None) -> str:
    return f"licence = {_toml(iri)}" if iri else f'# licence = "{LICENCES["CC-BY-4.0"]}"'


def _toml(value: str | list[str]) -> str:
    # Strings and lists of them are the same in JSON, but for one control character that JSON leaves as it is.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _filled(text: str, values: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: values[match[1]], text)


def _templates(folder: Traversable, path: str) -> list[tuple[str, str]]:
    found = []
    for each in sorted(folder.iterdir(), key=lambda each: each.name):
        name = f"{path}{each.name}"
        found += _templates(each, f"{name}/") if each.is_dir() else [(name, each.read_text(encoding="utf-8"))]
    return found


def _below(file: Path, data: Sequence[Path]) -> str:
    """Return the path of a file below the folder that was named, or its name when it was named itself."""
    tops = (path.absolute() for path in data if path.is_dir())
    top = next((path for path in tops if file.is_relative_to(path)), file.parent)
    return file.relative_to(top).as_posix()
