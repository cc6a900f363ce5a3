"""What a replica was predicting can be read after `kill -9`; what is broken or hostile beside it changes nothing."""

import logging
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mooring.modelserver.delivery import Delivery
from mooring.modelserver.errors import DiedPredicting
from mooring.modelserver.journal import HEADER, SLOT_BYTES, Journal
from mooring.modelserver.journals import Journals
from mooring.modelserver.suspicion import Suspicion

_KILLED = """
import os, sys
from pathlib import Path
from mooring.modelserver.journal import Journal
journal = Journal(Path(sys.argv[1]), slots=3)
journal.end(journal.begin(b"was-answered"))
for request in sys.argv[2:]:
    journal.begin(request.encode())
os.kill(os.getpid(), 9)
"""
_HOUR = 3600


def _kill_during(folder: Path, *requests: str) -> None:
    ended = subprocess.run([sys.executable, "-c", _KILLED, str(folder), *requests], timeout=60)
    assert ended.returncode == -9


def _mine(folder: Path) -> Journals:
    return Journals(Journal(folder, slots=1).path)


def test_after_a_kill_the_ids_are_there(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "journal"
    _kill_during(folder, "deadly", "beside-it")
    _kill_during(folder, "deadly")
    others = _mine(folder)
    deaths = {request: others.deaths(request.encode()) for request in ("deadly", "beside-it", "was-answered", "other")}
    assert deaths == {"deadly": 2, "beside-it": 1, "was-answered": 0, "other": 0}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_orderly_end_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path, slots=1)
    slot = journal.begin(b"slow")
    journal.remove()
    journal.end(slot)  # a prediction that has outlived the grace of the stop
    journal.remove()
    assert not list(tmp_path.iterdir())


def test_the_own_journal_is_not_held_against_a_request(tmp_path: Path) -> None:
    journal = Journal(tmp_path, slots=1)
    journal.begin(b"again")
    assert Journals(journal.path).deaths(b"again") == 0
    assert _mine(tmp_path).deaths(b"again") == 1


def test_more_predictions_than_slots_are_not_noted_and_not_hindered(tmp_path: Path) -> None:
    journal = Journal(tmp_path, slots=2)
    slots = [journal.begin(name) for name in (b"one", b"two", b"three")]
    others = _mine(tmp_path)
    assert [others.deaths(name) for name in (b"one", b"two", b"three")] == [1, 1, 0]
    for slot in slots:
        journal.end(slot)
    assert [others.deaths(name) for name in (b"one", b"two", b"three")] == [0, 0, 0]
    assert None not in (journal.begin(b"four"), journal.begin(b"five"))
    assert [others.deaths(name) for name in (b"four", b"five")] == [1, 1]


