"""How much time the gateway adds to a request, token check included, against the replica's own socket.

    .venv/bin/python -m bench.gateway_latency [--seconds 4] [--connections 1 8] [--json]

A tiny HTTP server on a unix socket stands for the replica. First the most that the gateway can pass on is measured
(`closed loop`), then both ways are driven at half of that rate in turns, and their quantiles compared.
"""

import argparse
import asyncio
import json
import os
import platform
import socket as sockets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import uvicorn
import uvloop
from rich.console import Console
from rich.table import Table

from bench.gateways import START_SECONDS, Client, gateway_options
from mooring.gateway.gateway import Gateway
from mooring.gateway.routes import DeploymentRoute, Routes

_BODY = b'{"inputs": [[5.1, 3.5, 1.4, 0.2]]}'
_PATH = "/v2/inference/deployments/dbench/invocations"
_ROUNDS = 5
_WARM_UP_SECONDS = 0.5


@dataclass(frozen=True)
class Target:
    """Where requests go: a unix socket, or a port of this machine."""

    name: str
    path: str
    socket: Path | None = None
    port: int = 0
    token: str = ""

    @property
    def request(self) -> bytes:
        lines = [f"POST {self.path} HTTP/1.1", "Host: bench", f"Content-Length: {len(_BODY)}"]
        if self.token:
            lines.append(f"Authorization: Bearer {self.token}")
        return "\r\n".join([*lines, "", ""]).encode() + _BODY


@dataclass(frozen=True)
class Result:
    """One way at one load. Times in milliseconds."""

    way: str
    connections: int
    requests_per_second: float
    p50: float
    p99: float


class Connection(asyncio.Protocol):
    """One connection with one request at a time; `latencies` in seconds."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._transport: asyncio.Transport | None = None
        self._received = b""
        self._begun = 0.0
        self._answered: asyncio.Future[None] | None = None
        self.latencies: list[float] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answered and not self._answered.done():
            self._answered.set_exception(exc or ConnectionError("closed under a request"))

    async def ask(self) -> None:
        assert self._transport is not None
        self._answered = asyncio.get_running_loop().create_future()
        self._received = b""
        self._begun = time.perf_counter()
        self._transport.write(self._request)
        await self._answered

    def data_received(self, data: bytes) -> None:
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]):
            return
        self.latencies.append(time.perf_counter() - self._begun)
        assert self._answered is not None
        if head.startswith(b"HTTP/1.1 200"):
            self._answered.set_result(None)
        else:
            self._answered.set_exception(ConnectionError(head.decode()))

    def close(self) -> None:
        if self._transport:
            self._transport.close()


async def _connect(target: Target) -> Connection:
    loop = asyncio.get_running_loop()
    if target.socket:
        _, connection = await loop.create_unix_connection(lambda: Connection(target.request), str(target.socket))
    else:
        _, connection = await loop.create_connection(lambda: Connection(target.request), "127.0.0.1", target.port)
    return connection


async def _drive(target: Target, connections: int, seconds: float, rate: float | None) -> list[float]:
    """Latencies in seconds. Without a rate, each connection asks again as soon as it is answered."""
    opened = [await _connect(target) for _ in range(connections)]
    end = time.perf_counter() + seconds
    pause = connections / rate if rate else 0.0
    await asyncio.gather(*(_ask_until(one, end, pause, turn / connections) for turn, one in enumerate(opened)))
    for one in opened:
        one.close()
    return [latency for one in opened for latency in one.latencies]


async def _ask_until(connection: Connection, end: float, pause: float, offset: float) -> None:
    due = time.perf_counter() + pause * offset
    while (now := time.perf_counter()) < end:
        if pause and due > now:
            await asyncio.sleep(due - now)
        await connection.ask()
        due += pause


def _measure(target: Target, connections: int, seconds: float, rate: float | None) -> Result:
    latencies = uvloop.run(_drive(target, connections, seconds, rate))
    cuts = statistics.quantiles(latencies, n=100)
    return Result(target.name, connections, len(latencies) / seconds, cuts[49] * 1000, cuts[98] * 1000)


def _middle(results: list[Result]) -> Result:
    """The medians of several rounds of the same measurement."""
    return Result(
        results[0].way,
        results[0].connections,
        statistics.median(result.requests_per_second for result in results),
        statistics.median(result.p50 for result in results),
        statistics.median(result.p99 for result in results),
    )


def _compare(targets: list[Target], connections: int, seconds: float) -> Iterator[Result]:
    for target in targets:
        _measure(target, connections, _WARM_UP_SECONDS, None)
    most = {target.name: _measure(target, connections, seconds, None) for target in targets}
    for result in most.values():
        yield Result(f"{result.way}, closed loop", *list(asdict(result).values())[1:])
    half = most[targets[-1].name].requests_per_second / 2
    # In turns, so that whatever else the machine does meets both ways alike.
    rounds = [[_measure(target, connections, seconds / _ROUNDS, half) for target in targets] for _ in range(_ROUNDS)]
    middles = [_middle(list(of_one)) for of_one in zip(*rounds, strict=True)]
    for result in middles:
        yield Result(f"{result.way}, half load", *list(asdict(result).values())[1:])
    direct, gateway = middles
    added = (gateway.p50 - direct.p50, gateway.p99 - direct.p99)
    yield Result("added by the gateway", connections, gateway.requests_per_second, *added)


@contextmanager
def _targets() -> Iterator[list[Target]]:
    """The replica's socket and the gateway in front of it, both running."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        socket = folder / "replica.sock"
        replica = subprocess.Popen([sys.executable, "-m", "bench.gateway_latency", "--serve", str(socket)])
        client = Client()
        gateway = Gateway(options := gateway_options(folder, _free_port(), client.key_set))
        try:
            _wait_for(socket)
            gateway.ensure_running()
            gateway.apply(Routes((DeploymentRoute("dbench", "default", (socket,)),)))
            yield [
                Target("replica's socket", "/invocations", socket=socket),
                Target("gateway", _PATH, port=options.port, token=client.token()),
            ]
        finally:
            gateway.stop(grace_seconds=1)
            replica.terminate()
            replica.wait(timeout=10)


