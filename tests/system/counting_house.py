"""Counts what really runs, and holds it up: programs in sandboxes that may use this machine's network call here."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PROGRAM = """
import os, sys, time, urllib.request

def call(what):
    url = f"{os.environ['HOUSE']}/{what}/{os.environ['AICORE_EXECUTION_ID']}-{os.environ['STEP']}"
    return urllib.request.urlopen(url, timeout=30).read()

call("begun")
print("begun", flush=True)
while call("may-end") != b"yes":
    time.sleep(0.02)
"""
"""Says that it has begun, and ends when it may."""


@dataclass
class CountingHouse:
    """`begun` counts starts by `<execution>-<step>`; those in `held` may not end."""

    url: str = ""
    begun: Counter[str] = field(default_factory=Counter)
    held: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, path: str) -> bytes:
        _, what, who = path.split("/")
        with self.lock:
            if what == "begun":
                self.begun[who] += 1
            return b"no" if any(who.endswith(step) for step in self.held) else b"yes"


@contextmanager
def counting_house() -> Iterator[CountingHouse]:
    """On the loopback interface."""
    house = CountingHouse()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = house.answer(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    house.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield house
    finally:
        server.shutdown()
        server.server_close()
