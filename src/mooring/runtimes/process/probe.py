"""Asking a replica whether it may get traffic, as cheaply as possible: one short exchange with it."""

import socket
import time
from pathlib import Path

from mooring.runtimes.base import Endpoint

_STATUS_BYTES = len("HTTP/1.1 200")
_RECEIVE_BYTES = 4096
_CLOSING_SECONDS = 0.05


def why_not_ready(
    endpoint: Endpoint, ready_path: str | None, *, timeout_seconds: float, redirects_too: bool = False
) -> str:
    """Nothing when it is ready: when `GET ready_path` is answered 200 within the time, or, without a path, when it
    accepts a connection. Else what came instead. `redirects_too`: 200 to 399 are good answers."""
    deadline = time.monotonic() + timeout_seconds
    asked = ready_path or "its port"
    try:
        if ready_path is None:
            return _why_not_accepting(endpoint, deadline)
        status = _status(endpoint, ready_path, deadline)
    except (FileNotFoundError, ConnectionRefusedError):
        return f"it does not listen on {'its socket' if isinstance(endpoint, Path) else f'port {endpoint.port}'} yet"
    except (TimeoutError, BlockingIOError):  # the latter: its queue of connections is full
        return f"{asked} has not answered within {timeout_seconds:g} s"
    except OSError as error:
        return f"{asked} cannot be asked: {error}"
    if _is_good(status, redirects_too=redirects_too):
        return ""
    return f"{ready_path} answered {status.decode(errors='replace') or 'nothing'}"


def _why_not_accepting(endpoint: Endpoint, deadline: float) -> str:
    """Proxies of container engines accept for a port behind which nobody listens, and close at once."""
    with _connection(endpoint, deadline) as connection:
        if isinstance(endpoint, Path):
            return ""
        connection.settimeout(min(_CLOSING_SECONDS, _left(deadline)))
        try:
            closed = not connection.recv(1, socket.MSG_PEEK)
        except TimeoutError:
            closed = False
    return f"nobody listens behind port {endpoint.port} yet" if closed else ""


def _is_good(status: bytes, *, redirects_too: bool) -> bool:
    return status == b"200" or (redirects_too and len(status) == 3 and status.isdigit() and b"200" <= status < b"400")


def _status(endpoint: Endpoint, ready_path: str, deadline: float) -> bytes:
    request = f"GET {ready_path} HTTP/1.1\r\nHost: replica\r\nConnection: close\r\n\r\n".encode()
    with _connection(endpoint, deadline) as connection:
        connection.settimeout(_left(deadline))
        connection.sendall(request)
        answer = b""
        try:
            # To its end, though only the status counts: many servers complain about a client that leaves earlier.
            while received := _receive(connection, deadline):
                answer = (answer + received)[:_STATUS_BYTES]
        except OSError:
            if len(answer) < _STATUS_BYTES:
                raise
    return answer.partition(b" ")[2]


def _connection(endpoint: Endpoint, deadline: float) -> socket.socket:
    if not isinstance(endpoint, Path):
        return socket.create_connection((endpoint.host, endpoint.port), timeout=_left(deadline))
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(_left(deadline))
        connection.connect(str(endpoint))
    except BaseException:
        connection.close()
        raise
    return connection


def _receive(connection: socket.socket, deadline: float) -> bytes:
    connection.settimeout(_left(deadline))
    return connection.recv(_RECEIVE_BYTES)


def _left(deadline: float) -> float:
    if (left := deadline - time.monotonic()) > 0:
        return left
    raise TimeoutError
