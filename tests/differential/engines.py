"""Engines in processes of their own, asked line by line: Jena, and our store, whose engine may end its process.

A line is ``LOAD path`` or ``ASK query``, an answer ``OK kind content`` or ``ERROR class message``, with tabs between
and queries, contents and messages in base 64. An engine that ends, or takes too long, is started anew.
"""

import base64
import select
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from conformance.results import Answer, read_graph, read_json
from jena import class_path

_SECONDS = 30


@dataclass(frozen=True)
class Failure:
    """No answer: the class of the error, ``ended`` or ``too slow``, and what was said."""

    kind: str
    message: str


class Engine:
    """A process that answers queries over one dataset at a time."""

    def __init__(self, command: list[str]) -> None:
        self._command, self._loaded = command, ""
        self._process: subprocess.Popen[str] | None = None

    def load(self, path: Path, mode: str = "") -> None:
        """Take the quads in a file; for our store, as the default graph is to be: ``union`` or ``default``."""
        self._loaded = f"LOAD\t{path}\t{mode}\n"
        answer = self._exchange(self._loaded)
        assert not isinstance(answer, Failure), answer

    def ask(self, text: str) -> Answer | Failure:
        """Return the answer to a query."""
        if self._process is None:
            self._exchange(self._loaded)
        answer = self._exchange(f"ASK\t{_encoded(text)}\n")
        if isinstance(answer, Failure):
            return answer
        kind, content = answer
        return read_graph(content, "nt", "http://e/") if kind == "graph" else read_json(content)

    def close(self) -> None:
        """End the process."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process.stdin.close()
            self._process.stdout.close()
            self._said.close()
        self._process = None

    def _exchange(self, line: str) -> tuple[str, bytes] | Failure:
        if self._process is None:
            self._said = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the process
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self._said}
            self._process = subprocess.Popen(self._command, **pipes, text=True, encoding="utf-8")
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
            ready = select.select([self._process.stdout], [], [], _SECONDS)[0]
            answer = self._process.stdout.readline() if ready else None
        except BrokenPipeError:
            answer = ""
        if not answer:
            return self._lost("too slow" if answer is None else "ended")
        status, kind, content = answer.rstrip("\n").split("\t")
        decoded = base64.b64decode(content)
        return (kind, decoded) if status == "OK" else Failure(kind, decoded.decode())

    def _lost(self, kind: str) -> Failure:
        self._process.kill() if kind == "too slow" else None
        code = self._process.wait()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace")
        self.close()
        return Failure(kind, f"signal {-code}: {said[-500:]}")


def jena() -> Engine:
    """Return Jena ARQ."""
    source = Path(__file__).with_name("JenaAnswers.java")
    return Engine(["java", "-Xmx1g", "-cp", class_path(), str(source)])


def ours() -> Engine:
    """Return our embedded store."""
    return Engine([sys.executable, str(Path(__file__).with_name("our_answers.py"))])


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
