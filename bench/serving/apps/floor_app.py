"""The floor: what a good hand writes for exactly this model. No checks, no errors, one body.

Requests that can be read already when the loop comes to predict share one prediction; nobody waits for a timer.
"""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import numpy as np
import orjson

from bench.serving.apps.settings import Array, Settings

_settings = Settings.read()
_predict = _settings.load()
_waiting: list[tuple[Array, asyncio.Future[Array]]] = []

Message = MutableMapping[str, Any]


async def app(
    scope: Message, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    """ASGI."""
    body = b""
    while True:
        message = await receive()
        body = body + message["body"] if body else message["body"]
        if not message.get("more_body"):
            break
    predictions = await _answer(_decode(body, (b"content-type", b"application/octet-stream") in scope["headers"]))
    answer = orjson.dumps({"predictions": np.ascontiguousarray(predictions)}, option=orjson.OPT_SERIALIZE_NUMPY)
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def _decode(body: bytes, is_binary: bool) -> Array:
    if is_binary:
        return np.frombuffer(body, _settings.dtype).reshape(_settings.shape)
    document = orjson.loads(body)
    data = document["inputs"] if "inputs" in document else document["dataframe_split"]["data"]
    return np.array(data, _settings.dtype)


def _answer(rows: Array) -> asyncio.Future[Array]:
    loop = asyncio.get_running_loop()
    if not _waiting:
        # Two turns of the loop: whatever can be read in the next one is in the batch.
        loop.call_soon(loop.call_soon, _predict_all)
    future: asyncio.Future[Array] = loop.create_future()
    _waiting.append((rows, future))
    return future


def _predict_all() -> None:
    batch = _waiting.copy()
    _waiting.clear()
    predictions = _predict(batch[0][0] if len(batch) == 1 else np.concatenate([rows for rows, _ in batch]))
    start = 0
    for rows, future in batch:
        if not future.done():
            future.set_result(predictions[start : start + len(rows)])
        start += len(rows)
