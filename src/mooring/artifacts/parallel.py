"""Several at a time, never more of them begun than threads."""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor


def in_parallel(tasks: Iterable[Callable[[], None]], threads: int, given_up: threading.Event) -> None:
    """Carry out all tasks. They are asked for one by one, so there may be very many.

    After the first that fails, `given_up` is set, nothing more is begun, and its error is raised once all have ended.
    """
    left = _Shared(iter(tasks))

    def work() -> None:
        try:
            while not given_up.is_set() and (task := left.next()):
                task()
        except BaseException:
            given_up.set()
            raise

    with ThreadPoolExecutor(threads, thread_name_prefix="transfer") as pool:
        workers = [pool.submit(work) for _ in range(threads)]
    failures = [error for each in workers if (error := each.exception())]
    if failures:
        raise next((error for error in failures if not isinstance(error, GivenUp)), failures[0])


class GivenUp(Exception):
    """Another task has failed: this one stopped because of it."""


class _Shared:
    def __init__(self, tasks: Iterator[Callable[[], None]]) -> None:
        self._tasks = tasks
        self._lock = threading.Lock()

    def next(self) -> Callable[[], None] | None:
        with self._lock:
            return next(self._tasks, None)
