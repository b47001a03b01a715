"""Suggestions for names that look misspelt."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: str, known: Iterable[str], otherwise: str) -> str:
    """Return a remedy that names the known names nearest to ``name``, or ``otherwise`` when none is near."""
    near = get_close_matches(name, list(known), n=2, cutoff=0.75)
    return f"did you mean {' or '.join(near)}? {otherwise}" if near else otherwise
