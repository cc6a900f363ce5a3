"""A model that cannot be fetched now is fetched later; one that never can is told at once."""

import threading
import time
from pathlib import Path

import pytest

from mooring.artifacts.errors import ModelMissing, SourceAway
from mooring.controllers.preparation import Preparations
from mooring.controllers.supplies import Stock
from mooring.domain.errands import Errand
from mooring.domain.revisions import ModelServerSpec, RevisionSpec, to_json

SPEC = ModelServerSpec("models:/wine/1", "wine", "1", "starter")


class Source:
    """Does what its list says, one entry per call; the last one for ever."""

    def __init__(self, *outcomes: Exception | Path) -> None:
        self.calls = 0
        self._outcomes = list(outcomes)

    def fetch(self, _group: str, _spec: RevisionSpec, _known: Stock) -> Stock:
        self.calls += 1
        outcome = self._outcomes.pop(0) if len(self._outcomes) > 1 else self._outcomes[0]
        if isinstance(outcome, Exception):
            raise outcome
        return Stock(outcome)


def state_of(preparations: Preparations, known_folder: Path | None = None) -> Errand:
    return preparations.state("v1", to_json(SPEC), Stock(known_folder))


def prepared(preparations: Preparations, changed: threading.Event, known_folder: Path | None = None) -> None:
    """Do as the plan does until the preparation is done or has failed."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        state = state_of(preparations, known_folder)
        if state.done or state.failure:
            return
        if state.may_begin:
            preparations.begin("v1", "default", SPEC)
        changed.wait(0.2)
    raise AssertionError("neither done nor failed")


def test_a_source_that_was_away_is_asked_again(tmp_path: Path) -> None:
    changed = threading.Event()
    source = Source(SourceAway("MLflow is away"), tmp_path)
    preparations = Preparations(source.fetch, on_change=changed.set)
    preparations.begin("v1", "default", SPEC)
    assert changed.wait(10)
    state = state_of(preparations)
    assert (state.done, state.failure, state.trouble) == (False, None, "MLflow is away")
    assert state.may_begin is False, "not at once again"
    prepared(preparations, changed)
    assert preparations.stock("v1") == Stock(tmp_path)
    assert state_of(preparations).trouble is None


def test_what_is_not_there_is_a_failure(tmp_path: Path) -> None:
    changed = threading.Event()
    preparations = Preparations(Source(ModelMissing("no version 1")).fetch, on_change=changed.set)
    prepared(preparations, changed)
    assert state_of(preparations).failure == "no version 1"


def test_a_defect_is_a_failure_and_not_a_silence(tmp_path: Path) -> None:
    changed = threading.Event()
    preparations = Preparations(Source(ZeroDivisionError("oh")).fetch, on_change=changed.set)
    prepared(preparations, changed)
    assert "oh" in (state_of(preparations).failure or "")


def test_a_model_that_an_earlier_control_plane_fetched_is_used_as_it_is(tmp_path: Path) -> None:
    source = Source(SourceAway("never asked"))
    preparations = Preparations(source.fetch, on_change=lambda: None)
    assert state_of(preparations, tmp_path).done
    assert source.calls == 0


def test_a_fetched_model_that_has_vanished_is_fetched_again(tmp_path: Path) -> None:
    changed = threading.Event()
    preparations = Preparations(Source(tmp_path).fetch, on_change=changed.set)
    assert not state_of(preparations, tmp_path / "gone").done
    prepared(preparations, changed, tmp_path / "gone")


@pytest.mark.parametrize("times", [1, 5])
def test_it_is_fetched_once_however_often_it_is_asked_for(tmp_path: Path, times: int) -> None:
    changed = threading.Event()
    source = Source(tmp_path)
    preparations = Preparations(source.fetch, on_change=changed.set)
    for _ in range(times):
        preparations.begin("v1", "default", SPEC)
    assert changed.wait(10)
    assert state_of(preparations).done
    assert source.calls <= times
