"""Writing the dumps of a release in a process of its own, while the publication is checked.

    python -m twingraph.release.dump_writer

reads an order as JSON from standard input and writes to standard output, as JSON too, what has been written.
"""

import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

from pydantic import BaseModel

from twingraph.errors import ReleaseError
from twingraph.processes import command, exit_with_parent
from twingraph.release.dumps import FOLDER, Dump, Order, write_dumps
from twingraph.release.sitemap import write_sitemap
from twingraph.release.void import Counts
from twingraph.settings import Settings


class Written(BaseModel):
    """The dumps, and the files with what a sitemap lists, each with its digest."""

    dumps: tuple[Dump, ...] = ()
    files: dict[str, str] = {}


class DumpWriter:
    """The process, which `begin` starts; it is killed when the context is left."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._directory = Path()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process:
            self._process.kill()
            with self._process:
                pass

    def begin(self, order: Order) -> None:
        """Begin to write; the file of the lines must not change any more."""
        request = order.work / "order.json"
        request.write_text(order.model_dump_json(), encoding="utf-8")
        pipe, self._directory = subprocess.PIPE, order.directory
        with request.open("rb") as stdin:
            self._process = subprocess.Popen(command(__name__), stdin=stdin, stdout=pipe, stderr=pipe)

    def finish(self) -> Written:
        """Wait until everything is written, after `begin`; raises ReleaseError if it could not be."""
        if self._process is None:
            return Written()
        stdout, stderr = self._process.communicate()
        if self._process.returncode:
            lines = stderr.decode(errors="replace").strip().splitlines()
            reason = lines[-1] if lines else f"their writer ended with {self._process.returncode}"
            raise ReleaseError(str(self._directory), f"could not be written: {reason}")
        return Written.model_validate_json(stdout)


def order_of(settings: Settings, counts: Counts, tags: tuple[str, ...], lines: Path, release: Path) -> Order:
    """Return the order for a release in a directory, whose canonical ``lines`` are in a file among the work files."""
    return Order(
        lines=lines.resolve(),
        directory=(release / FOLDER).resolve(),
        work=lines.resolve().parent,
        base=settings.base_iri,
        graphs={graph: tally.triples for graph, tally in counts.graphs.items()},
        prefixes=dict(settings.iris.namespaces),
        tags=tags,
        dumps=settings.dumps,
    )


def main() -> None:
    """Run the process."""
    exit_with_parent()
    order = Order.model_validate_json(sys.stdin.buffer.read())
    try:
        written = Written(dumps=tuple(write_dumps(order)), files=write_sitemap(order))
    except OSError as error:
        sys.exit(str(error))
    sys.stdout.write(written.model_dump_json())


if __name__ == "__main__":
    main()
