"""The ASGI application: find the endpoint, run it, turn whatever it raises into the protocol's error."""

import logging
import time

from mooring.modelserver.access import Access
from mooring.modelserver.errors import ServingError, Unavailable
from mooring.modelserver.http import Receive, Request, Response, Scope, Send
from mooring.modelserver.metrics import Metrics
from mooring.modelserver.observer import Observer
from mooring.modelserver.protocols.error_bodies import oip_error, scoring_error
from mooring.modelserver.request_ids import request_id_of
from mooring.modelserver.routes import Endpoint, Table

_logger = logging.getLogger("mooring.modelserver")


class Application:
    """Answers from `table`, which is replaced as a whole once the model is loaded."""

    def __init__(self, table: Table, *, observer: Observer | None = None, access: Access | None = None) -> None:
        self.table = table
        self.is_loading = True
        self.observer = observer or Observer(Metrics())
        self.access = access

    def publish(self, table: Table) -> None:
        """The model is ready: from now on, this is what there is."""
        self.table, self.is_loading = table, False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request (the server is told to offer neither websockets nor lifespan)."""
        started = time.perf_counter()
        headers, method, path = scope["headers"], scope["method"], scope["path"]
        request = Request(request_id_of(headers), headers, receive, scope["query_string"])
        try:
            if self.access:
                self.access.guard(path, headers)
            response = await self._find(method, path)(request)
        except ServingError as error:
            response = refusal(error, method, path, request)
        except Exception:
            _logger.exception("request %s: %s %r failed in the server", request.id, method, path)
            response = refusal(ServingError("the model server failed: see its log"), method, path, request)
        sent = await response.send(send, request.id)
        self.observer.answered(
            request.id, method, path, headers, response.status, request.received, sent, time.perf_counter() - started,
            request.waited, request.predicted,
        )  # fmt: skip

    def _find(self, method: str, path: str) -> Endpoint:
        try:
            return self.table.find(method, path)
        except ServingError:
            if self.is_loading:
                raise Unavailable("the model is still loading: try again in a moment") from None
            raise


def refusal(error: ServingError, method: str, path: str, request: Request) -> Response:
    """The answer of the path's protocol, and a line in the log."""
    _logger.warning(
        "request %s: %s %r %d %s: %s",
        request.id, method, path[:200], error.status, error.code, ascii(error.for_log)[:600],
    )  # fmt: skip
    # Under a prefix as well; no path of MLflow's protocol has these parts.
    body = oip_error(error) if any(part in path for part in ("/v2", "/v1/models")) else scoring_error(error)
    return Response(body, error.status, headers=error.headers)
