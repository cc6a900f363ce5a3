"""What servers read from object stores: fetched once, apart by group and content, there while the store is away."""

import os
import threading
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mooring.artifacts.deadline import Deadline
from mooring.artifacts.errors import ChangedMeanwhile, NotThere, SourceAway
from mooring.artifacts.object_stores.listing import Listing, TransferLimits
from mooring.artifacts.object_stores.stores import ObjectStores
from mooring.artifacts.storage_cache import StorageCache
from mooring.artifacts.store_transfers import StoreTransfers
from mooring.domain.object_stores import StoreAccess
from tests.artifacts.s3_server import access_to
from tests.artifacts.test_artifacts_transfers_bring_and_take_whole_trees import read, written

KEY = "run/model"


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[ObjectStores]:
    (tmp_path / "store").mkdir()
    made = ObjectStores(tmp_path / "store")
    yield made
    made.close()


class Counting(StoreTransfers):
    """Counts what is fetched; may be away; may do something before it is."""

    fetched = 0
    away = False
    before: Callable[[], None] | None = None

    def fetch(self, group: str, access: StoreAccess | None, key: str, target: Path, *, unpack: bool = True) -> None:
        self.fetched += 1
        if self.before:
            self.before()
        super().fetch(group, access, key, target, unpack=unpack)

    def fingerprint(self, group: str, access: StoreAccess | None, key: str) -> str:
        if self.away:
            raise SourceAway("the store is away")
        return super().fingerprint(group, access, key)


@pytest.fixture
def transfers(stores: ObjectStores) -> Counting:
    return Counting(stores.objects, seconds=30)


@pytest.fixture
def cache(tmp_path: Path, transfers: Counting) -> StorageCache:
    return StorageCache(tmp_path / "cache", transfers, seconds=30)


def put(transfers: StoreTransfers, folder: Path, files: dict[str, bytes], group: str = "team") -> None:
    transfers.store(group, None, KEY, written(folder, files), pack=False)


def test_many_at_once_fetch_once_and_get_the_same(cache: StorageCache, transfers: Counting, tmp_path: Path) -> None:
    put(transfers, tmp_path / "model", {"weights": b"x", "deep/er": b"y"})

    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: cache.ensure("team", None, "default", KEY), range(16)))

    (entry,) = found
    assert read(entry) == {"weights": b"x", "deep/er": b"y"}
    assert transfers.fetched == 1
    assert oct((entry / "weights").stat().st_mode) == oct(0o100444)
    assert list((tmp_path / "cache" / "staging").iterdir()) == []


def test_other_content_under_the_same_key_is_another_entry(
    cache: StorageCache, transfers: Counting, tmp_path: Path
) -> None:
    put(transfers, tmp_path / "one", {"weights": b"1"})
    first = cache.ensure("team", None, "default", KEY)
    put(transfers, tmp_path / "two", {"weights": b"2"})
    second = cache.ensure("team", None, "default", KEY)

    assert read(first) == {"weights": b"1"}
    assert read(second) == {"weights": b"2"}


def test_groups_stores_and_places_share_nothing(cache: StorageCache, transfers: Counting, tmp_path: Path) -> None:
    for group in ("team", "other"):
        put(transfers, tmp_path / group, {"weights": b"x"}, group=group)

    entries = {cache.ensure(*place, KEY) for place in (("team", None, "default"), ("other", None, "default"))}
    entries.add(cache.ensure("team", None, "second", KEY))

    assert len(entries) == 3
    with pytest.raises(NotThere):
        cache.ensure("third", None, "default", KEY)


def test_one_object_lies_in_the_folder_by_its_name(cache: StorageCache, transfers: Counting, tmp_path: Path) -> None:
    (tmp_path / "model.pkl").write_bytes(b"x")
    transfers.store("team", None, "run/model.pkl", tmp_path / "model.pkl", pack=False)

    assert read(cache.ensure("team", None, "default", "run/model.pkl")) == {"model.pkl": b"x"}


def test_an_archive_is_unpacked_by_its_name_alone(cache: StorageCache, transfers: Counting, tmp_path: Path) -> None:
    source = written(tmp_path / "model", {"a": b"x"})
    (source / "b").symlink_to("a")
    for key in ("run/model.tgz", "run/model"):
        transfers.store("team", None, key, source, pack=True)

    assert read(cache.ensure("team", None, "default", "run/model.tgz")) == {"model/a": b"x", "model/b": b"x"}
    assert list(read(cache.ensure("team", None, "default", "run/model"))) == ["model"]


