"""What makes a model without a mark go, and what does not."""

import logging
from collections.abc import Collection
from pathlib import Path

import pytest

from mooring.builder.registry import Entry, RegisteredModel
from mooring.builder.removals import Removals
from mooring.builder.sightings import Sightings
from mooring.builder.snapshot import Snapshot

HERE, ELSEWHERE = "1700000000000", "1800000000000"


def removals(file: Path | None = None, *, unmarked_seconds: float = 0, deleted_seconds: float = 0) -> Removals:
    return Removals(Sightings(file), unmarked_seconds=unmarked_seconds, deleted_seconds=deleted_seconds)


def holding(*models: str, identity: str | None = HERE) -> Snapshot:
    return Snapshot(identity, {name: Entry(RegisteredModel(name)) for name in models})


def look(at: Removals, snapshot: Snapshot, *, wanted: Collection[str] = (), deployed: Collection[str] = ("m",)) -> bool:
    """Whether `m` is to go, after this look."""
    at.look(snapshot, wanted=wanted, deployed=deployed)
    return "m" not in wanted and at.due("m")


def test_a_model_without_a_mark_goes_once_that_has_lasted() -> None:
    assert look(removals(), holding("m"))
    assert look(removals(), holding("m", identity=None))
    assert not look(removals(unmarked_seconds=1000), holding("m"))


def test_a_model_deleted_from_the_registry_that_had_it_goes_once_that_has_lasted() -> None:
    for seconds, goes in ((0, True), (1000, False)):
        at = removals(deleted_seconds=seconds)
        look(at, holding("m"), wanted=["m"])
        assert look(at, holding()) is goes


@pytest.mark.parametrize("identity", [ELSEWHERE, None])
def test_a_model_missing_in_another_registry_stays_and_is_named_once(
    identity: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    at = removals()
    look(at, holding("m", "n"), wanted=["m", "n"], deployed=["m", "n"])
    for _ in range(3):
        assert not look(at, holding("n", identity=identity))
        at.restart_clocks()

    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "model m is not in the registry" in record.getMessage()


def test_the_registry_that_is_back_again_is_believed_again() -> None:
    at = removals(unmarked_seconds=1000)
    look(at, holding("m"), wanted=["m"])
    assert not look(at, holding(identity=ELSEWHERE))
    assert look(at, holding())


def test_what_the_other_registry_deploys_can_be_deleted_there() -> None:
    at = removals(unmarked_seconds=1000)
    look(at, holding("m"), wanted=["m"])
    look(at, holding("m", identity=ELSEWHERE), wanted=["m"])
    assert not look(at, holding(identity=HERE))
    assert look(at, holding(identity=ELSEWHERE))


def test_a_deleted_model_that_is_registered_anew_has_the_time_to_be_marked() -> None:
    at = removals(unmarked_seconds=1000)
    look(at, holding("m"), wanted=["m"])
    assert look(at, holding())
    assert not look(at, holding("m"))


def test_a_restart_remembers_what_was_where_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "not yet there" / "sightings.json"
    look(removals(file), holding("m", "n", "other"), wanted=["m"], deployed=["n"])
    assert look(removals(file), holding())
    assert file.read_text() == '{"m": "1700000000000"}'

    assert not look(removals(file), holding(identity=ELSEWHERE))
    assert not look(removals(None), holding())


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"m": 7}', b"[" * 500_000, b"\xff"])
def test_a_broken_memory_keeps_the_model(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "sightings.json"
    file.write_bytes(content)
    at = removals(file)
    assert not look(at, holding())

    look(at, holding("m"), wanted=["m"])
    assert look(removals(file), holding())


def test_a_memory_that_cannot_be_written_is_told_once_and_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_bytes(b"")
    at = removals(tmp_path / "file" / "sightings.json")
    for _ in range(3):
        look(at, holding("m"), wanted=["m"])
    assert look(at, holding())

    assert len([each for each in caplog.messages if "cannot be written" in each]) == 1
