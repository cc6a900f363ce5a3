"""Which path leads to which endpoint: one dictionary, as name and version of the model are known at start."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable
from urllib.parse import unquote

from mooring.modelserver.errors import MethodNotAllowed, NotFound
from mooring.modelserver.http import Request, Response

if TYPE_CHECKING:
    from mooring.modelserver.batching.ticket import Outcome, Ticket

Endpoint = Callable[[Request], Awaitable[Response]]
Routes = Mapping[str, Mapping[str, Endpoint]]
"""Path → method → endpoint."""


@runtime_checkable
class Direct(Protocol):
    """An endpoint that can also begin without a task, once the whole request is there."""

    def begin(self, request: Request, body: bytes, on_settled: "Callable[[Ticket, Outcome], None]") -> "Ticket | None":
        """None when it is nothing for this way; then nothing was begun."""


TOP_LEVEL = frozenset({"invocations", "ping", "health", "livez", "readyz", "metrics", "version", "v1", "v2", "api"})
"""First parts of our own paths; a model of such a name gets no prefix of its own."""


@dataclass(frozen=True)
class Table:
    """All paths, also under the prefix of the model's name."""

    routes: Routes
    name: str
    direct: Mapping[bytes, Direct]
    """Those for POST that are `Direct`, by path."""

    @staticmethod
    def of(name: str, *groups: Routes) -> "Table":
        """From the endpoints' own routes."""
        routes = {path: methods for group in groups for path, methods in group.items()}
        if name not in TOP_LEVEL:
            routes |= {f"/{name}{path}": methods for path, methods in routes.items()}
        direct: dict[bytes, Direct] = {}
        for path, methods in routes.items():
            post: object = methods.get("POST")
            if isinstance(post, Direct):
                direct[path.encode()] = post
        return Table(routes, name, direct)

    def find(self, method: str, path: str) -> Endpoint:
        """Raises NotFound and MethodNotAllowed."""
        methods = self.routes.get(path)
        if methods is None:
            raise NotFound(self._hint(path))
        endpoint = methods.get("GET" if method == "HEAD" else method)
        if endpoint is None:
            allowed = (*methods, "HEAD") if "GET" in methods else tuple(methods)
            raise MethodNotAllowed(method, path[:200], allowed)
        return endpoint

    def _hint(self, path: str) -> str:
        if "/v2/models/" in path:
            return f"no such model or version here: this server has model '{self.name}' (see v2/models/{self.name})"
        return f"nothing at {unquote(path)[:200]}: this server has /invocations, /v2, /ping, /version and /api/"
