"""Every command with its exit codes, run as a user runs it."""

import json
import os
import re
import signal
import subprocess
import sys

import pytest

from running import ENVIRONMENT, release_served, serving, twingraph, wait_for
from twingraph import __version__, errors
from twingraph.cli import application
from twingraph.errors import EXIT_CODES, ExitCode, exit_code

COMMANDS = ("build", "check", "config", "coverage", "init", "locate", "prune", "query", "rehearse", "serve", "verify")


def lines(run):
    assert run.returncode == 0, run.stderr
    return run.stdout.splitlines()


def test_version_is_printed(tmp_path):
    assert lines(twingraph(tmp_path, "--version")) == [f"twingraph {__version__}"]


def test_these_are_the_commands():
    assert tuple(sorted(application.COMMANDS)) == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(tmp_path, command):
    run = twingraph(tmp_path, command, "--help")
    assert (run.returncode, "Example:" in run.stdout) == (0, True)


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("check", "--nonsense"),
        ("check", "--format", "nonsense"),
        ("check", "no-such-file.ttl"),
        ("query",),
        ("query", "nonsense"),
        ("query", "ASK {"),
        ("query", "ASK {}", "--format", "turtle"),
        ("query", "lights", "--parameter", "nonsense"),
        ("query", "lights", "--parameter", "nonsense=1"),
        ("query", "ASK {}", "--parameter", "a=1"),
        ("query", "lit-on", "--parameter", "day=never"),
        ("coverage", "nonsense"),
        ("coverage", "--format", "nonsense"),
        ("locate", "nonsense", "words"),
        ("serve", "--port", "99999"),
        ("build", "--base-iri", "nonsense"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_2_and_a_message(built, arguments):
    run = twingraph(built.directory, *arguments)
    assert run.returncode == ExitCode.USAGE, run.stderr
    assert (run.stderr or run.stdout).strip()
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("query", "ASK {}"),
        ("locate", "pilot", "no such words"),
        ("query", "ASK {}", "--endpoint", "http://127.0.0.1:9/"),
    ],
    ids=" ".join,
)
def test_what_cannot_be_done_ends_with_3_and_a_message(tiny, arguments):
    run = twingraph(tiny.directory, *arguments)
    assert run.returncode == ExitCode.NOT_DONE
    assert run.stderr.startswith("twingraph: ")
    assert "Traceback" not in run.stderr


def test_a_directory_without_settings_is_wrong_usage(tmp_path):
    run = twingraph(tmp_path, "check")
    assert (run.returncode, "twingraph.toml" in run.stderr) == (ExitCode.USAGE, True)


def test_check_of_what_conforms_ends_with_0(tiny):
    assert "Conforms" in lines(twingraph(tiny.directory, "check"))[-1]


def test_check_of_what_does_not_conform_ends_with_1_and_names_the_place(tiny):
    line = tiny.edit("data/islands.ttl", "rdfs:label", "l:nonsense")
    run = twingraph(tiny.directory, "check")
    assert run.returncode == ExitCode.NOT_CONFORMING
    assert f"data/islands.ttl:{line}" in run.stdout


@pytest.mark.parametrize(
    ("format_", "mark"), [("json", '"conforms"'), ("sarif", '"2.1.0"'), ("turtle", "ValidationReport")]
)
def test_check_reports_in_other_formats(tiny, format_, mark):
    assert mark in twingraph(tiny.directory, "check", "--format", format_).stdout


def test_check_reports_only_on_the_paths_that_are_named(tiny):
    tiny.edit("data/islands.ttl", "rdfs:label", "l:nonsense")
    run = twingraph(tiny.directory, "check", str(tiny.directory / "data/books"))
    assert "islands.ttl" not in run.stdout


def test_check_looks_at_the_examples_when_it_is_told_to(tiny):
    assert "15 examples" in twingraph(tiny.directory, "check", "--examples").stdout


def test_build_prints_the_directory_of_the_release(tiny):
    (place,) = lines(twingraph(tiny.directory, "build"))
    assert place == str((tiny.directory / "releases/current").resolve())


def test_build_of_the_same_again_says_so(built):
    assert "Nothing has changed" in twingraph(built.directory, "build").stderr


