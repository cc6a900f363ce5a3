"""An installation to measure, and what its processes take."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

_COMMAND_SECONDS = 180
_MIB = 1024


class MeasuredInstallation:
    """`mooring up` in a temporary home, driven as a user would."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        self._arguments = arguments

    def command(self, *arguments: str) -> str:
        program = str(Path(sys.executable).parent / "mooring")
        environment = {**os.environ, "MOORING_HOME": str(self.home)}
        done = subprocess.run(
            [program, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=True,
        )
        return done.stdout

    def up(self) -> None:
        self.command("up", "--port", "0", "--detach", *self._arguments)

    def down(self) -> None:
        self.command("down")

    def processes(self) -> list[dict[str, Any]]:
        return list(json.loads(self.command("status", "--json"))["processes"])

    @property
    def key(self) -> dict[str, Any]:
        return dict(json.loads((self.home / "service-key.json").read_text()))

    @property
    def url(self) -> str:
        return str(self.key["url"])

    @property
    def mlflow_url(self) -> str:
        return str(next(p["detail"] for p in self.processes() if p["name"] == "mlflow"))

    def headers(self) -> dict[str, str]:
        key = self.key
        form = {"grant_type": "client_credentials"}
        answer = httpx.post(f"{self.url}/oauth/token", data=form, auth=(key["clientid"], key["clientsecret"]))
        return {"Authorization": f"Bearer {answer.raise_for_status().json()['access_token']}"}


@contextmanager
def installation(*arguments: str) -> Iterator[MeasuredInstallation]:
    """Up for as long as the block runs."""
    with tempfile.TemporaryDirectory(prefix="mooring-bench-") as folder:
        measured = MeasuredInstallation(Path(folder), *arguments)
        measured.up()
        try:
            yield measured
        finally:
            measured.down()


def memory_mib(pid: int) -> tuple[float, float]:
    """Proportional and private memory (PSS, USS) of one process, in MiB."""
    fields: dict[str, int] = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
        name, value, *_ = line.split()
        fields[name.rstrip(":")] = int(value)
    private = fields["Private_Clean"] + fields["Private_Dirty"]
    return fields["Pss"] / _MIB, private / _MIB


def process_family(pid: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    family, pending = [], [pid]
    while pending:
        current = pending.pop()
        family.append(current)
        pending += children.get(current, [])
    return family


def seconds_until(condition: Callable[[], bool], *, timeout_seconds: float = 60) -> float:
    """How long until it is true. Raises TimeoutError."""
    began = time.perf_counter()
    while not condition():
        if time.perf_counter() - began > timeout_seconds:
            raise TimeoutError(f"not within {timeout_seconds:g} s")
        time.sleep(0.005)
    return time.perf_counter() - began
