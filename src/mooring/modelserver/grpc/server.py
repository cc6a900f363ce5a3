"""The listener for gRPC, in the same event loop as the one for HTTP."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc

from mooring.modelserver import listener
from mooring.modelserver.grpc.calls import Surroundings
from mooring.modelserver.grpc.credentials import credentials
from mooring.modelserver.grpc.health import HealthService
from mooring.modelserver.grpc.inference import InferenceService
from mooring.modelserver.operations import Misconfigured, Operations, exposed
from mooring.modelserver.options import ServeOptions

if TYPE_CHECKING:
    from mooring.modelserver.dataplane import DataPlane

_logger = logging.getLogger("mooring.modelserver")

_SHORTEST_PING_SECONDS = 10


class GrpcServer:
    """Listens from `start` until `stopped`."""

    def __init__(self, options: ServeOptions, operations: Operations, why_not_ready: Callable[[], str | None]) -> None:
        self._options = options
        self._operations = operations
        around = Surroundings(operations.observer, operations.access, options.request_seconds)
        self._inference = InferenceService(options.model_name, around, why_not_ready)
        self._health = HealthService(why_not_ready)
        self._server: Any = None
        self._stopping: asyncio.Task[None] | None = None

    def publish(self, plane: "DataPlane") -> None:
        """The model is loaded. From any thread."""
        # Not above: they need NumPy and pandas, and the probes are answered before those are there.
        from mooring.modelserver.columnar.layout import layout_of
        from mooring.modelserver.grpc.model import GrpcModel
        from mooring.modelserver.grpc.reading import GrpcReader
        from mooring.modelserver.memory import Reclaimer
        from mooring.modelserver.protocols.identity import ModelIdentity

        identity = ModelIdentity(self._options.model_name, self._options.model_version)
        reader = GrpcReader(identity, plane.model.signature, layout_of(plane.model.signature))
        self._inference.model = GrpcModel(plane, reader, Reclaimer())

    async def start(self) -> int:
        """The port, which is chosen by the system where the options say 0. Raises Misconfigured."""
        address = listener.resolved(self._options.host)
        if not self._options.insecure and (reason := exposed(replace(self._options, uds=None), address)):
            raise Misconfigured(reason)
        self._server = grpc.aio.server(
            options=_channel_options(self._options), maximum_concurrent_rpcs=self._most_calls
        )
        self._server.add_generic_rpc_handlers((self._inference.handlers(), self._health.handlers()))
        host = f"[{address}]" if ":" in address else address
        port = self._bind(f"{host}:{self._options.grpc_port}")
        await self._server.start()
        _logger.info("gRPC is answered at %s:%d", host, port)
        return port

    def begin_stop(self) -> None:
        """No new calls; those that run have the grace of the options."""
        self._health.end()
        self._inference.end()
        if self._server and self._stopping is None:
            self._stopping = asyncio.ensure_future(self._server.stop(self._options.stop_grace_seconds))

    async def stopped(self) -> None:
        """Once all calls have ended, or the grace is over."""
        self.begin_stop()
        if self._stopping:
            await self._stopping

    @property
    def _most_calls(self) -> int:
        """As many as may wait for the model, and some for probes and streams at rest."""
        return self._options.max_waiting + self._options.concurrency + 256

    def _bind(self, address: str) -> int:
        try:
            chain, key = self._options.tls_cert, self._options.tls_key
            if chain is None or key is None:
                return int(self._server.add_insecure_port(address))
            return int(self._server.add_secure_port(address, credentials(chain, key)))
        except (RuntimeError, OSError) as error:
            raise Misconfigured(f"gRPC cannot listen on {address}: {error}") from None


def _channel_options(options: ServeOptions) -> tuple[tuple[str, int], ...]:
    return (
        ("grpc.max_receive_message_length", options.max_request_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),  # a port that is taken is an error
        # A peer that is gone without a word is noticed; one that is there may rest as long as it likes.
        ("grpc.keepalive_time_ms", round(options.keep_alive_seconds * 1000)),
        ("grpc.http2.min_ping_interval_without_data_ms", _SHORTEST_PING_SECONDS * 1000),
        ("grpc.keepalive_permit_without_calls", 1),
    )