def test_while_the_store_is_away_what_was_fetched_last_serves_on(
    cache: StorageCache, transfers: Counting, tmp_path: Path
) -> None:
    put(transfers, tmp_path / "model", {"weights": b"x"})
    entry = cache.ensure("team", None, "default", KEY)
    os.utime(entry, (1, 1))
    transfers.away = True

    assert cache.ensure("team", None, "default", KEY) == entry
    assert entry.stat().st_mtime > 1
    with pytest.raises(SourceAway):
        cache.ensure("other", None, "default", KEY)
    with pytest.raises(SourceAway):
        cache.ensure("team", access_to("127.0.0.1:9"), "default", KEY)


def test_what_changes_while_it_is_fetched_is_never_mixed(
    cache: StorageCache, transfers: Counting, tmp_path: Path
) -> None:
    put(transfers, tmp_path / "one", {"weights": b"1"})
    transfers.before = lambda: put(
        transfers, tmp_path / f"n{transfers.fetched}", {"weights": bytes([transfers.fetched])}
    )

    with pytest.raises(ChangedMeanwhile, match="nobody writes"):
        cache.ensure("team", None, "default", KEY)
    assert transfers.fetched == 2
    assert not list((tmp_path / "cache").glob("entries/*"))

    transfers.before = None
    assert read(cache.ensure("team", None, "default", KEY)) == {"weights": bytes([2])}


def test_two_that_store_to_one_key_leave_one_of_both_whole(stores: ObjectStores, tmp_path: Path) -> None:
    """And whoever reads meanwhile gets one of them whole, or is told that it changed; at no moment there is nothing."""
    transfers = StoreTransfers(stores.objects, seconds=30)
    sources = [
        written(tmp_path / f"source{count}", {str(each): bytes([count]) * 1000 for each in range(20)})
        for count in (1, 2)
    ]
    transfers.store("team", None, KEY, sources[0], pack=False)
    done = threading.Event()

    def store(source: Path) -> None:
        for _ in range(15):
            transfers.store("team", None, KEY, source, pack=False)

    def look() -> set[bytes]:
        seen: set[bytes] = set()
        while not done.is_set() or not seen:
            assert transfers.exists("team", None, KEY) or not done.is_set()
            target = tmp_path / f"seen{uuid.uuid4().hex}"
            try:
                transfers.fetch("team", None, KEY, target)
            except ChangedMeanwhile:
                continue
            contents = set(read(target).values())
            assert len(contents) == 1
            assert len(read(target)) == 20
            seen |= contents
        return seen

    with ThreadPoolExecutor(3) as pool:
        looking = pool.submit(look)
        for writer in [pool.submit(store, source) for source in sources]:
            writer.result()
        done.set()
        assert looking.result() <= {bytes([1]) * 1000, bytes([2]) * 1000}
    assert list((tmp_path / "store" / ".incoming").iterdir()) == []


def test_a_killed_fetch_leaves_nothing_that_is_taken_for_an_entry(
    cache: StorageCache, transfers: Counting, tmp_path: Path
) -> None:
    put(transfers, tmp_path / "model", {"weights": b"x"})
    entry = cache.ensure("team", None, "default", KEY)
    dead = tmp_path / "cache" / "staging" / f"{'0' * 64}-x"
    (dead / "came").mkdir(parents=True)
    put(transfers, tmp_path / "new", {"weights": b"y"})

    assert cache.ensure("team", None, "default", KEY) != entry
    assert not dead.exists()


def test_the_listing_says_what_the_fingerprint_is_of(stores: ObjectStores, transfers: Counting, tmp_path: Path) -> None:
    put(transfers, tmp_path / "model", {"weights": b"x"})
    before = transfers.fingerprint("team", None, KEY)
    found: Listing = stores.objects("team", None, TransferLimits(), Deadline.after(5, "it")).listing(KEY)
    assert list(found.files) == ["weights"]
    assert transfers.fingerprint("team", None, KEY) == before
    put(transfers, tmp_path / "model", {"weights": b"x"})
    assert transfers.fingerprint("team", None, KEY) != before
