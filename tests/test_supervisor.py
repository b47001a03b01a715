"""The supervisor: a process that was up and ends is started again, however it ended."""

import signal
import socket
import sys

from twingraph.server.supervisor import Supervisor

# Ends twice, once as if all were well and once with an error; the third time it ends the supervisor.
SCRIPT = """
import os, pathlib, signal, sys, time
log = pathlib.Path(sys.argv[1])
log.write_text(log.read_text() + ("again " if "--again" in sys.argv else "first "))
print("ready", flush=True)
count = len(log.read_text().split())
if count == 3:
    os.kill(int(sys.argv[-1]), signal.SIGTERM)
    time.sleep(20)
sys.exit(3 * (count - 1))
"""


def test_a_process_that_was_up_is_started_again_each_time_it_ends(tmp_path):
    log, announced = tmp_path / "log", []
    log.write_text("")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-c", SCRIPT, str(log)]
        assert Supervisor(command, listener, b"{}", lambda: announced.append("up")).run() == 0
    assert log.read_text().split() == ["first", "again", "again"]
    assert announced == ["up"]
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_process_that_never_was_up_is_not_started_again(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-c", "import sys; sys.exit(3)"]
        assert Supervisor(command, listener, b"{}", lambda: None).run() == 3
