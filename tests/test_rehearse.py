"""Rehearsals: what a harvester complains about is said with what to change, and the exit code is for CI."""

import re
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest

from running import serving, twingraph
from twingraph.catalogue.profiles import PROFILES, VOID
from twingraph.rehearsal.profiles import HARVESTERS, visit
from twingraph.rehearsal.visiting import Visitor

BASE = "https://lights.example/"


@contextmanager
def changed(address, change):
    """Serve what a server sends, changed by ``change``, which takes the path, status, fields and body."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            with httpx.Client(base_url=address, trust_env=False) as http:
                fields = {name: value for name, value in self.headers.items() if name.lower() in ("accept", "range")}
                answer = http.request(self.command, self.path, headers=fields)
            kept = {
                name: answer.headers[name] for name in ("content-type", "location", "link") if name in answer.headers
            }
            status, fields, body = change(self.path, answer.status_code, kept, answer.content)
            self.send_response(status)
            for name, value in fields.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def complaints(address, change, profile):
    with changed(address, change) as url:
        return [str(one) for one in visit(profile, Visitor(url, BASE))]


def in_body(path, old, new):
    def change(asked, status, fields, body):
        return status, fields, body.replace(old, new) if re.search(path, asked) else body

    return change


def test_there_is_a_harvester_for_each_profile():
    assert list(HARVESTERS) == [*(profile.token for profile in PROFILES), VOID]


def test_a_published_catalogue_pleases_the_portal_that_takes_one_document(publication, address):
    done = twingraph(publication.directory, "rehearse", "dcat-ap-se", "--url", address)
    assert (done.returncode, done.stdout) == (0, "dcat-ap-se: nothing to complain about\n")
    assert f"Addresses under {BASE} are fetched from {address}/." in done.stderr


@pytest.mark.parametrize(
    ("profile", "change", "expected"),
    [
        (
            "dcat-ap",
            in_body(r"all\.ttl", b"Holm", b"Halm"),
            r"error: <.*/all\.ttl> does not match its checksum; build the release again",
        ),
        (
            "dcat-ap",
            in_body(r"all\.trig", b"}", b""),
            r"error: <.*/all\.trig> does not parse as trig: .*",
        ),
        (
            "dcat-ap",
            in_body(r"all\.rdf", b"</rdf:RDF>", b""),
            r"error: <.*/all\.rdf> has \d+ bytes, not \d+",
        ),
        (
            "dcat-ap",
            lambda path, status, fields, body: (status, {**fields, "content-type": "text/plain"}, body),
            r"error: catalog is sent as text/plain, not text/turtle",
        ),
        (
            "dcat-ap",
            lambda path, status, fields, body: (HTTPStatus.NOT_FOUND if "all.ttl" in path else status, fields, body),
            r"error: <.*/all\.ttl> answers 404",
        ),
        (
            "dcat-ap",
            in_body("catalog", b"dcterms:license", b"dcterms:rights"),
            r"warning: the Catalog <.*> has no license; set licence in twingraph\.toml",
        ),
        (
            "dcat-ap",
            in_body(r"catalog\.ttl", b" .\n", b" .\n<https://lights.example/x> <https://lights.example/y> 1 .\n"),
            r"error: the syntaxes of the catalogue differ: \d+, \d+ statements",
        ),
        (
            "dcat-ap",
            in_body("sparql", b"true", b"false"),
            r"error: <https://lights\.example/sparql> does not answer ASK \{\} with true in JSON",
        ),
        (
            "dcat-ap-se",
            in_body("catalog", b"http://creativecommons", b"https://creativecommons"),
            r"error: the licence of <.*> begins with https; dataportal\.se wants the http form",
        ),
        (
            "dcat-ap-se",
            in_body("catalog", b"vcard:hasEmail", b"vcard:hasNote"),
            r"error: the Organization <.*> has no hasEmail; set catalogue\.contact_email in twingraph\.toml",
        ),
        (
            "dcat-ap-se",
            in_body("catalog", b"</rdf:RDF>", b""),
            r"error: catalog\.rdf\?profile=dcat-ap-se does not parse as RDF/XML: .*",
        ),
        (
            "schema.org",
            in_body("/$", b"application/ld+json", b"application/json"),
            r"error: the home page has 0 descriptions in JSON-LD instead of one",
        ),
        (
            "schema.org",
            in_body("/$", b'"keywords"', b'"words"'),
            r"warning: the dataset has no keywords; set catalogue\.keywords in twingraph\.toml",
        ),
        (
            "void",
            in_body("void", b"void:sparqlEndpoint", b"void:feature"),
            r"error: VoID names no SPARQL endpoint",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_what_to_change(address, profile, change, expected):
    found = complaints(address, change, profile)
    assert any(re.fullmatch(f"{expected}.*", one) for one in found), found


def test_more_redirects_than_one_are_an_error(address):
    def change(path, status, fields, body):
        if path.startswith("/release/") and "again" not in path:
            return 307, {"location": f"{path}?again"}, b""
        if path.endswith("?again"):
            return 307, {"location": f"{path}&again=2"}, b""
        return status, fields, body

    found = complaints(address, change, "dcat-ap-se")
    assert any("is redirected 2 times; let it lead to its end in one step" in one for one in found), found


def test_redirects_without_end_are_an_error(address):
    found = complaints(address, lambda path, *_: (307, {"location": path}, b""), "dcat-ap-se")
    assert "error: <catalog.rdf?profile=dcat-ap-se> answers 307" in found


def test_a_server_that_does_not_answer_is_one_line(publication):
    done = twingraph(publication.directory, "rehearse", "--url", "http://127.0.0.1:9/")
    assert done.returncode == 3
    assert re.fullmatch(r"twingraph: .*Connection refused.*\n", done.stderr)


def test_an_unknown_profile_is_one_line(publication):
    done = twingraph(publication.directory, "rehearse", "dcat")
    assert done.returncode != 0
    assert "there is no profile 'dcat'; did you mean dcat-ap" in done.stderr


def test_a_server_of_something_else_is_one_line(publication, address):
    with changed(address, lambda *_: (200, {"content-type": "text/html"}, b"<html>")) as url:
        done = twingraph(publication.directory, "rehearse", "--url", url)
    assert done.returncode == 3
    assert re.fullmatch(r"twingraph: .*is no catalogue in Turtle: .*\n", done.stderr)


def test_errors_make_the_exit_code_one(built):
    built.edit("twingraph.toml", 'contact_email = "office@lights.example"\n', "")
    assert twingraph(built.directory, "build").returncode == 0
    with serving(built.directory) as address:
        done = twingraph(built.directory, "rehearse", "dcat-ap-se", "--url", address)
    assert done.returncode == 1
    assert "has no hasEmail; set catalogue.contact_email in twingraph.toml" in done.stdout
