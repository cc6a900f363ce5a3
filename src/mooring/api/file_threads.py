"""Threads for files. An object store may be slow, or somebody's trap: then files wait for it, and nothing else does.

All other handlers share the framework's threads. A group's files have few at a time, so that one group whose store
hangs does not keep the others from theirs. Whoever waits holds no thread.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from typing import ParamSpec, TypeVar
from weakref import WeakValueDictionary

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

OF_A_GROUP = 8
_OF_ALL = 64

_P = ParamSpec("_P")
_T = TypeVar("_T")
_all: RunVar[CapacityLimiter] = RunVar("mooring_file_threads")
_groups: RunVar[WeakValueDictionary[str, CapacityLimiter]] = RunVar("mooring_file_threads_of_groups")


class FileThreads:
    """The threads for the files of one group; for one request, in the event loop that this is made in."""

    def __init__(self, group: str) -> None:
        self._all = _get(_all, lambda: CapacityLimiter(_OF_ALL))
        groups = _get(_groups, WeakValueDictionary[str, CapacityLimiter])
        self._group = groups.setdefault(group, CapacityLimiter(OF_A_GROUP))

    async def run(self, function: Callable[_P, _T], *arguments: _P.args, **options: _P.kwargs) -> _T:
        """What the function returns or raises."""
        async with self._group:
            return await to_thread.run_sync(lambda: function(*arguments, **options), limiter=self._all)

    @asynccontextmanager
    async def within(self, manager: AbstractContextManager[_T]) -> AsyncIterator[_T]:
        """A context manager whose two ends may take long."""
        entered = await self.run(manager.__enter__)
        try:
            yield entered
        except Exception as error:
            if not await self._leave(manager, error):
                raise
        else:
            await self._leave(manager, None)

    async def _leave(self, manager: AbstractContextManager[_T], error: Exception | None) -> bool:
        # Without waiting for a thread: what is held has to be given back.
        kind, traceback = (type(error), error.__traceback__) if error else (None, None)
        return bool(await to_thread.run_sync(manager.__exit__, kind, error, traceback, limiter=CapacityLimiter(1)))


def _get(variable: RunVar[_T], make: Callable[[], _T]) -> _T:
    """What the event loop has; made when it has none."""
    try:
        return variable.get()
    except LookupError:
        value = make()
        variable.set(value)
        return value
