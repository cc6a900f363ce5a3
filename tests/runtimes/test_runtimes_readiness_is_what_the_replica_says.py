"""`observe` asks the replica itself, and does not wait long for the answer."""

import time

from mooring.runtimes.base import Phase
from tests.runtimes.harbour import Harbour, python, server, until

SWITCH = """
import os
def answer(path):
    return (200 if os.path.exists("ready") else 503), b""
"""


def test_it_is_ready_as_long_as_it_says_so(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", server(SWITCH, ready_path="/ready"))
    until("it answers", lambda: harbour.runtime.observe("replica1").reason == "/ready answered 503")
    assert harbour.runtime.observe("replica1").phase is Phase.STARTING
    switch = harbour.folder / "replica1" / "home" / "ready"
    switch.touch()
    assert harbour.runtime.observe("replica1").phase is Phase.READY
    switch.unlink()
    assert harbour.runtime.observe("replica1").phase is Phase.STARTING


def test_it_is_not_ready_before_it_listens(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", python("import time; time.sleep(600)"))
    seen = harbour.runtime.observe("replica1")
    assert (seen.phase, seen.reason) == (Phase.STARTING, "it does not listen on its socket yet")
    assert seen.pid == harbour.state("replica1").program.pid


def test_the_ready_path_of_the_spec_is_asked(harbour: Harbour) -> None:
    only = "def answer(path):\n    return (200 if path == '/my/ready?deep=1' else 404), b''"
    harbour.runtime.start("replica1", server(only, ready_path="/my/ready?deep=1"))
    harbour.until("replica1", Phase.READY)


def test_a_question_leaves_no_trace_in_the_log(harbour: Harbour) -> None:
    # A server whose client has gone before the answer was complete complains on stderr.
    long = "def answer(path):\n    return 200, b'x' * 1_000_000"
    harbour.runtime.start("replica1", server(long))
    harbour.until("replica1", Phase.READY)
    assert {harbour.runtime.observe("replica1").phase for _ in range(20)} == {Phase.READY}
    harbour.runtime.stop("replica1")
    harbour.until("replica1", Phase.EXITED)
    assert harbour.messages("replica1") == []


def test_a_silent_replica_costs_no_more_than_the_deadline_and_is_not_called_ended(harbour: Harbour) -> None:
    silent = """
import socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(1)
print("listens")
time.sleep(600)
"""
    harbour.runtime.start("replica1", python(silent))
    until("it listens", lambda: harbour.messages("replica1"))
    runtime = harbour.another(ready_timeout_seconds=0.2)
    reasons = set()
    for _ in range(4):  # more than its queue of connections takes
        began = time.monotonic()
        seen = runtime.observe("replica1")
        assert time.monotonic() - began < 5
        assert seen.phase is Phase.STARTING
        reasons.add(seen.reason)
    assert reasons == {"/v2/health/ready has not answered within 0.2 s"}


def test_a_trickling_answer_is_not_waited_for(harbour: Harbour) -> None:
    trickle = """
import socket, sys, time
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listens")
connection, _ = listener.accept()
while True:
    connection.send(b"H")
    time.sleep(0.1)
"""
    harbour.runtime.start("replica1", python(trickle))
    until("it listens", lambda: harbour.messages("replica1"))
    seen = harbour.another(ready_timeout_seconds=0.3).observe("replica1")
    assert seen.reason == "/v2/health/ready has not answered within 0.3 s"


def test_what_is_no_http_is_not_ready(harbour: Harbour) -> None:
    other = """
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listens")
while True:
    connection, _ = listener.accept()
    connection.close()
"""
    harbour.runtime.start("replica1", python(other))
    until("it listens", lambda: harbour.messages("replica1"))
    assert harbour.runtime.observe("replica1").phase is Phase.STARTING


def test_an_unknown_replica_is_absent(harbour: Harbour) -> None:
    assert harbour.runtime.observe("replica1").phase is Phase.ABSENT
    assert harbour.runtime.replicas() == []
