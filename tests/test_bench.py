"""The generator of the benchmark: the same bytes for a seed, the size that was asked for, and data that conforms."""

import hashlib
import importlib
import os
import socket
import subprocess
import sys
from pathlib import Path
from threading import Thread

import pytest

from twingraph.check.run import check
from twingraph.publication.assembly import assemble
from twingraph.settings import load_settings

BENCH = Path(__file__).parent.parent / "bench"
SOURCE = Path(__file__).parent.parent / "src" / "twingraph"
# A little more than the publication itself, so that the tests stay fast.
TRIPLES = 36_000


@pytest.fixture(scope="module")
def generate():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCH))
        yield importlib.import_module("generate").generate


@pytest.fixture
def bench(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCH))
    return importlib.import_module


@pytest.fixture(scope="module")
def grown(generate, tmp_path_factory):
    directory = tmp_path_factory.mktemp("bench") / "grown"
    return directory, generate(TRIPLES, 1, directory)


@pytest.fixture(scope="module")
def assembly(grown):
    return assemble(load_settings(grown[0]))


def _digest(directory: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in directory.rglob("*") if path.is_file()):
        digest.update(path.relative_to(directory).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def test_the_same_seed_gives_the_same_bytes(generate, grown, tmp_path):
    generate(TRIPLES, 1, tmp_path / "again")
    assert _digest(tmp_path / "again") == _digest(grown[0])


def test_another_seed_gives_other_bytes(generate, grown, tmp_path):
    generate(TRIPLES, 2, tmp_path / "other")
    assert _digest(tmp_path / "other") != _digest(grown[0])


def test_the_release_is_as_large_as_asked_for_within_five_per_cent(assembly):
    assert abs(len(assembly.quads) - TRIPLES) < 0.05 * TRIPLES


def test_what_is_written_is_counted_exactly(grown, assembly):
    assert sum(1 for _ in assembly.reading.lines) == grown[1].written


def test_what_is_grown_conforms(assembly):
    result = check(assembly)
    assert [finding for finding in result.findings if finding.severity != "info"] == []


def test_every_query_template_binds_the_samples_that_were_grown(bench, grown):
    templates = bench("templates").load_templates(load_settings(grown[0]))
    drawn = [text for template in templates for text in template.draw(grown[1].samples, 3, seed=1)]
    assert len(templates) >= 15
    assert not [text for text in drawn if "$" in text]


def test_no_question_of_the_mix_is_asked_twice(bench, grown):
    templates = bench("templates").load_templates(load_settings(grown[0]))
    mix = bench("measure").Asker(templates, grown[1].samples).mix(200, seed=1)
    with_variables = [text for _, text in mix if "?" in text]
    assert len(set(with_variables)) == len(with_variables)


def test_the_cpu_of_a_process_includes_that_of_its_children(bench):
    processes = bench("processes")
    before = processes.cpu_seconds(os.getpid())
    subprocess.run([sys.executable, "-c", "sum(range(5_000_000))"], check=True)
    assert processes.cpu_seconds(os.getpid()) - before > 0.05


def test_the_memory_of_a_process_includes_that_of_its_children(bench):
    processes = bench("processes")
    before = processes.resident(os.getpid())
    command = [sys.executable, "-c", "x = b'x' * 50_000_000; print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        child.stdout.readline()
        assert processes.resident(os.getpid()) - before > 45
        child.communicate(b"\n")


def test_a_step_of_a_build_is_measured_on_its_own_thread(bench):
    watched = bench("build").Watched()
    with watched("sleep"):
        busy = Thread(target=lambda: sum(range(5_000_000)))
        busy.start()
        busy.join()
    seconds, cpu = watched.spent["sleep"]
    assert seconds > 0.05 > cpu


def test_a_build_is_reported_with_its_share_of_shacl(bench):
    load = {"seconds": 2.0, "cpu": 1.0, "load_only": 1.5}
    without = {"steps": {"parse": (1.0, 1.0), "check: shapes": (0.0, 0.0)}, "total": (4.0, 5.0), "peak": 100.0}
    whole = {"steps": {"check: shapes": (6.0, 10.0)}, "total": (10.0, 15.0), "peak": 200.0, "quads": 7, "store": 10**6}
    summary = bench("build")._summary(whole, without, load)
    about = {"asked": 7, "commit": "c", "when": "w", "bytes": 10**6}
    page = "\n".join(bench("report")._builds([{**about, **summary}]))
    assert "2.00 times as long (CPU 5.0 s, 5.00 times)" in page
    assert "SHACL is 60% (of the CPU 67%)" in page
    assert "| everything else |  | 4.00 | 4.00 |" in page


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello",
    ],
    ids=["length", "chunked", "close"],
)
def test_the_client_reads_a_body_however_it_is_framed(bench, answer):
    client = bench("client")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Thread(target=_answer, args=(listener, answer))
        server.start()
        connection = client.Connection(listener.getsockname()[1])
        assert connection.ask(client.request("/sparql", "ASK {}", is_graph=False)) == b"hello"
        connection.close()
        server.join()


def _answer(listener: socket.socket, answer: bytes) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1 << 16)
        connection.sendall(answer)


def test_every_file_of_a_layer_is_one_of_ours_or_of_a_library(bench):
    layers = bench("layers")
    ours = [f"twingraph/{path.relative_to(SOURCE).as_posix()}" for path in SOURCE.rglob("*.py")]
    named = [file for table in (layers.FRONT, layers.WORKER) for files in table.values() for file in files]
    libraries = {"asyncio/", "uvicorn/", "logging/", "fastapi/", "starlette/"}
    unknown = [
        file for file in named if not file.startswith(tuple(libraries)) and not any(file in path for path in ours)
    ]
    assert named
    assert unknown == []


def test_a_sample_belongs_to_the_layer_of_its_innermost_function(bench):
    layers = bench("layers")
    stack = "main (twingraph/server/process.py:40);ask (twingraph/workers/pool.py:1);unpack (struct.py:3)"
    assert layers.layer_of(stack, layers.FRONT) == "pool: admission, deadlines"
    assert layers.shares(f"{stack} 3\nother (x.py:1) 9", layers.FRONT, "server/process.py") == {
        "pool: admission, deadlines": 1.0
    }


def test_the_cause_of_a_failure_is_read_from_a_page_as_from_a_problem_document(bench):
    page = b'<div role="alert">\n<p><strong>The query could not be answered.</strong> it ran for 30 seconds</p></div>'
    assert bench("fuzz").cause_of(503, page) == "503 it ran for N seconds"
    assert bench("fuzz").cause_of(503, b'{"detail": "it ran for 30 seconds"}') == "503 it ran for N seconds"
