"""A model that cannot be fetched now is fetched later; one that never can is told at once."""

import threading
import time
from pathlib import Path

import pytest

from mooring.artifacts.cache import ModelCache
from mooring.artifacts.errors import ModelMissing, SourceAway
from mooring.controllers.preparation import Preparations


class Cache(ModelCache):
    """Does what its list says, one entry per call; the last one for ever."""

    def __init__(self, folder: Path, *outcomes: Exception | Path) -> None:
        super().__init__(folder)
        self.calls = 0
        self._outcomes = list(outcomes)

    def ensure(self, uri: str) -> Path:  # noqa: ARG002 (the name is part of what it stands for)
        self.calls += 1
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


def prepared(preparations: Preparations, changed: threading.Event, known_folder: str | None = None) -> None:
    """Do as the plan does until the preparation is done or has failed."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        state = preparations.state("v1", known_folder)
        if state.done or state.failure:
            return
        if state.may_begin:
            preparations.begin("v1", "models:/wine/1")
        changed.wait(0.2)
    raise AssertionError("neither done nor failed")


def test_a_source_that_was_away_is_asked_again(tmp_path: Path) -> None:
    changed = threading.Event()
    cache = Cache(tmp_path / "cache", SourceAway("MLflow is away"), tmp_path)
    preparations = Preparations(cache, on_change=changed.set)
    preparations.begin("v1", "models:/wine/1")
    assert changed.wait(10)
    state = preparations.state("v1", None)
    assert (state.done, state.failure, state.trouble) == (False, None, "MLflow is away")
    assert state.may_begin is False, "not at once again"
    prepared(preparations, changed)
    assert preparations.folder("v1") == tmp_path
    assert preparations.state("v1", None).trouble is None


def test_what_is_not_there_is_a_failure(tmp_path: Path) -> None:
    changed = threading.Event()
    preparations = Preparations(Cache(tmp_path, ModelMissing("no version 1")), on_change=changed.set)
    prepared(preparations, changed)
    assert preparations.state("v1", None).failure == "no version 1"


def test_a_defect_is_a_failure_and_not_a_silence(tmp_path: Path) -> None:
    changed = threading.Event()
    preparations = Preparations(Cache(tmp_path, ZeroDivisionError("oh")), on_change=changed.set)
    prepared(preparations, changed)
    assert "oh" in (preparations.state("v1", None).failure or "")


def test_a_model_that_an_earlier_control_plane_fetched_is_used_as_it_is(tmp_path: Path) -> None:
    cache = Cache(tmp_path, SourceAway("never asked"))
    preparations = Preparations(cache, on_change=lambda: None)
    assert preparations.state("v1", str(tmp_path)).done
    assert cache.calls == 0


def test_a_fetched_model_that_has_vanished_is_fetched_again(tmp_path: Path) -> None:
    changed = threading.Event()
    preparations = Preparations(Cache(tmp_path, tmp_path), on_change=changed.set)
    assert not preparations.state("v1", str(tmp_path / "gone")).done
    prepared(preparations, changed, str(tmp_path / "gone"))


@pytest.mark.parametrize("times", [1, 5])
def test_it_is_fetched_once_however_often_it_is_asked_for(tmp_path: Path, times: int) -> None:
    changed = threading.Event()
    cache = Cache(tmp_path, tmp_path)
    preparations = Preparations(cache, on_change=changed.set)
    for _ in range(times):
        preparations.begin("v1", "models:/wine/1")
    assert changed.wait(10)
    assert preparations.state("v1", None).done
    assert cache.calls <= times
