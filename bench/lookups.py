"""Another client, in a process of its own: asks look-ups that no cache knows, at a fixed rate, and times each.

Started as ``python bench/lookups.py PORT``; writes ``due seconds status`` to standard output, a line each.
The time runs from when the look-up was due, not from when it could be sent: while a server stands still, all that were
due in the last second are late, as they would be for as many visitors. Those due before are left out, since one client
that waits for each answer could never catch up.
"""

import os
import socket
import sys
from itertools import count
from time import perf_counter, sleep
from urllib.parse import quote

# Look-ups a second.
RATE = 50
_BEHIND = 1.0
# An address of this machine that no attack comes from: limits count by client.
SOURCE = "127.0.0.2"
_PATIENCE = 60.0


def ask(port: int, kept: socket.socket | None, number: int) -> tuple[int, socket.socket | None]:
    """Ask one look-up; return its status, 0 without an answer, and the connection to go on with.

    A kept connection may have been closed meanwhile: what is not answered there is asked once more on a new one.
    """
    query = quote(f"SELECT ?p ?o {{ <urn:x> ?p ?o }} # {os.getpid()} {number}")
    head = f"GET /sparql?query={query} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/csv\r\n\r\n".encode()
    for connection in (kept, None) if kept else (None,):
        try:
            if connection is None:
                connection = socket.create_connection(("127.0.0.1", port), _PATIENCE, (SOURCE, 0))
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _answered(connection, head), connection
        except OSError:
            if connection:
                connection.close()
    return 0, None


def _answered(connection: socket.socket, head: bytes) -> int:
    connection.sendall(head)
    answer = b""
    # An answer without rows ends with its only line, the name of the columns; a problem document with its brace.
    while not answer.endswith((b"p,o\r\n", b"p,o\n", b"0\r\n\r\n", b"}\n")):
        piece = connection.recv(1 << 16)
        if not piece:
            raise ConnectionError("closed")
        answer += piece
    return int(answer.split(b" ", 2)[1])


def main() -> None:
    """Ask until told to end, or until nobody reads."""
    port, connection = int(sys.argv[1]), None
    due = perf_counter()
    for number in count():
        due = max(due + 1 / RATE, perf_counter() - _BEHIND)
        sleep(max(0.0, due - perf_counter()))
        status, connection = ask(port, connection, number)
        sys.stdout.write(f"{due:.4f} {perf_counter() - due:.5f} {status}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
