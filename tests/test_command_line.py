"""What all commands share: options anywhere, one form of errors, help, progress, completion, interrupts, start-up."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from running import ENVIRONMENT, twingraph
from twingraph.cli import application

COMMAND = [sys.executable, "-m", "twingraph"]
# Importing these takes most of the time that a command takes to start.
HEAVY = {"pydantic", "rdflib", "pyshacl", "SPARQLWrapper", "starlette", "jinja2", "edtf", "rich.console"}


def run(*arguments, **options):
    return subprocess.run(
        [*COMMAND, *arguments], capture_output=True, text=True, timeout=120, check=False, env=ENVIRONMENT, **options
    )


@pytest.mark.parametrize("place", ["before", "after"])
@pytest.mark.parametrize("option", ["-C", "--directory"])
def test_the_directory_may_stand_before_and_after_the_command(publication, place, option):
    given = [option, str(publication.directory)]
    done = run(*given, "config") if place == "before" else run("config", *given)
    assert 'base_iri = "https://lights.example/"  # twingraph.toml' in done.stdout.splitlines()


@pytest.mark.parametrize("command", [None, *application.COMMANDS])
def test_h_prints_plain_help(command):
    done = run(*filter(None, [command]), "-h")
    assert (done.returncode, done.stderr) == (0, "")
    assert not re.search(r"[╭│╰]|<[\w\[\]]+>|\.\.\.\]|\]\.\.\.\]", done.stdout)
    for option in ("-C, --directory DIR", "-q, --quiet", "-v, --verbose", "-h, --help"):
        assert option in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


@pytest.mark.parametrize("name", application.COMMANDS)
def test_the_summary_of_a_command_is_one_sentence_that_fits_its_line(name):
    _, _, summary = application.COMMANDS[name]
    assert re.fullmatch(r"[A-Z][^.]*(?:\.toml[^.]*)?\.", summary)
    assert len(summary) <= 66


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["chek"], "no such command 'chek'; did you mean 'check'?; see `twingraph --help`"),
        (["check", "--nonsense"], "no such option: --nonsense; see `twingraph check --help`"),
        (["query"], "missing argument 'QUERY'; see `twingraph query --help`"),
        (["serve", "--port", "x"], "invalid value for '--port'"),
        (["query", "ASK {}", "--json", "-f", "csv"], "--json and --format csv contradict one another"),
        (["check", "--format", "nonsense"], "there is no format 'nonsense'; known: json, sarif, text, turtle"),
        (["query", "q.rq"], "there is no file 'q.rq'"),
        (["query", "light"], "there is no saved query or file 'light'; did you mean lights"),
    ],
)
def test_every_error_is_one_line_of_one_form(publication, arguments, message):
    done = twingraph(publication.directory, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("twingraph: ")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1


def test_json_is_short_for_the_format(publication):
    assert json.loads(twingraph(publication.directory, "query", "ASK {}", "--json").stdout)["boolean"] is True
    assert json.loads(twingraph(publication.directory, "check", "--json").stdout)["conforms"] is True
    config = json.loads(twingraph(publication.directory, "config", "--json").stdout)
    assert config["base_iri"] == {"value": "https://lights.example/", "origin": "twingraph.toml"}


def test_verbose_prints_each_step_with_its_time_in_a_pipe(publication):
    lines = twingraph(publication.directory, "check", "-v").stderr.splitlines()
    assert all(re.fullmatch(r" *\d+\.\d\d s  \S.*", line) for line in lines)
    assert {"parse", "check: shapes", "Checking"} <= {line.split(" s  ")[1] for line in lines}


def test_quiet_prints_results_only(built):
    done = twingraph(built.directory, "build", "-q")
    assert (done.stderr, done.stdout.startswith(str(built.directory))) == ("", True)


@pytest.mark.parametrize(("option", "is_shown"), [("", True), ("quiet=True", False)])
def test_a_task_of_over_a_second_shows_its_steps_on_a_terminal(option, is_shown):
    # The real terminal of a pseudo-terminal; stdout stays a pipe, as in `twingraph check > report`.
    code = f"""if True:
        import time, types
        from twingraph.cli.options import Common
        from twingraph.cli.progress import progress
        context = types.SimpleNamespace(find_object=lambda kind: Common({option}))
        with progress(context, 'Waiting') as observer, observer('the step'):
            time.sleep(2.2)
        print('done')"""
    leader, follower = pty.openpty()
    with os.fdopen(follower, "wb") as terminal:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=terminal, check=True,
            env={**ENVIRONMENT, "TERM": "xterm"},
        )  # fmt: skip
        os.write(terminal.fileno(), b".")
        shown = os.read(leader, 10_000)
    os.close(leader)
    assert (b"Waiting: the step" in shown, done.stdout) == (is_shown, b"done\n")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("che", ["check"]),
        ("", list(application.COMMANDS)),
        ("check --sha", ["--shapes"]),
        ("query --endp", ["--endpoint"]),
    ],
)
def test_a_shell_completes_commands_and_options(typed, expected):
    environment = ENVIRONMENT | {
        "_TWINGRAPH_COMPLETE": "complete_bash", "COMP_WORDS": f"twingraph {typed}",
        "COMP_CWORD": str(typed.count(" ") + 1)
    }  # fmt: skip
    program = Path(sys.executable).with_name("twingraph")
    done = subprocess.run([program], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == expected


@pytest.mark.parametrize(
    ("arguments", "allowed"),
    [(["--help"], set()), (["config"], {"pydantic"}), (["query", "ASK {}"], {"pydantic", "SPARQLWrapper"})],
)
def test_a_command_imports_only_what_it_needs(publication, arguments, allowed):
    code = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(*sys.modules, file=sys.stderr))\n"
        f"sys.argv = ['twingraph', *{arguments!r}]\n"
        "from twingraph.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=publication.directory,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert HEAVY & set(done.stderr.split()) <= allowed


def test_an_interrupt_while_modules_are_imported_ends_silently_with_130(tmp_path):
    # A module that interrupts while it is being imported, and swallows what would be raised there.
    (tmp_path / "interrupted.py").write_text(
        "import os, signal, time\n"
        "try:\n    os.kill(os.getpid(), signal.SIGINT); time.sleep(5)\n"
        "except BaseException: print('caught')\n"
        "command = None\n"
    )
    code = "from twingraph.cli.loading import load; load('interrupted', 'command')"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


@pytest.mark.parametrize("seconds", [0.15, 0.3, 0.6, 1.0])
def test_an_interrupt_in_the_first_second_ends_silently_with_130(tmp_path, seconds):
    code = (
        "import os, signal, sys, threading\n"
        f"timer = threading.Timer({seconds}, os.kill, (os.getpid(), signal.SIGINT))\n"
        "timer.daemon = True; timer.start()\n"
        "sys.argv = ['twingraph', 'check', '--examples']\n"
        "from twingraph.cli import main; main()"
    )
    tiny = Path(__file__).parent / "tiny"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tiny, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode in (130, 0)  # 0 on a machine that has finished by then
    assert done.stderr == ""


def test_an_interrupt_that_is_ignored_stays_so(tmp_path):
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
        "from twingraph.cli.loading import load; load('json', 'dumps')\n"
        "assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=ENVIRONMENT, check=True)
