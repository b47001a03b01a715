"""Examples of shapes, checks and rules: small files of RDF that show what each of them finds or derives.

``{name}/{kind}-*.ttl`` (or ``.trig``) is an example of the shape, check or rule called ``name``, in the folder
``examples`` beside it. Lines at its top that begin with ``#+`` state what is expected. Each example is added to the
ontology, without other data.

- A shape has ``valid-*``, which conforms, and ``invalid-*``, which has one result and names its constraint component
  with ``#+ fails:`` and its path, if it has one, with ``#+ path:`` as SPARQL or Turtle writes it: ``p``, ``^p``,
  ``[ sh:inversePath p ]``. Only that shape is evaluated, at those of its focus nodes that are in the example.
- A check has ``valid-*``, for which it returns no row, and ``invalid-*``, which names with ``#+ finds:`` the entity of
  each row that it returns.
- A rule has ``applies-*.trig``, in which the graph of derived statements is all that the rule derives from the rest,
  and ``ignores-*``, from which it derives nothing.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from twingraph.errors import IriError, LimitError, QueryError, StoreError, WorkerLostError
from twingraph.findings import Finding, Location
from twingraph.publication.files import Publication
from twingraph.publication.reading import FileParser
from twingraph.publication.working_store import stopped
from twingraph.rdf.nquads import NQuads, NQuadsWriter

_HEADER = re.compile(r"^#\+\s*(?P<name>\w+):\s*(?P<value>.*?)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Example:
    """An example's path relative to the publication, its text and its statements."""

    path: str
    text: str
    quads: NQuads

    @property
    def subject(self) -> str:
        """The name of the shape, check or rule that it is an example of, which is its folder's name."""
        return self.path.split("/")[-2]

    @property
    def kind(self) -> str:
        """The word that its file name begins with, such as ``valid`` or ``invalid``."""
        return self.path.rpartition("/")[2].partition("-")[0]

    @cached_property
    def header(self) -> dict[str, str]:
        """The entries of its ``#+`` lines."""
        return {match["name"]: match["value"] for match in _HEADER.finditer(self.text)}


def read_examples(publication: Publication, paths: Iterable[Path]) -> tuple[list[Example], list[Finding]]:
    """Return the examples in these files, and findings for files that do not parse."""
    examples, findings, parser = [], [], FileParser(publication)
    for path in paths:
        parsed = parser.parse(path, "", NQuadsWriter())
        if isinstance(parsed, Finding):
            findings.append(parsed)
        else:
            examples.append(Example(parsed.path, parser.source(path).text(), parsed.quads))
    return examples, findings


@dataclass(frozen=True, slots=True)
class Subjects:
    """What examples are of: the ``noun`` for it, the names, the two kinds of examples that each must have.

    ``problem`` returns what is wrong with an example, or None; ``missing`` the finding that a name lacks a kind. When
    ``problem`` exceeds a limit, which for time is the setting ``seconds``, the finding is one of the rule ``limited``.
    """

    noun: str
    names: tuple[str, ...]
    kinds: tuple[str, str]
    problem: Callable[[Example], str | None]
    missing: Callable[[str, str], Finding]
    limited: str = "query/limit"
    seconds: str = "query_seconds"


def check_examples(subjects: Subjects, examples: Iterable[Example]) -> Iterator[Finding]:
    """Yield the examples that do not show what they state, and the names that lack a kind of example.

    A subject that exceeds a limit is not tried with the rest of its examples.
    """
    seen, given_up = set(), set()
    for example in examples:
        seen.add((example.subject, example.kind))
        if example.subject in given_up:
            continue
        finding = _finding(subjects, example)
        if finding:
            yield finding
            if finding.rule == subjects.limited:
                given_up.add(example.subject)
    for name in subjects.names:
        for kind in subjects.kinds:
            if (name, kind) not in seen:
                yield subjects.missing(name, kind)


def _finding(subjects: Subjects, example: Example) -> Finding | None:
    if example.subject not in subjects.names:
        return _wrong(example, f"there is no {subjects.noun} {example.subject}", "rename the folder")
    if example.kind not in subjects.kinds:
        return _wrong(example, f"its name begins with neither {' nor '.join(subjects.kinds)}", "rename the file")
    try:
        message = subjects.problem(example)
    except (LimitError, WorkerLostError) as error:
        reason = stopped(f"{subjects.noun} {example.subject}", error, subjects.seconds)
        message, remedy = f"with this example {reason}", f"make the {subjects.noun} cheaper, or raise the limit"
        place = Location(example.path, 1)
        return Finding(subjects.limited, message, f"{remedy}; its other examples were not tried", location=place)
    except (QueryError, IriError, StoreError) as error:
        message = str(error)
    correct = f"correct the example, or the {subjects.noun} if that is wrong"
    return _wrong(example, message, correct) if message else None


def _wrong(example: Example, message: str, remedy: str) -> Finding:
    return Finding("example/wrong", message, remedy, location=Location(example.path, 1))
