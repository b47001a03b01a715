"""The failures that are known, as ``known_failures.toml`` lists them."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("known_failures.toml")
CAUSES = ("engine", "server")


@dataclass(frozen=True)
class KnownFailure:
    """Why a test fails; in all formats where ``formats`` is empty."""

    cause: str
    reason: str
    tests: tuple[str, ...]
    formats: tuple[str, ...] = ()


@cache
def known_failures() -> tuple[KnownFailure, ...]:
    """Return the known failures in the file's order."""
    entries = tomllib.loads(FILE.read_text(encoding="utf-8"))["failures"]
    return tuple(KnownFailure(**{key: _frozen(value) for key, value in entry.items()}) for entry in entries)


def known_failure(test: str, format_: str) -> KnownFailure | None:
    """Return the known failure of a test in a format."""
    return next((one for one in known_failures() if test in one.tests and _concerns(one, format_)), None)


def _concerns(failure: KnownFailure, format_: str) -> bool:
    return not failure.formats or format_ in failure.formats


def _frozen(value: object) -> object:
    return tuple(value) if isinstance(value, list) else value
