"""One listener and its loop: bind, answer probes, load, serve, drain."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from mooring.modelserver.app import Application
from mooring.modelserver.endpoints.health import health_routes
from mooring.modelserver.endpoints.pages import page_routes
from mooring.modelserver.errors import LoadFailed, describe
from mooring.modelserver.journal import Journal
from mooring.modelserver.loading import load_routes
from mooring.modelserver.onewrite import OneWriteProtocol
from mooring.modelserver.options import ServeOptions
from mooring.modelserver.routes import Routes, Table
from mooring.modelserver.watch import Watch

_logger = logging.getLogger("mooring.modelserver")


class ModelServer:
    """Serves one model until a signal or a failure to load ends it."""

    def __init__(self, options: ServeOptions, folder: Path, journal: Journal | None) -> None:
        self._options = options
        self._journal = journal
        self._folder = folder
        self._watch = Watch(threads=options.concurrency, stuck_seconds=options.stuck_after_seconds)
        self._app = Application(self._table({}))
        self._server = _Uvicorn(
            uvicorn.Config(
                self._app,
                loop="uvloop",
                http=OneWriteProtocol,
                ws="none",
                lifespan="off",
                access_log=False,
                log_config=None,
                server_header=False,
                timeout_keep_alive=max(1, round(options.keep_alive_seconds)),
                timeout_graceful_shutdown=max(1, round(options.stop_grace_seconds)),
            )
        )
        self._failure: LoadFailed | None = None

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
        # A daemon: a load that hangs must not keep a process alive that was asked to end.
        threading.Thread(target=self._load, args=(loop,), name="load", daemon=True).start()
        await self._server.serve(sockets=[listener])

    def _stop(self) -> None:
        self._server.should_exit = True

    def _load(self, loop: asyncio.AbstractEventLoop) -> None:
        started = time.monotonic()
        try:
            with _no_collections():
                table = self._table(load_routes(self._options, self._folder, self._watch, self._journal))
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

    def _give_up(self, failure: LoadFailed) -> None:
        self._failure = failure
        _logger.debug("cannot load the model", exc_info=failure)
        self._stop()

    def _table(self, routes: Routes) -> Table:
        name, version = self._options.model_name, self._options.model_version
        health = health_routes(name, version, lambda: not self._app.is_loading, self._watch.trouble)
        return Table.of(name, health, page_routes(name), routes)


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
