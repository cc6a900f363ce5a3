"""How a demo is told: steps that are timed, an end that leaves nothing running, and an exit code that is true."""

import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.table import Table

from demo.installation import DemoInstallation

WAIT_SECONDS = 60.0
_BROKEN_OFF = 130
_console = Console()
_seconds: dict[str, float] = {}


def tell(name: str, installation: DemoInstallation, story: Callable[[], None]) -> int:
    """Run the story to its end, whatever that is. 0 only when everything went as promised."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _break_off)
    folder = installation.folder
    try:
        story()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 (whatever it is, say so and clean up)
        broken_off = isinstance(error, KeyboardInterrupt)
        reason = "broken off" if broken_off else str(error) or type(error).__name__
        _console.print(f"\n[bold red]The {name} failed:[/] {reason}", highlight=False, soft_wrap=True)
        installation.down()
        logs = installation.home / "logs"
        _console.print(f"Logs are in {logs} (remove them with rm -r {folder})", highlight=False, soft_wrap=True)
        return _BROKEN_OFF if broken_off else 1
    shutil.rmtree(folder)
    _console.print("\n[bold green]Done.[/] Everything that was started has ended.\n")
    return 0


def times() -> Table:
    """How long each step has taken so far."""
    table = Table("step", "seconds", box=None, title="How long each step took", title_justify="left")
    for name, seconds in _seconds.items():
        table.add_row(name, f"{seconds:.1f}")
    return table


@contextmanager
def step(name: str) -> Iterator[None]:
    """Show that it is under way, and afterwards how long it took."""
    began = time.monotonic()
    with _console.status(f"{name} …"):
        yield
    _seconds[name] = time.monotonic() - began
    _console.print(f"[green]✓[/] {name} [dim]{_seconds[name]:.1f} s[/]", highlight=False)


def wait_for(condition: Callable[[], bool], otherwise: str, *, seconds: float = WAIT_SECONDS) -> None:
    """Raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"{otherwise} after {seconds:g} s")
        time.sleep(0.05)


def _break_off(_number: int, _frame: object) -> None:
    raise KeyboardInterrupt
