"""The tokens of JSON, in linear time even for text that is malformed, which the engine's parser reports."""

import json
import re
from collections.abc import Iterator

_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[\[\]{}:,]|[^\s"\[\]{}:,]++', re.DOTALL)


def tokens(text: str) -> Iterator[re.Match[str]]:
    """Yield each string, mark, number and word of a text."""
    return _TOKEN.finditer(text)


def string(token: str) -> str:
    """Return what a token that is a string stands for, as it is written when it is malformed."""
    if "\\" not in token:
        return token[1:-1]
    try:
        return str(json.loads(token, strict=False))
    except ValueError:
        return token
