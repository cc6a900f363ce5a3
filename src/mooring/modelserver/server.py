"""One listener and its loop: bind, answer probes, load, serve, drain."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn

from mooring.modelserver import credentials
from mooring.modelserver.app import Application
from mooring.modelserver.direct import DirectProtocol
from mooring.modelserver.endpoints.health import LOADING, health_routes
from mooring.modelserver.endpoints.metrics import metrics_routes
from mooring.modelserver.endpoints.pages import page_routes
from mooring.modelserver.errors import LoadFailed, describe
from mooring.modelserver.journal import Journal
from mooring.modelserver.loading import load_routes
from mooring.modelserver.operations import Misconfigured, Operations
from mooring.modelserver.options import ServeOptions
from mooring.modelserver.routes import Routes, Table
from mooring.modelserver.watch import Watch

if TYPE_CHECKING:
    from mooring.modelserver.grpc.server import GrpcServer

_logger = logging.getLogger("mooring.modelserver")


class ModelServer:
    """Serves one model until a signal or a failure to load ends it."""

    def __init__(
        self,
        options: ServeOptions,
        folder: Path,
        journal: Journal | None,
        operations: Operations | None = None,
        on_ready: Callable[[], object] | None = None,
    ) -> None:
        self._options = options
        self._operations = operations or Operations()
        self._journal = journal
        self._folder = folder
        self._watch = Watch(threads=options.concurrency, stuck_seconds=options.stuck_after_seconds)
        self._app = Application(self._table({}), observer=self._operations.observer, access=self._operations.access)
        certificate = self._operations.certificate
        self._server = _Uvicorn(
            uvicorn.Config(
                self._app,
                loop="uvloop",
                http=DirectProtocol,
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                ssl_context_factory=(lambda *_: certificate.context) if certificate else None,
                timeout_keep_alive=max(1, round(options.keep_alive_seconds)),
                timeout_graceful_shutdown=max(1, round(options.stop_grace_seconds)),
            )
        )
        self._grpc = _grpc_server(options, self._operations, self._why_not_ready)
        self._failure: LoadFailed | None = None
        self._on_ready = on_ready

    def run(self, listener: socket.socket) -> None:
        """Listen at once, load beside it. Raises LoadFailed; returns when it was asked to end and has drained."""
        with asyncio.Runner(loop_factory=self._server.config.get_loop_factory()) as runner:
            runner.run(self._serve(listener))
        if self._failure:
            raise self._failure

    async def _serve(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        for signum in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(signum, self._stop)
        if self._grpc:
            await self._grpc.start()
        # A daemon: a load that hangs must not keep a process alive that was asked to end.
        threading.Thread(target=self._load, args=(loop,), name="load", daemon=True).start()
        if self._operations.certificate:
            self._operations.certificate.keep_fresh(loop)
        await self._server.serve(sockets=[listener])
        if self._grpc:
            await self._grpc.stopped()

    def _stop(self) -> None:
        self._server.should_exit = True
        if self._grpc:
            self._grpc.begin_stop()

    def _why_not_ready(self) -> str | None:
        return LOADING if self._app.is_loading else self._watch.trouble()

    def _load(self, loop: asyncio.AbstractEventLoop) -> None:
        started = time.monotonic()
        try:
            with _no_collections():
                announce = self._grpc.publish if self._grpc else None
                routes = load_routes(
                    self._options, self._folder, self._watch, self._journal, announce, self._operations.observer,
                    lambda: credentials.hide(self._options.keep_env),
                )  # fmt: skip
                table = self._table(routes)
        except LoadFailed as failure:
            self._give_up(failure)
            return
        except BaseException as error:
            _logger.exception("the load failed in the server itself")
            self._give_up(LoadFailed(f"the model server failed: {describe(error)}"))
            return
        _logger.info("model %s is ready after %.2f s", self._options.model_name, time.monotonic() - started)
        with contextlib.suppress(RuntimeError):  # the loop is closed: asked to end meanwhile
            loop.call_soon_threadsafe(self._app.publish, table)
        if self._on_ready:
            self._on_ready()

    def _give_up(self, failure: LoadFailed) -> None:
        self._failure = failure
        _logger.debug("cannot load the model", exc_info=failure)
        self._server.should_exit = True

    def _table(self, routes: Routes) -> Table:
        name, version = self._options.model_name, self._options.model_version
        health = health_routes(name, version, lambda: not self._app.is_loading, self._watch.trouble)
        metrics = metrics_routes(self._operations.observer.metrics, lambda: not self._app.is_loading)
        return Table.of(name, health, metrics, page_routes(name), routes)


def _grpc_server(
    options: ServeOptions, operations: Operations, why_not_ready: Callable[[], str | None]
) -> "GrpcServer | None":
    if options.grpc_port is None:
        return None
    # Not above: gRPC is an extra, and costs a tenth of a second.
    try:
        from mooring.modelserver.grpc.server import GrpcServer
    except ModuleNotFoundError as error:
        raise Misconfigured(f"--grpc-port needs gRPC ({error}): install mooring[grpc]") from None
    return GrpcServer(options, operations, why_not_ready)


class _Uvicorn(uvicorn.Server):
    """Uvicorn without its signal handlers, which end the process by the signal again after a graceful stop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.contextmanager
def _no_collections() -> Iterator[None]:
    """Collecting garbage costs a quarter of a start and finds next to nothing in what imports create.

    What is there afterwards stays, so later collections need not look at it either.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
