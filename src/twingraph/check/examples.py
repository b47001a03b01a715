"""Examples of what shapes, checks and rules do: small files of RDF in one folder for each, found by their names.

``{name}/{kind}-*.ttl`` (or ``.trig``) is an example of the shape, check or rule called ``name``. Lines at its top that
begin with ``#+`` say what is expected of it.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pyoxigraph as ox

from twingraph.findings import Finding, Location
from twingraph.publication.files import Publication, parse_file, read_text
from twingraph.rdf.nquads import NQuadsWriter

_HEADER = re.compile(r"^#\+\s*(?P<name>\w+):\s*(?P<value>.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """An example's path relative to the publication, its text and its statements."""

    path: str
    text: str
    quads: tuple[ox.Quad, ...]

    @property
    def subject(self) -> str:
        """The name of the shape, check or rule that it is an example of: its folder's name."""
        return self.path.split("/")[-2]

    @property
    def kind(self) -> str:
        """What it is an example of: the word that its file's name begins with, such as ``valid`` or ``invalid``."""
        return self.path.rpartition("/")[2].partition("-")[0]

    @cached_property
    def header(self) -> dict[str, str]:
        """The entries of its ``#+`` lines."""
        return {match["name"]: match["value"] for match in _HEADER.finditer(self.text)}

    def wrong(self, message: str, remedy: str) -> Finding:
        """Return the finding that the example does not show what it says."""
        return Finding("example/wrong", message, remedy, location=Location(self.path, 1))


def read_examples(publication: Publication, paths: Iterable[Path]) -> tuple[list[Example], list[Finding]]:
    """Return the examples in these files, and the findings about files that do not parse."""
    examples, findings = [], []
    for path in paths:
        name = publication.relative(path)
        try:
            quads = parse_file(path, name, publication.settings.base_iri, "", NQuadsWriter()).quads
        except SyntaxError as error:
            place = Location(name, error.lineno, error.offset)
            findings.append(Finding("syntax", str(error), "mend the syntax of the example", location=place))
            continue
        examples.append(Example(name, read_text(path, name), tuple(quads)))
    return examples, findings
