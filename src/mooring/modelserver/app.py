"""The ASGI application: find the endpoint, run it, turn whatever it raises into the protocol's error."""

import logging
import uuid

from mooring.modelserver.errors import ServingError, Unavailable
from mooring.modelserver.http import Receive, Request, Response, Scope, Send
from mooring.modelserver.protocols.error_bodies import oip_error, scoring_error
from mooring.modelserver.routes import Endpoint, Table

_logger = logging.getLogger("mooring.modelserver")
_REQUEST_ID_LIMIT = 128


class Application:
    """Answers from `table`, which is replaced as a whole once the model is loaded."""

    def __init__(self, table: Table) -> None:
        self.table = table
        self.is_loading = True

    def publish(self, table: Table) -> None:
        """The model is ready: from now on, this is what there is."""
        self.table, self.is_loading = table, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (the server is told to offer neither websockets nor lifespan)."""
        headers = scope["headers"]
        request = Request(_request_id(headers), headers, receive)
        try:
            response = await self._find(scope["method"], scope["path"])(request)
        except ServingError as error:
            response = _refusal(error, scope, request)
        except Exception:
            _logger.exception("request %s: %s %r failed in the server", request.id, scope["method"], scope["path"])
            response = _refusal(ServingError("the model server failed: see its log"), scope, request)
        await response.send(send, request.id)

    def _find(self, method: str, path: str) -> Endpoint:
        try:
            return self.table.find(method, path)
        except ServingError:
            if self.is_loading:
                raise Unavailable("the model is still loading: try again in a moment") from None
            raise


def _refusal(error: ServingError, scope: Scope, request: Request) -> Response:
    _logger.warning(
        "request %s: %s %r %d %s: %s",
        request.id, scope["method"], scope["path"][:200], error.status, error.code, ascii(error.for_log)[:600],
    )  # fmt: skip
    # Under a prefix as well; no path of MLflow's protocol has this part.
    body = oip_error(error) if "/v2" in scope["path"] else scoring_error(error)
    return Response(body, error.status, headers=error.headers)


def _request_id(headers: list[tuple[bytes, bytes]]) -> str:
    """The caller's, when it can be put into a log line and a header as it is; else a new one."""
    for name, value in headers:
        if name == b"x-request-id":
            text = value.decode("latin-1")
            if 0 < len(text) <= _REQUEST_ID_LIMIT and text.isascii() and text.isprintable() and " " not in text:
                return text
    return uuid.uuid4().hex
