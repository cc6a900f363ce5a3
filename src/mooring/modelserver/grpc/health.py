"""`grpc.health.v1.Health`: what load balancers and Kubernetes ask."""

import asyncio
from collections.abc import Callable
from typing import Any

import grpc

from mooring.modelserver.grpc.calls import Context
from mooring.modelserver.grpc.inference import SERVICE
from mooring.modelserver.grpc.messages import message

HEALTH = "grpc.health.v1.Health"
_SERVING, _NOT_SERVING, _UNKNOWN = 1, 2, 3
_LOOK_SECONDS = 0.5


class HealthService:
    """Open to everybody, as probes have no token."""

    def __init__(self, why_not_ready: Callable[[], str | None]) -> None:
        self._why_not_ready = why_not_ready
        self._is_over = asyncio.Event()

    def handlers(self) -> Any:
        """For gRPC's server."""
        methods = {
            "Check": grpc.unary_unary_rpc_method_handler(self._check),
            "Watch": grpc.unary_stream_rpc_method_handler(self._watch),
        }
        return grpc.method_handlers_generic_handler(HEALTH, methods)

    def end(self) -> None:
        """Not serving from now on, and those who watch are told at once."""
        self._is_over.set()

    async def _check(self, body: bytes, context: Context) -> bytes:
        status = await self._status(body, context)
        if status == _UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"no such service here: this server has {SERVICE}")
        return _serialised(status)

    async def _watch(self, body: bytes, context: Context) -> None:
        told = None
        while not self._is_over.is_set():
            status = await self._status(body, context)
            if status != told:
                await context.write(_serialised(status))
                told = status
            await self._moment()
        await context.write(_serialised(_NOT_SERVING))

    async def _moment(self) -> None:
        try:
            await asyncio.wait_for(self._is_over.wait(), _LOOK_SECONDS)
        except TimeoutError:
            return

    async def _status(self, body: bytes, context: Context) -> int:
        try:
            service = message("HealthCheckRequest").FromString(body).service
        except ValueError:  # DecodeError is one
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the request is not a HealthCheckRequest")
        if service not in ("", SERVICE, HEALTH):
            return _UNKNOWN
        return _NOT_SERVING if self._is_over.is_set() or self._why_not_ready() else _SERVING


def _serialised(status: int) -> bytes:
    content: bytes = message("HealthCheckResponse")(status=status).SerializeToString()
    return content
