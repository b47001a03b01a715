"""Fetching as a harvester does: with a limit of time and size, and with an account of each redirect."""

import hashlib
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from pathlib import Path
from typing import IO, Any
from urllib.parse import urljoin

from twingraph.errors import EndpointError

_SECONDS = 60
_CHUNK_BYTES = 1 << 18
_MAX_DOCUMENT = 64_000_000
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Answer:
    """A response after redirects: where it came from, its status, media type, other fields and body."""

    url: str
    status: int
    media_type: str
    headers: Message
    body: bytes = b""
    redirects: int = 0


@dataclass(frozen=True, slots=True)
class Download:
    """A file that was fetched: its answer, size and SHA-256."""

    answer: Answer
    path: Path
    size: int
    sha256: str


@dataclass
class Visitor:
    """Fetches addresses, those below ``public`` from the server at ``url``; both end with ``/``."""

    url: str
    public: str = ""
    fetched: int = field(default=0, init=False)

    def get(self, address: str, accept: str = "*/*", method: str = "GET", **fields: str) -> Answer:
        """Return the response; raises EndpointError when there is none, or one that is far too long."""
        with self._open(address, {"Accept": accept, **fields}, method) as (answer, stream):
            body = stream.read(_MAX_DOCUMENT + 1)
            if len(body) > _MAX_DOCUMENT:
                raise EndpointError(answer.url, f"more than {_MAX_DOCUMENT:,} bytes")
            return Answer(answer.url, answer.status, answer.media_type, answer.headers, body, answer.redirects)

    @contextmanager
    def download(self, address: str) -> Iterator[Download]:
        """Fetch a file to disk, and remove it at the end; raises EndpointError."""
        with tempfile.TemporaryDirectory(prefix="twingraph-") as directory:
            path, digest, size = Path(directory) / "file", hashlib.sha256(), 0
            with self._open(address, {"Accept": "*/*"}, "GET") as (answer, stream), path.open("wb") as file:
                while piece := stream.read(_CHUNK_BYTES):
                    digest.update(piece)
                    size += len(piece)
                    file.write(piece)
            yield Download(answer, path, size, digest.hexdigest())

    def _here(self, address: str) -> str:
        if self.public and address.startswith(self.public):
            return self.url + address.removeprefix(self.public)
        return address

    @contextmanager
    def _open(self, address: str, fields: dict[str, str], method: str) -> Iterator[tuple[Answer, IO[bytes]]]:
        """Follow redirects and open the last response."""
        url, redirects = self._here(urljoin(self.url, address)), 0
        while True:
            self.fetched += 1
            response = _request(url, fields, method)
            with response:
                location = response.headers.get("Location", "")
                if response.status in _REDIRECTS and location and redirects < 10:
                    url, redirects = self._here(urljoin(url, location)), redirects + 1
                    continue
                media_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
                try:
                    yield Answer(url, response.status, media_type, response.headers, b"", redirects), response
                except (OSError, ValueError) as error:
                    raise EndpointError(url, f"breaks off: {error}") from error
                return


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, so that each can be counted."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def _request(url: str, fields: dict[str, str], method: str) -> Any:
    opener = urllib.request.build_opener(_Stay)
    try:
        return opener.open(urllib.request.Request(url, headers=fields, method=method), timeout=_SECONDS)
    except urllib.error.HTTPError as error:
        return error
    except (urllib.error.URLError, OSError, ValueError) as error:
        raise EndpointError(url, str(getattr(error, "reason", error)) or type(error).__name__) from error