def test_build_of_what_does_not_conform_ends_with_1_and_the_counts_by_rule(tiny):
    tiny.edit("data/islands.ttl", "rdfs:label", "l:nonsense")
    run = twingraph(tiny.directory, "build")
    assert run.returncode == ExitCode.NOT_CONFORMING
    assert "  1 violation [term/unknown]\n" in run.stderr
    assert "`twingraph check` lists the findings." in run.stderr
    assert "no release was written" in run.stderr


def test_build_writes_elsewhere_and_under_another_base(tiny, tmp_path):
    run = twingraph(tiny.directory, "build", "--output", str(tmp_path / "out"), "--base-iri", "http://127.0.0.1:1/")
    (place,) = lines(run)
    assert place.startswith(str(tmp_path / "out"))
    assert json.loads((tmp_path / "out/current/manifest.json").read_bytes())["base_iri"] == "http://127.0.0.1:1/"


def test_query_gives_language_tags_their_canonical_case(tiny):
    tiny.edit("twingraph.toml", '["en", "sv"]', '["en", "sv", "zh-Hans"]')
    tiny.append("data/islands.ttl", 'island:holm rdfs:label "岛"@zh-Hans .\n')
    assert twingraph(tiny.directory, "build").returncode == 0
    run = twingraph(tiny.directory, "query", "CONSTRUCT WHERE { ?x rdfs:label ?n }", "-f", "ntriples")
    assert '"岛"@zh-Hans .' in run.stdout


def test_query_prints_a_table(built):
    rows = lines(twingraph(built.directory, "query", "SELECT ?x ?n { ?x a l:Island ; rdfs:label ?n } ORDER BY ?n"))
    assert rows[0].split() == ["x", "n"]
    assert any(row.startswith("island:holm ") for row in rows)
    assert rows[-1].endswith("rows)")


@pytest.mark.parametrize(
    ("query", "format_", "mark"),
    [
        ("ASK {}", "json", '"boolean":true'),
        ("ASK {}", "xml", "<boolean>true"),
        ("SELECT ?x { ?x a l:Book }", "csv", "x\r\n"),
        ("SELECT ?x { ?x a l:Book }", "tsv", "?x\n"),
        ("CONSTRUCT WHERE { ?x a l:Book }", "turtle", "book:pilot a l:Book"),
        ("CONSTRUCT WHERE { ?x a l:Book }", "ntriples", "<https://lights.example/id/book/pilot>"),
        ("CONSTRUCT WHERE { ?x a l:Book }", "jsonld", '"@id"'),
        ("CONSTRUCT WHERE { ?x a l:Book }", "rdfxml", "<rdf:RDF"),
        ("DESCRIBE book:pilot", "table", "book:pilot"),
    ],
)
def test_query_answers_in_each_format(built, query, format_, mark):
    run = twingraph(built.directory, "query", query, "--format", format_, text=False)
    assert mark in run.stdout.decode()


def test_query_takes_a_saved_query_with_parameters(built):
    run = twingraph(built.directory, "query", "evidence", "-p", "thing=light:ness", "-f", "csv")
    assert len(lines(run)) > 1


def test_query_takes_a_file_and_stdin(built, tmp_path):
    file = tmp_path / "query.rq"
    file.write_text("SELECT ?x { ?x a l:Book }")
    by_file = lines(twingraph(built.directory, "query", str(file), "-f", "csv"))
    with file.open() as text:
        assert lines(twingraph(built.directory, "query", "-", "-f", "csv", stdin=text)) == by_file


def test_query_asks_an_endpoint_with_the_same_output(built):
    query = ("query", "SELECT ?x { ?x a l:Book } ORDER BY ?x")
    with serving(built.directory) as address:
        asked = twingraph(built.directory, *query, "--endpoint", f"{address}/sparql")
    assert lines(asked) == lines(twingraph(built.directory, *query))


def test_serve_builds_when_there_is_no_release(tiny):
    with serving(tiny.directory):
        assert (tiny.directory / "releases/current").exists()


def test_serve_on_a_port_in_use_is_told(built):
    with serving(built.directory) as address:
        run = twingraph(built.directory, "serve", "--port", address.rpartition(":")[2])
    assert (run.returncode, "cannot listen" in run.stderr) == (ExitCode.USAGE, True)


def test_coverage_prints_the_share_of_each_document(tiny):
    run = twingraph(tiny.directory, "coverage")
    assert any("The pilot book" in line and "%" in line for line in lines(run))


