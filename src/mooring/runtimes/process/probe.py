"""Asking a replica whether it may get traffic, as cheaply as possible: one short exchange on its socket."""

import socket
import time
from pathlib import Path

_STATUS_BYTES = len("HTTP/1.1 200")
_RECEIVE_BYTES = 4096


def why_not_ready(path: Path, ready_path: str, *, timeout_seconds: float) -> str:
    """Nothing when `GET ready_path` answers 200 on the unix socket within the time, else what came instead."""
    deadline = time.monotonic() + timeout_seconds
    try:
        status = _status(path, ready_path, deadline)
    except (FileNotFoundError, ConnectionRefusedError):
        return "it does not listen on its socket yet"
    except (TimeoutError, BlockingIOError):  # the latter: its queue of connections is full
        return f"{ready_path} has not answered within {timeout_seconds:g} s"
    except OSError as error:
        return f"{ready_path} cannot be asked: {error}"
    if status == b"200":
        return ""
    return f"{ready_path} answered {status.decode(errors='replace') or 'nothing'}"


def _status(path: Path, ready_path: str, deadline: float) -> bytes:
    request = f"GET {ready_path} HTTP/1.1\r\nHost: replica\r\nConnection: close\r\n\r\n".encode()
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_left(deadline))
        connection.connect(str(path))
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


def _receive(connection: socket.socket, deadline: float) -> bytes:
    connection.settimeout(_left(deadline))
    return connection.recv(_RECEIVE_BYTES)


def _left(deadline: float) -> float:
    if (left := deadline - time.monotonic()) > 0:
        return left
    raise TimeoutError
