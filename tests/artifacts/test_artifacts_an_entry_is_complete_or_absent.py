import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from mooring.artifacts.cache import ModelCache
from mooring.artifacts.deadline import Deadline
from mooring.artifacts.errors import NoRoom, SourceAway, TookTooLong, UnsafeContent
from mooring.artifacts.locks import exclusive

PREFIX = "/api/2.0/mlflow-artifacts/artifacts"
URI = "mlflow-artifacts:/0/model"
ENSURE = """
import resource, sys
from pathlib import Path
from mooring.artifacts.cache import ModelCache
if len(sys.argv) > 4:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[4]), int(sys.argv[4])))
print(ModelCache(Path(sys.argv[1]), sys.argv[2], fetch_seconds=60).ensure(sys.argv[3]))
"""


class Proxy:
    """An artifact proxy that can be made to stumble, as a real one cannot be."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {"MLmodel": b"x", "data/weights.bin": os.urandom(300_000)}
        self.listed: list[dict[str, object]] | None = None
        self.cut_next = 0
        self.status_next: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.half_sent = threading.Event()
        self.downloads: list[str] = []
        self.lock = threading.Lock()
        self.url = ""

    def listing(self, folder: str) -> list[dict[str, object]]:
        below = [name.removeprefix(folder) for name in self.files if name.startswith(folder)]
        names = {name.split("/")[0]: "/" in name for name in below}
        return [
            {"path": name, "is_dir": is_dir, "file_size": len(self.files.get(folder + name, b""))}
            for name, is_dir in names.items()
        ]


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    state = Proxy()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            address = urlsplit(self.path)
            if address.path == PREFIX:
                folder = unquote(address.query.removeprefix("path=")).removeprefix("0/model")
                prefix = folder.strip("/") + "/" if folder else ""
                files = state.listing(prefix) if state.listed is None else state.listed
                return self.reply(json.dumps({"files": files}).encode())
            return self.send_file(unquote(address.path.removeprefix(f"{PREFIX}/0/model/")))

        def send_file(self, name: str) -> None:
            with state.lock:
                state.downloads.append(name)
                status = state.status_next.pop() if state.status_next else 200
                cut, state.cut_next = state.cut_next > 0, state.cut_next - 1
            if status != 200:
                return self.reply(b"", status)
            content = state.files[name]
            self.send_response(200)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content[: len(content) // 2])
            if name.endswith(".bin"):
                state.half_sent.set()
                state.gate.wait(60)
            if cut:
                self.connection.shutdown(socket.SHUT_RDWR)
                return None
            self.wfile.write(content[len(content) // 2 :])
            return None

        def reply(self, content: bytes, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def handle(self) -> None:
            with contextlib.suppress(OSError):
                super().handle()

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield state
    state.gate.set()
    server.shutdown()
    server.server_close()


def test_eight_processes_at_once_make_one_download(proxy: Proxy, tmp_path: Path) -> None:
    children = [ensure_in_process(tmp_path, proxy) for _ in range(8)]
    answers = [child.communicate(timeout=60) for child in children]

    assert [child.returncode for child in children] == [0] * 8, answers
    assert len({output for output, _ in answers}) == 1
    assert sorted(proxy.downloads) == ["MLmodel", "data/weights.bin"]


def test_killed_in_the_middle_leaves_nothing_to_be_seen_and_the_next_one_begins_anew(
    proxy: Proxy, tmp_path: Path
) -> None:
    proxy.gate.clear()
    child = ensure_in_process(tmp_path, proxy)
    assert proxy.half_sent.wait(60)
    os.kill(child.pid, signal.SIGKILL)
    child.communicate(timeout=10)
    assert list(tmp_path.glob("staging/*"))
    assert not list(tmp_path.glob("entries/*"))

    proxy.gate.set()
    entry = ModelCache(tmp_path, proxy.url, fetch_seconds=60).ensure(URI)

    assert (entry / "data/weights.bin").read_bytes() == proxy.files["data/weights.bin"]
    assert not list(tmp_path.glob("staging/*"))


def test_a_full_disk_is_named_and_leaves_nothing(proxy: Proxy, tmp_path: Path) -> None:
    child = ensure_in_process(tmp_path, proxy, "100000")
    _, errors = child.communicate(timeout=60)

    assert child.returncode != 0
    assert NoRoom.__name__ in errors.splitlines()[-1]
    assert URI in errors.splitlines()[-1]
    assert not list(tmp_path.glob("entries/*")) + list(tmp_path.glob("staging/*"))


def test_a_full_disk_is_named_also_for_a_folder(proxy: Proxy, tmp_path: Path) -> None:
    origin = tmp_path / "model" / "data"
    origin.mkdir(parents=True)
    (origin.parent / "MLmodel").write_bytes(b"x")
    (origin / "weights.bin").write_bytes(bytes(300_000))

    child = ensure_in_process(tmp_path / "cache", proxy, "100000", uri=str(origin.parent))
    _, errors = child.communicate(timeout=60)

    assert child.returncode != 0
    kind, _, message = errors.splitlines()[-1].partition(": ")
    assert kind.endswith(NoRoom.__name__)
    reason = "File too large; make room in the cache's file system"
    assert message == f"{origin.parent} could not be cached: {reason}"
    assert not list(tmp_path.glob("cache/entries/*")) + list(tmp_path.glob("cache/staging/*"))


def test_what_a_killed_download_of_another_model_left_is_cleared_and_what_runs_is_not(
    proxy: Proxy, tmp_path: Path
) -> None:
    dead, running = "0" * 64, "1" * 64
    for key in (dead, running):
        (tmp_path / f"staging/{key}-x/data").mkdir(parents=True)
        (tmp_path / f"staging/{key}-x/data/weights.bin").write_bytes(b"x")

    with exclusive(tmp_path / "locks" / running, Deadline.after(10, "it")):
        ModelCache(tmp_path, proxy.url).ensure(URI)

    assert [path.name for path in tmp_path.glob("staging/*")] == [f"{running}-x"]
    assert (tmp_path / f"staging/{running}-x/data/weights.bin").exists()


def test_a_connection_that_breaks_and_a_server_that_stumbles_are_tried_again(proxy: Proxy, tmp_path: Path) -> None:
    proxy.cut_next = 1
    proxy.status_next = [503]

    entry = ModelCache(tmp_path, proxy.url).ensure(URI)

    assert (entry / "data/weights.bin").read_bytes() == proxy.files["data/weights.bin"]


def test_a_file_that_never_comes_whole_is_an_error_and_leaves_nothing(proxy: Proxy, tmp_path: Path) -> None:
    proxy.cut_next = 100

    with pytest.raises(SourceAway, match="could not be downloaded"):
        ModelCache(tmp_path, proxy.url).ensure(URI)
    assert not list(tmp_path.glob("entries/*")) + list(tmp_path.glob("staging/*"))


def test_a_file_of_another_length_than_listed_is_not_taken(proxy: Proxy, tmp_path: Path) -> None:
    proxy.listed = [{"path": "MLmodel", "is_dir": False, "file_size": 2}]

    with pytest.raises(SourceAway, match="1 bytes came of 1 announced and 2 listed"):
        ModelCache(tmp_path, proxy.url).ensure(URI)


def test_the_deadline_ends_a_download_that_hangs(proxy: Proxy, tmp_path: Path) -> None:
    proxy.gate.clear()

    begun = time.monotonic()
    with pytest.raises((TookTooLong, SourceAway)):
        ModelCache(tmp_path, proxy.url, fetch_seconds=1).ensure(URI)
    assert time.monotonic() - begun < 10
    assert not list(tmp_path.glob("staging/*"))


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "..", ".", "", "a/b", "a\\b", "a\0b", None, 7])
def test_names_that_lead_elsewhere_are_refused(proxy: Proxy, tmp_path: Path, name: object) -> None:
    proxy.listed = [{"path": name, "is_dir": False, "file_size": 1}]

    with pytest.raises(UnsafeContent):
        ModelCache(tmp_path / "cache", proxy.url).ensure(URI)
    assert not [path for path in tmp_path.rglob("*") if path.name == "evil"]
    assert not proxy.downloads


def test_folders_without_end_are_refused(proxy: Proxy, tmp_path: Path) -> None:
    proxy.listed = [{"path": "deeper", "is_dir": True}]

    with pytest.raises(UnsafeContent, match="levels"):
        ModelCache(tmp_path, proxy.url).ensure(URI)


def test_use_is_marked_and_removal_is_whole(proxy: Proxy, tmp_path: Path) -> None:
    cache = ModelCache(tmp_path, proxy.url)
    entry = cache.ensure(URI)
    os.utime(entry, (1, 1))
    cache.ensure(URI)
    assert entry.stat().st_mtime > 1

    assert cache.remove(URI)
    assert not entry.exists()
    assert not cache.remove(URI)
    assert cache.ensure(URI).is_dir()


def test_two_servers_do_not_share_an_entry(proxy: Proxy, tmp_path: Path) -> None:
    entry = ModelCache(tmp_path, proxy.url).ensure(URI)

    with pytest.raises(SourceAway):
        ModelCache(tmp_path, "http://127.0.0.1:9").ensure(URI)
    assert entry.is_dir()


def ensure_in_process(folder: Path, proxy: Proxy, *extra: str, uri: str = URI) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", ENSURE, str(folder), proxy.url, uri, *extra],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
