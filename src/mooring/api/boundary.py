"""The outermost layer: gives the request its id, answers what nobody else caught, and writes the access log."""

import logging
import time

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mooring.api import envelope, request_ids, tracking_paths

_logger = logging.getLogger("mooring.access")


class Boundary:
    """Whatever happens inside, an HTTP request gets an answer in our form."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_ids.begin(Headers(scope=scope).get(request_ids.HEADER))
        answer = _Answer(send, request_id)
        started = time.monotonic()
        try:
            await self._app(scope, receive, answer.send)
        except Exception as exception:
            if answer.status is not None:
                raise  # half an answer is out already: the server has to cut the connection
            await envelope.answer_to(exception, scope["path"])(scope, receive, answer.send)
        finally:
            milliseconds = (time.monotonic() - started) * 1000
            path = tracking_paths.shown(scope["path"])
            _logger.info("%s %r %s %.1f ms", scope["method"], path, answer.status, milliseconds)


class _Answer:
    """Sends an answer on, with the request's id on it, and remembers its status."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status: int | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[request_ids.HEADER] = self._request_id
            headers["X-Content-Type-Options"] = "nosniff"
        await self._send(message)