def test_threads_do_not_disturb_each_other(tmp_path: Path) -> None:
    journal, others, wrong = Journal(tmp_path, slots=8), _mine(tmp_path), list[int]()

    def predict(number: int) -> None:
        name = b"r%d" % number * (1 + number)
        for _ in range(300):
            slot = journal.begin(name)
            if slot is None or others.deaths(name) != 1:
                wrong.append(number)
            journal.end(slot)

    threads = [threading.Thread(target=predict, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not wrong


@pytest.mark.parametrize(
    "name", [b"", b"a" * 129, b"a b", b"a\0", b"\0", b"a\n", "ä".encode(), b"\xff\xfe", HEADER], ids=repr
)
def test_names_that_could_not_be_told_apart_are_not_taken(name: bytes) -> None:
    assert Delivery.of([(b"x-mooring-request-id", name), (b"x-envoy-attempt-count", b"2")]) is None


@pytest.mark.parametrize(("attempt", "repeated"), [(None, False), (b"1", False), (b"2", True), (b"x", True)])
def test_a_repeated_request_is_told_by_the_count(attempt: bytes | None, repeated: bool) -> None:
    headers = [(b"x-request-id", b"callers"), (b"x-mooring-request-id", b"a" * 128)]
    headers += [(b"x-envoy-attempt-count", attempt)] if attempt else []
    assert Delivery.of(headers) == Delivery(b"a" * 128, repeated)
    assert Delivery.of(headers[:1]) is None


def test_a_part_of_a_name_is_another_name(tmp_path: Path) -> None:
    Journal(tmp_path, slots=1).begin(b"a" * SLOT_BYTES)
    journal = Journal(tmp_path, slots=1)
    journal.end(journal.begin(b"longer-name"))
    journal.begin(b"short")
    others = _mine(tmp_path)
    names = [b"a" * SLOT_BYTES, b"a" * 127, b"short", b"shor", b"longer-name", b"onger-name", b"mooring journal 1"]
    assert [others.deaths(name) for name in names] == [1, 0, 1, 0, 0, 0, 0]


def test_what_is_no_journal_is_ignored_with_one_warning_each(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    _kill_during(tmp_path, "deadly")
    slot = b"deadly".ljust(SLOT_BYTES, b"\0")
    (tmp_path / "strange.journal").write_bytes(b"#" * SLOT_BYTES + slot)
    (tmp_path / "cut.journal").write_bytes(HEADER + slot[:-1])
    (tmp_path / "folder.journal").mkdir()
    (tmp_path / "link.journal").symlink_to(next(tmp_path.glob("*-*.journal")))
    os.mkfifo(tmp_path / "pipe.journal")
    (tmp_path / "being-made.journal").touch()
    (tmp_path / "no-journal").write_bytes(HEADER + slot)
    others = _mine(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert others.deaths(b"deadly") == others.deaths(b"deadly") == 1
        others.prune()
    for kind in ("strange", "cut", "folder", "link", "pipe"):
        assert caplog.text.count(f"{kind}.journal of another replica is ignored") == 1, kind
    assert len(caplog.messages) == 5


def test_a_folder_that_was_taken_away_is_survived(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    journal = Journal(tmp_path / "journal", slots=1)
    journal.remove()
    (tmp_path / "journal").rmdir()
    journal.end(journal.begin(b"still-works"))
    assert Journals(journal.path).deaths(b"anything") == 0
    assert "is ignored" in caplog.text


def _age(folder: Path, seconds: float) -> None:
    for path in folder.iterdir():
        then = path.stat().st_mtime - seconds
        os.utime(path, (then, then))


def test_journals_of_the_dead_are_kept_for_an_hour_from_when_they_were_found(tmp_path: Path) -> None:
    _kill_during(tmp_path, "deadly")
    _age(tmp_path, 50 * _HOUR)  # it ran for days, on a file system that does not count writes to memory
    others = _mine(tmp_path)
    others.prune()
    assert others.deaths(b"deadly") == 1
    _age(tmp_path, _HOUR - 60)
    others.prune()
    assert others.deaths(b"deadly") == 1
    _age(tmp_path, 120)
    others.prune()
    assert others.deaths(b"deadly") == 0


def test_journals_of_the_living_are_never_taken_away(tmp_path: Path) -> None:
    living = Journal(tmp_path, slots=1)
    others = _mine(tmp_path)
    for _ in range(2):
        _age(tmp_path, 50 * _HOUR)
        others.prune()
    living.begin(b"after-all")
    assert others.deaths(b"after-all") == 1


def test_64_journals_of_the_dead_are_kept(tmp_path: Path) -> None:
    for number in range(70):
        path = tmp_path / f"{number}-dead.journal"
        path.write_bytes(HEADER + (b"r%d" % number).ljust(SLOT_BYTES, b"\0"))
        os.utime(path, (path.stat().st_mtime + number - 100,) * 2)
        path.chmod(0o400)
    others = _mine(tmp_path)
    others.prune()
    assert [number for number in range(70) if not others.deaths(b"r%d" % number)] == list(range(6))


@pytest.mark.parametrize("max_deaths", [1, 2])
def test_a_request_is_refused_after_as_many_deaths_as_are_allowed(tmp_path: Path, max_deaths: int) -> None:
    done: list[str] = []

    def work() -> bytes:
        done.append("done")
        return b"answer"

    suspicion = Suspicion(Journal(tmp_path, slots=1), max_deaths=max_deaths)
    for _ in range(max_deaths):
        assert suspicion.run(Delivery(b"deadly", is_repeated=True), work) == b"answer"
        _kill_during(tmp_path, "deadly")
    with pytest.raises(DiedPredicting, match="died while it predicted this request"):
        suspicion.run(Delivery(b"deadly", is_repeated=True), work)
    assert suspicion.run(Delivery(b"innocent", is_repeated=True), work) == b"answer"
    assert suspicion.run(Delivery(b"deadly", is_repeated=False), work) == b"answer", "the first try asks nobody"
    assert len(done) == max_deaths + 2


def test_a_prediction_that_fails_is_over_as_well(tmp_path: Path) -> None:
    suspicion, others = Suspicion(Journal(tmp_path, slots=1), max_deaths=1), _mine(tmp_path)

    def work() -> bytes:
        assert others.deaths(b"failing") == 1
        raise KeyError("failing")

    with pytest.raises(KeyError):
        suspicion.run(Delivery(b"failing", is_repeated=False), work)
    assert others.deaths(b"failing") == 0
