"""Progress on long work: a live line on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console

console = Console(stderr=True)


@contextmanager
def progress(title: str) -> Iterator[Callable[[str], None]]:
    """Yields a function that is told what is being done now; each finished piece is shown with its seconds."""
    steps = _Steps()
    with console.status(title) as status:

        def report(doing: str) -> None:
            steps.next(doing)
            status.update(f"{title}: {doing} …")

        yield report
        steps.next(None)


class _Steps:
    def __init__(self) -> None:
        self._doing: str | None = None
        self._began = 0.0

    def next(self, doing: str | None) -> None:
        now = time.monotonic()
        if self._doing:
            console.print(f"  [green]✓[/] {self._doing} [dim]{now - self._began:.1f} s[/]", highlight=False)
        self._doing, self._began = doing, now
