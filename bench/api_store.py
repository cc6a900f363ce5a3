"""Calls of the API with a full store, on SQLite and PostgreSQL: how long they take, beside whom, in how much memory."""

import itertools
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import full_store, postgresql
from bench.api_calls import Caller, repeated
from bench.system import MeasuredInstallation, installation
from bench.tables import Row, print_table
from mooring.home import Home
from mooring.store.database import Database

_GROUP = "measured"
_OTHERS = 5
_TIMES = 300
_WHOLE_TIMES = 5
_BESIDE_TIMES = 600
_REST_SECONDS = 10
_ALL = "/v2/lm/configurations?$top=100000"
_NEW = {
    "name": "new",
    "scenarioId": "mooring",
    "executableId": "model-server",
    "parameterBindings": [{"key": "modelUri", "value": "models:/wine/1"}],
}


@dataclass(frozen=True)
class _Call:
    what: str
    path: str
    times: int = _TIMES
    body: object = None


_CALLS = (
    _Call("configurations: create", "/v2/lm/configurations", body=_NEW),
    _Call("configurations: first 100", "/v2/lm/configurations?$top=100"),
    _Call("configurations: filtered, 100 of 100,000", "/v2/lm/configurations?scenarioId=scenario-rare"),
    _Call("configurations: count", "/v2/lm/configurations/$count", 50),
    _Call("configurations: search, 1 of 100,000", "/v2/lm/configurations?$search=configuration+54321", 20),
    _Call("configurations: all 100,000", _ALL, _WHOLE_TIMES),
    _Call("artifacts: first 100", "/v2/lm/artifacts?$top=100"),
    _Call("artifacts: filtered by name, 20 of 20,000", "/v2/lm/artifacts?name=artifact-rare"),
    _Call("artifacts: all 20,000", "/v2/lm/artifacts?$top=100000", _WHOLE_TIMES),
    _Call("executions: first 100", "/v2/lm/executions?$top=100"),
    _Call("executions: filtered by status, 20 of 20,000", "/v2/lm/executions?status=DEAD"),
    _Call("executions: all 20,000", "/v2/lm/executions?$top=100000", _WHOLE_TIMES),
    _Call("deployments: first 100", "/v2/lm/deployments?$top=100"),
    _Call("deployments: all 2,000", "/v2/lm/deployments", _WHOLE_TIMES),
)


def main() -> None:
    """Both kinds of store, the second only where it is installed."""
    _measure("SQLite")
    if postgresql.is_installed():
        with postgresql.postgresql() as url:
            _measure("PostgreSQL", url)


def _measure(kind: str, url: str | None = None) -> None:
    with _store_in_environment(url), installation() as mooring:
        home = Home(mooring.home)
        database = Database(url or f"sqlite:///{home.database}")
        caller = Caller(home.control_socket, {**mooring.headers(), "AI-Resource-Group": _GROUP})
        full_store.fill(database, _GROUP)
        full_store.tidy(database)
        alone = _medians(caller)
        beside = _beside(mooring, caller)
        for number in range(_OTHERS):
            full_store.fill(database, f"other-{number}")
        full_store.tidy(database)
        crowded = _medians(caller)
        beside.append(_at_rest(mooring))
        total = full_store.rows(database)
        database.close()
    print_table(f"{kind}: p50 / p99 of a call; then with {_OTHERS} other groups of that size", *_rows(alone, crowded))
    print_table(
        f"{kind}: the control plane, and somebody else's get of one configuration; {total:,} rows in the end", *beside
    )


@contextmanager
def _store_in_environment(url: str | None) -> Iterator[None]:
    """For the processes started in the block."""
    if url is None:
        yield
        return
    os.environ["MOORING_DATABASE_URL"] = url
    try:
        yield
    finally:
        del os.environ["MOORING_DATABASE_URL"]


def _medians(caller: Caller) -> dict[str, list[float]]:
    measured = {"configurations: get": caller.milliseconds(_some_configuration(caller), times=_TIMES)}
    for call in _CALLS:
        measured[call.what] = caller.milliseconds(lambda path=call.path: path, times=call.times, body=call.body)  # type: ignore[misc]
    return measured


def _some_configuration(caller: Caller) -> Callable[[], str]:
    """The path of another configuration each time."""
    found = itertools.cycle(caller.items("/v2/lm/configurations?$top=1000&$skip=50000"))
    return lambda: f"/v2/lm/configurations/{next(found)['id']}"


def _rows(alone: dict[str, list[float]], crowded: dict[str, list[float]]) -> list[Row]:
    return [Row(what, _figure(alone[what]), _figure(crowded[what])) for what in alone]


def _beside(mooring: MeasuredInstallation, caller: Caller) -> list[Row]:
    pid = _control_plane(mooring)
    get, rows = _some_configuration(caller), []
    rows.append(_beside_row("alone", pid, caller, get))
    for clients in (1, 4):
        with repeated(caller, _ALL, clients):
            rows.append(_beside_row(f"while {clients} list all 100,000 in a loop", pid, caller, get))
    return rows


def _control_plane(mooring: MeasuredInstallation) -> int:
    return next(int(process["pid"]) for process in mooring.processes() if process["name"] == "control-plane")


def _at_rest(mooring: MeasuredInstallation) -> Row:
    """What the loops of the control plane take when there is nothing to do."""
    pid = _control_plane(mooring)
    before = _cpu_seconds(pid)
    time.sleep(_REST_SECONDS)
    percent = (_cpu_seconds(pid) - before) / _REST_SECONDS * 100
    return Row("nobody calls", "", f"control plane takes {percent:.1f} % of a core")


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _beside_row(what: str, pid: int, caller: Caller, get: Callable[[], str]) -> Row:
    before = _resident_mib(pid, "VmRSS")
    Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak is counted from here on
    taken = caller.milliseconds(get, times=_BESIDE_TIMES)
    peak, after = _resident_mib(pid, "VmHWM"), _resident_mib(pid, "VmRSS")
    return Row(what, _figure(taken), f"control plane {before:.0f} MiB before, {peak:.0f} at most, {after:.0f} after")


def _resident_mib(pid: int, field: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:")) / 1024


def _figure(milliseconds: list[float]) -> str:
    """p99 of a few calls is the slowest of them."""
    ordered = sorted(milliseconds)
    p99 = ordered[min(len(ordered) - 1, round(len(ordered) * 0.99))]
    return f"{statistics.median(ordered):.1f} / {p99:.1f} ms"
