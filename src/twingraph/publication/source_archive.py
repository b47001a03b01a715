"""The source archive: the directory with the texts of the source documents, which may be missing."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from twingraph.errors import PublicationError
from twingraph.publication.evidence import Document


@dataclass(frozen=True, slots=True)
class SourceArchive:
    """The texts under ``directory``; documents that are not there are None, never an error."""

    directory: Path

    def digest(self, document: Document) -> str | None:
        """Return the SHA-256 of a document's file in hexadecimal, or None when it is not in the archive."""
        content = self._content(document)
        return None if content is None else hashlib.sha256(content).hexdigest()

    def text(self, document: Document) -> str | None:
        """Return a document's text as it is, line ends untouched, or None when it is not in the archive.

        Raises PublicationError when the file is not UTF-8.
        """
        content = self._content(document)
        try:
            return None if content is None else content.decode("utf-8")
        except UnicodeDecodeError as error:
            raise PublicationError(document.file_name, f"not UTF-8 at byte {error.start}") from error

    def _content(self, document: Document) -> bytes | None:
        path = (self.directory / document.file_name).resolve()
        inside = path.is_relative_to(self.directory.resolve())
        return path.read_bytes() if inside and path.is_file() else None
