"""Header fields, forms and conditions of requests: read as HTTP says, in one pass, and within bounds."""

import asyncio
from http import HTTPStatus
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twingraph.errors import RequestError
from twingraph.server.http.headers import MAX_BYTES, MAX_MEMBERS, accepts_gzip, precondition, weighted
from twingraph.server.http.request import MAX_FIELDS, parameters

HOSTILE = [
    '"\\',
    '"',
    "\\",
    '"\\"',
    'a="',
    ";",
    "=",
    " ",
    "\t",
    "q=",
    ";q=",
    "q = ",
    "*/",
    "0.",
    '";',
    "é",
    "q=0.0",
    '"a',
    ";a",
]


@pytest.mark.parametrize("shape", HOSTILE)
def test_a_field_is_read_or_refused_whatever_is_in_it(shape):
    assert weighted((shape * MAX_BYTES)[:MAX_BYTES]) is not None


def test_a_field_with_a_quote_that_does_not_end_is_read_to_its_end():
    assert [one.value for one in weighted('text/csv, text/html;a="b, text/turtle')] == ["text/csv", "text/html"]


@pytest.mark.parametrize("field", ["a" * (MAX_BYTES + 1), ",".join(["a"] * (MAX_MEMBERS + 1))])
def test_a_field_beyond_its_bounds_is_refused(field):
    with pytest.raises(RequestError) as caught:
        weighted(field)
    assert caught.value.status == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("gzip", True),
        ("", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*;q=0", False),
        ("*", True),
        ("deflate, br", False),
        ("x-gzip", True),
        ("identity, gzip;q=0.1", True),
        ("notgzip", False),
    ],
)
def test_gzip_is_used_where_it_is_accepted(field, expected):
    assert accepts_gzip(field) is expected


@pytest.mark.parametrize(
    ("method", "field", "exists", "status"),
    [
        ("GET", b'"a"', False, 304),
        ("GET", b'W/"a"', False, 304),
        ("HEAD", b'"x", W/"a"', False, 304),
        ("POST", b'"a"', False, 412),
        ("GET", b"*", False, None),
        ("GET", b"*", True, 304),
        ("POST", b"*", True, 412),
        ("GET", b'"b"', True, None),
        ("GET", b"a", True, None),
        ("GET", b"", True, None),
        ("GET", b'"' * 7000, True, None),
        ("GET", b'"a", ' * 7000, True, None),
    ],
)
def test_if_none_match_means_what_http_says(method, field, exists, status):
    assert precondition(method, field, 'W/"a"', exists=exists) == status


@given(st.lists(st.tuples(st.text(min_size=1, max_size=20), st.text(max_size=20)), max_size=20))
def test_parameters_are_read_as_the_standard_library_reads_them(pairs):
    def escaped(text):
        return "".join(f"%{octet:02x}" if octet % 3 else f"%{octet:02X}" for octet in text.encode())

    encoded = "&".join(f"{escaped(name)}={escaped(value)}" for name, value in pairs)
    assert asyncio.run(parameters(encoded.encode())) == parse_qsl(encoded, keep_blank_values=True) == pairs


@pytest.mark.parametrize("encoded", ["a=b+c&a=%zz%4&b&=x&&%41%4g=%", "q=%", "q=%%%41%", "a==b&c=d=e"])
def test_what_is_no_escape_is_left_as_it_is(encoded):
    assert asyncio.run(parameters(encoded.encode())) == parse_qsl(encoded, keep_blank_values=True)


@pytest.mark.parametrize("shift", range(4))
def test_a_long_value_is_decoded_as_a_short_one_is(shift):
    encoded = "q=" + "x" * shift + "%c3%a9" * 40_000
    assert asyncio.run(parameters(encoded.encode())) == [("q", "x" * shift + "é" * 40_000)]


def test_others_are_answered_while_a_long_value_is_decoded():
    async def turns():
        count, decoding = 0, asyncio.ensure_future(parameters(b"q=" + b"%41" * 300_000))
        while not decoding.done():
            count += 1
            await asyncio.sleep(0)
        return count

    assert asyncio.run(turns()) > 20


def test_too_many_parameters_are_refused():
    with pytest.raises(RequestError, match=str(MAX_FIELDS)):
        asyncio.run(parameters(b"a&" * (MAX_FIELDS + 1)))


def test_parameters_that_are_not_utf_8_are_refused():
    with pytest.raises(RequestError, match="not UTF-8"):
        asyncio.run(parameters(b"q=%ff"))
