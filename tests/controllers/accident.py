"""The control plane dies at a chosen point: nothing that it would have done from there on happens."""

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from mooring.store.database import Database


class Killed(SystemExit):
    """Not an Exception, so that nobody catches it; and threads end of it without a word."""


@dataclass
class Accident:
    """The `fatal` point is the last one that is reached. Points are counted over all threads.

    They lie before each act and not after it as well: what was done by then is the same, and the dead remember nothing.
    """

    fatal: int
    reached: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def has_happened(self) -> bool:
        return self.reached >= self.fatal

    def point(self) -> None:
        with self._lock:
            self.reached += 1
            if self.reached >= self.fatal:
                raise Killed

    def around(self, act: Callable[..., Any]) -> Callable[..., Any]:
        """May happen before it."""

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.point()
            return act(*args, **kwargs)

        return wrapped

    def around_methods(self, thing: Any, *names: str) -> Any:
        """A copy of the thing with points around these methods."""
        twin = copy.copy(thing)
        for name in names:
            object.__setattr__(twin, name, self.around(getattr(thing, name)))
        return twin

    def store(self, database: Database) -> Database:
        """May happen before a transaction, and before it is committed (then it is not)."""
        twin = copy.copy(database)

        @contextmanager
        def transaction() -> Iterator[Session]:
            self.point()
            with database.transaction() as session:
                yield session
                self.point()

        twin.transaction = transaction  # type: ignore[method-assign]
        return twin