def test_coverage_of_one_document_as_a_page(tiny, tmp_path):
    run = twingraph(tiny.directory, "coverage", "pilot", "--format", "html", "--output", str(tmp_path / "c.html"))
    assert lines(run) == []
    page = (tmp_path / "c.html").read_text()
    assert "The pilot book" in page
    assert "The almanac" not in page


def test_locate_prints_start_and_end(tiny):
    text = tiny.text("sources/pilot.txt")
    place = lines(twingraph(tiny.directory, "locate", "pilot", " ".join(text.split()[:2])))[0]
    start, end = map(int, place.split())
    assert text[start:end].split() == text.split()[:2]


def test_config_says_where_each_setting_came_from(tiny):
    rows = lines(twingraph(tiny.directory, "config", env={**ENVIRONMENT, "TWINGRAPH_SERVER__PORT": "8123"}))
    assert "server.port = 8123  # environment" in rows
    assert 'server.host = "127.0.0.1"  # default' in rows


def test_nothing_but_the_answer_is_on_stdout_and_no_progress_without_a_terminal(built):
    run = twingraph(built.directory, "query", "ASK {}", "--format", "json")
    assert json.loads(run.stdout)
    assert run.stderr == ""


def test_every_error_has_an_exit_code():
    assert set(EXIT_CODES) == set(_tree(errors.TwingraphError))
    assert exit_code(errors.NoReleaseError("x")) == ExitCode.NOT_DONE


def test_output_to_a_reader_that_leaves_is_no_error(built):
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        run = _run_into(pipe, built.directory)
    assert "Traceback" not in run.stderr


def _run_into(pipe, directory):
    command = [sys.executable, "-m", "twingraph", "-C", str(directory), "query", "SELECT * { ?s ?p ?o }"]
    return subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, check=False)


def _tree(kind):
    yield kind
    for below in kind.__subclasses__():
        if below.__module__ == "twingraph.errors":
            yield from _tree(below)


def test_an_interrupted_server_ends_without_a_traceback(built):
    command = [sys.executable, "-m", "twingraph", "-C", str(built.directory), "serve", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT
    ) as server:
        address = re.search(r"http://[0-9.:]+", server.stdout.readline()).group()
        wait_for(lambda: release_served(address))
        server.send_signal(signal.SIGINT)
        _, said = server.communicate(timeout=20)
    assert "Traceback" not in said


@pytest.mark.parametrize("value", ["99999999999999", "253402300800", "-1", "yesterday", "1.5", "²", "9" * 5000])
def test_a_source_date_epoch_that_is_no_date_is_a_wrong_setting(publication, value):
    run = twingraph(publication.directory, "build", env={**ENVIRONMENT, "SOURCE_DATE_EPOCH": value})
    assert (run.returncode, "SOURCE_DATE_EPOCH" in run.stderr, "Traceback" in run.stderr) == (2, True, False)
    assert len(run.stderr) < 300


def test_check_lists_three_findings_of_each_rule_unless_told_otherwise(tiny):
    tiny.append("data/islands.ttl", "".join(f"\nisland:i{n} l:wrong{n % 2} island:holm ." for n in range(5)))
    few, every, one = (
        twingraph(tiny.directory, "check", *options) for options in ((), ("--all",), ("--rule", "term", "--limit", "1"))
    )
    assert [run.stdout.count("violation in") for run in (few, every, one)] == [6, 10, 1]
    assert [run.returncode for run in (few, every, one)] == [1, 1, 1]
    assert few.stdout.startswith("Findings by rule\n  5 violations [iri/dangling]\n")
    assert len({run.stdout.splitlines()[-1] for run in (few, every, one)}) == 1


def test_check_refuses_a_rule_that_does_not_exist(tiny):
    run = twingraph(tiny.directory, "check", "--rule", "term/unknwon")
    assert run.returncode == ExitCode.USAGE
    assert "did you mean term/unknown" in run.stderr


def test_fault_of_the_program_does_not_exit_like_a_publication_that_does_not_conform(monkeypatch, capsys):
    def fail() -> None:
        raise LookupError("a fault")

    monkeypatch.setattr(application, "group", fail)
    with pytest.raises(SystemExit) as ended:
        application.run()
    assert ended.value.code == ExitCode.FAULT
    assert "a fault of the program, not of the publication" in capsys.readouterr().err
