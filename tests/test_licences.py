"""What is installed is under licences that let anybody use, change and pass it on."""

import importlib.metadata
import re
from typing import Any

from packaging.requirements import Requirement

PERMISSIVE = re.compile(
    r"\b(MIT|BSD|0BSD|Apache|ISC|Zlib|CC0|PSF|W3C)\b|James Graham",  # html5rdf gives the text of MIT's licence instead
    re.IGNORECASE,
)
# Files under it stay under it when they are changed, which binds nobody who only runs them: for development alone.
FILE_LEVEL = re.compile(r"\bMPL\b")


def licence(name):
    """What a distribution says of its licence: the expression, else its classifiers and its text's first line."""
    metadata: Any = importlib.metadata.metadata(name)
    classifiers = [one for one in metadata.get_all("Classifier") or () if one.startswith("License")]
    return metadata.get("License-Expression") or "; ".join(
        [*classifiers, (metadata.get("License") or "").partition("\n")[0]]
    )


def needed(name, extras=(), found=frozenset()):
    """What a distribution with some extras needs when it runs, itself too."""
    found |= {name}
    for requirement in map(Requirement, importlib.metadata.requires(name) or ()):
        applies = not requirement.marker or any(
            requirement.marker.evaluate({"extra": extra}) for extra in ("", *extras)
        )
        if applies and requirement.name not in found and is_installed(requirement.name):
            found = needed(requirement.name, requirement.extras, found)
    return found


def is_installed(name):
    try:
        return bool(importlib.metadata.distribution(name))
    except importlib.metadata.PackageNotFoundError:
        return False


def test_what_the_program_needs_is_permissive():
    names = needed("twingraph")
    assert len(names) > 25
    assert {name: licence(name) for name in names if not PERMISSIVE.search(licence(name))} == {}


def test_what_developers_need_is_permissive_or_binds_only_its_own_files():
    names = {one.metadata["Name"] for one in importlib.metadata.distributions()}
    assert len(names) > 60
    other = {name: licence(name) for name in names if not PERMISSIVE.search(licence(name))}
    assert {name: text for name, text in other.items() if not FILE_LEVEL.search(text)} == {}
