"""A small real HTTP server on a unix socket (or a port of the loopback interface, as a number) that says what it was
asked: `python upstream.py SOCKET NAME [SECONDS THAT IDLE CONNECTIONS ARE KEPT]`.

`/status/N` answers N; `/stream/N` answers N lines, one every 0.1 s; `/silent/S` answers after S seconds;
anything else is answered with what was asked. A websocket gets back what it sends.
"""

import asyncio
import hashlib
import json
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import uvicorn

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_LINE_SECONDS = 0.1


class Echo:
    """The application."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        kind, _, number = str(scope["path"]).strip("/").partition("/")
        if kind == "stream":
            await self._stream(send, int(number))
            return
        length, sha256 = await _read(receive)
        if kind == "silent":
            await asyncio.sleep(float(number))
        status = int(number) if kind == "status" else 200
        await _answer(send, status, json.dumps({**self._seen(scope), "length": length, "sha256": sha256}).encode())

    def _seen(self, scope: Scope) -> dict[str, object]:
        return {
            "name": self._name,
            "method": scope["method"],
            "path": scope["raw_path"].decode(),
            "query": scope["query_string"].decode(),
            "headers": [[key.decode(), value.decode("latin-1")] for key, value in scope["headers"]],
        }

    async def _stream(self, send: Send, lines: int) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
        for line in range(lines):
            await send({"type": "http.response.body", "body": f"{line} {self._name}\n".encode(), "more_body": True})
            await asyncio.sleep(_LINE_SECONDS)
        await send({"type": "http.response.body", "body": b"end\n"})


async def _read(receive: Receive) -> tuple[int, str]:
    """Length and SHA-256 of a body, which is not kept: many large ones may come at once."""
    length, digest = 0, hashlib.sha256()
    while True:
        message = await receive()
        length += len(message.get("body", b""))
        digest.update(message.get("body", b""))
        if not message.get("more_body"):
            return length, digest.hexdigest()


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


if __name__ == "__main__":
    uvicorn.run(
        Echo(sys.argv[2]),
        uds=None if sys.argv[1].isdecimal() else sys.argv[1],
        port=int(sys.argv[1]) if sys.argv[1].isdecimal() else 8000,
        log_level="error",
        access_log=False,
        server_header=True,
        timeout_keep_alive=int(sys.argv[3]) if len(sys.argv) > 3 else 75,
        timeout_graceful_shutdown=30,
        ws="none",
    )
