"""Work in the background: so many at a time and no more, tried again where that may help, and told in words."""

import threading

import pytest
from sqlalchemy.exc import OperationalError

from mooring.artifacts.errors import ChangedMeanwhile, SourceAway
from mooring.controllers.errands import Errands, JobFailed
from mooring.domain.errands import Errand
from mooring.errors import NotFound
from mooring.runtimes.base import ImageAway, ImageError
from mooring.store.vault import CannotOpen


def outcome_of(error: Exception, *passing: type[Exception]) -> Errand:
    """How an errand stands that ended so."""
    ended = threading.Event()
    errands = Errands("test", parallel=1, on_change=ended.set, passing=passing)

    def work() -> None:
        raise error

    errands.begin("a", work)
    assert ended.wait(10)
    return errands.state("a")


def test_of_many_so_many_are_under_way_and_the_others_may_not_begin() -> None:
    leave, ended = threading.Event(), threading.Semaphore(0)
    errands = Errands("test", parallel=2, on_change=ended.release)
    threads = threading.active_count()

    def work() -> None:
        leave.wait(10)

    for id_ in ("a", "b", "c"):
        errands.begin(id_, work)
    assert threading.active_count() == threads + 2
    assert errands.state("c") == Errand(may_begin=False)
    errands.forget("a")  # its thread still counts
    assert not errands.state("c").may_begin
    leave.set()
    assert ended.acquire(timeout=10)
    assert ended.acquire(timeout=10)
    assert errands.state("c").may_begin
    assert errands.state("b").done


@pytest.mark.parametrize(
    "error",
    [SourceAway("x"), ChangedMeanwhile("x"), ImageAway("x"), OSError(28, "x"), OperationalError("x", {}, Exception())],
)
def test_what_may_pass_is_a_trouble_and_not_tried_again_at_once(error: Exception) -> None:
    state = outcome_of(error)
    assert (state.done, state.failure, state.may_begin) == (False, None, False)
    assert state.trouble
    assert state.since


@pytest.mark.parametrize("error", [ImageError("x"), CannotOpen("x"), JobFailed("x"), NotFound("x"), OSError(13, "x")])
def test_what_will_not_pass_is_a_failure_in_words(error: Exception) -> None:
    state = outcome_of(error)
    assert (state.done, state.trouble) == (False, None)
    assert state.failure in ("x", "x on this machine")


def test_what_passes_for_some_only_is_said_by_them() -> None:
    assert outcome_of(NotFound("x"), NotFound).trouble == "x"
    assert outcome_of(NotFound("x")).failure == "x"
