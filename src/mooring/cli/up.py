"""`mooring up`, in the foreground and detached."""

import json
import os
import shlex
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit, urlunsplit

import typer
from pydantic import SecretStr
from rich.console import Console

from mooring import processes
from mooring.cli.progress import progress
from mooring.home import Home
from mooring.settings import Settings
from mooring.system.errors import CannotStart
from mooring.system.shutdown import shut_down_the_rest
from mooring.system.status import installation_status

if TYPE_CHECKING:
    from mooring.system.installation import Installation

_POLL_SECONDS = 0.1
_DETACHED_START_SECONDS = 120.0


def up_in_foreground(settings: Settings) -> None:
    """Run until a signal: SIGINT ends everything, SIGTERM the control plane only."""
    from mooring.system.installation import Installation  # the whole control plane: not for who only waits for it

    signals = _Signals()
    installation = Installation(settings)
    try:
        with progress("mooring up") as report:
            installation.start(report)
    except BaseException:
        signals.impatient = True
        installation.abandon()
        raise
    signals.starting = False
    _welcome(installation)
    signals.wait()
    with progress("mooring down") as report:
        report("ending the control plane")
        installation.close()
        if signal.SIGINT in signals.received:
            shut_down_the_rest(settings, report)


class _Signals:
    """SIGINT and SIGTERM: during the start they break it off, later they end the waiting; a second one is not waited
    for."""

    def __init__(self) -> None:
        self.received: list[int] = []
        self.starting = True
        self.impatient = False
        self._ending = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)

    def wait(self) -> None:
        self._ending.wait()

    def _on_signal(self, number: int, _frame: object) -> None:
        if self.impatient or self.received:
            os._exit(128 + number)
        self.received.append(number)
        self._ending.set()
        if self.starting:
            raise KeyboardInterrupt


def up_detached(settings: Settings) -> None:
    """Start `mooring up` in a session of its own and wait until it is ready. Raises CannotStart."""
    if processes.running(Home(settings.home).control_plane_record):
        raise CannotStart(f"Mooring runs already in {settings.home}. See `mooring status`; end it with `mooring down`.")
    os.umask(0o077)
    output = settings.home / "logs" / "up.log"
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    output.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    output.unlink(missing_ok=True)
    child = processes.spawn_detached([sys.executable, "-m", "mooring", "up"], log=output, env=_environment(settings))
    with progress("mooring up") as report:
        report("waiting until everything is ready")
        deadline = time.monotonic() + _DETACHED_START_SECONDS
        while not installation_status(settings).ready:
            if not processes.is_alive(child):
                raise CannotStart(_last_words(output))
            if time.monotonic() > deadline:
                raise CannotStart(f"not ready after {_DETACHED_START_SECONDS:g} s; see {output}")
            time.sleep(_POLL_SECONDS)
    found = installation_status(settings)
    typer.echo(f"Mooring runs at {found.address} (process {found.pid_of('control-plane')}).")
    typer.echo("See `mooring status`; end it with `mooring down`.")


def _environment(settings: Settings) -> dict[str, str]:
    """The settings travel in the environment, not in the process list, because one of them may hold a password."""
    given = {f"MOORING_{name.upper()}": _text(name, value, settings) for name, value in settings if value is not None}
    return {**os.environ, **given, "COLUMNS": "200"}


def _text(name: str, value: object, settings: Settings) -> str:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, tuple | dict):
        return json.dumps(settings.model_dump(mode="json", include={name})[name])
    return str(value)


def _last_words(output: Path) -> str:
    said = output.read_text(errors="replace").strip()
    reason = said.rpartition("mooring: ")[2] or "it ended without a word"
    return f"{reason} (output: {output})"


def _without_password(url: str | None) -> str:
    if url is None:
        return "none (start with --with-mlflow, or name one with --mlflow-uri)"
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def _welcome(installation: "Installation") -> None:
    console = Console(stderr=True)
    url, home = installation.address.public_url, installation.home.path
    exports = f"{sys.argv[0]} env --home {shlex.quote(str(home))}"
    console.print(f"\n[bold]Mooring[/] is ready at [bold cyan]{url}[/]", highlight=False)
    rows = [
        ("AI API", f"{url}/v2  (documentation: {url}/docs)"),
        ("MLflow", _without_password(installation.mlflow_url)),
        (
            "Credentials",
            f'{installation.home.service_key}, or: eval "$({exports})"',
        ),
        ("Logs", str(installation.home.logs)),
    ]
    for name, value in rows:
        console.print(f"  [dim]{name:<12}[/]{value}", highlight=False)
    console.print("  [dim]Ctrl-C ends everything.[/]\n")