def _free_port() -> int:
    with sockets.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(socket: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not socket.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"the replica has not made {socket} within {START_SECONDS} s")
        time.sleep(0.02)


Message = MutableMapping[str, Any]


async def _replica(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """The least that a replica can do: read the request, answer a few bytes."""
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/json"), (b"content-length", b"20")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b'{"predictions": [0]}'})


def _show(results: list[Result]) -> None:
    table = Table(title=f"Latency of the gateway, {platform.machine()}, {_cores()} cores, token check on")
    for column in ("way", "connections", "requests/s", "p50 ms", "p99 ms"):
        table.add_column(column, justify="left" if column == "way" else "right")
    for result in results:
        numbers = (f"{result.requests_per_second:,.0f}", f"{result.p50:.3f}", f"{result.p99:.3f}")
        table.add_row(result.way, str(result.connections), *numbers)
    Console().print(table)


def _cores() -> int:
    return len(os.sched_getaffinity(0))


def main(argv: Sequence[str] | None = None) -> None:
    """Measure and print. Without `argv`, the command line says how."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4.0, help="per measurement")
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--json", action="store_true", help="JSON instead of a table")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    arguments = parser.parse_args(argv)
    if arguments.serve:
        uvicorn.run(_replica, uds=arguments.serve, log_level="error", access_log=False, timeout_keep_alive=75)
        return
    with _targets() as targets:
        results = [
            result
            for connections in arguments.connections
            for result in _compare(targets, connections, arguments.seconds)
        ]
    if arguments.json:
        print(json.dumps([asdict(result) for result in results], indent=2))
    else:
        _show(results)


if __name__ == "__main__":
    main()
