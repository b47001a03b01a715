"""Parameters of an address or a form (``application/x-www-form-urlencoded``), decoded without holding others up."""

import asyncio
from http import HTTPStatus
from urllib.parse import unquote_to_bytes

from twingraph.errors import RequestError

FORM = "application/x-www-form-urlencoded"
# The SPARQL Protocol knows four parameters; nobody names more graphs than this.
MAX_FIELDS = 1000
# Decoding so many bytes takes a few milliseconds at worst; others are answered before the next.
_SLICE = 32_768


async def parameters(encoded: bytes) -> list[tuple[str, str]]:
    """Return the names and values of an address or a form, in their order, those without a value too.

    Raises RequestError when there are far too many, or they are not UTF-8.
    """
    if encoded.count(b"&") >= MAX_FIELDS:
        raise RequestError(HTTPStatus.BAD_REQUEST, f"there are more than {MAX_FIELDS} parameters")
    pairs = (pair.partition(b"=") for pair in encoded.split(b"&") if pair)
    return [(await _decoded(name), await _decoded(value)) for name, _, value in pairs]


async def _decoded(text: bytes) -> str:
    text = text.replace(b"+", b" ")
    if b"%" in text:
        text = unquote_to_bytes(text) if len(text) <= _SLICE else await _unescaped_in_slices(text)
    try:
        return text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RequestError(HTTPStatus.BAD_REQUEST, f"the parameters are not UTF-8: {error.reason}") from error


async def _unescaped_in_slices(text: bytes) -> bytes:
    slices, start = [], 0
    while start < len(text):
        end = start + _SLICE
        # An escape is not divided.
        end -= next((back for back in (1, 2) if text[end - back : end - back + 1] == b"%"), 0)
        slices.append(unquote_to_bytes(text[start:end]))
        start = end
        await asyncio.sleep(0)
    return b"".join(slices)
