"""Serve one model until told to stop."""

import logging
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from mooring.modelserver.options import ServeOptions

if TYPE_CHECKING:
    import socket

    from mooring.modelserver.journal import Journal

EXIT_OK, EXIT_CANNOT_LISTEN, EXIT_CANNOT_LOAD = 0, 2, 3


def serve(options: ServeOptions, on_ready: Callable[[], object] | None = None) -> int:
    """Blocks; the exit code. Takes over the process: logging, signals and standard error are its own.

    0: asked to end, and drained; 2: cannot listen; 3: the model cannot be loaded. The reason is the last line on
    standard error. `on_ready` is called once the model answers, in some thread.
    """
    # Not above: who only wants `ServeOptions` (the command line) need not pay for a web server.
    from mooring.modelserver.errors import LoadFailed, paragraph
    from mooring.modelserver.loading import download_folder
    from mooring.modelserver.logs import log_to_stderr
    from mooring.modelserver.operations import Misconfigured, Operations
    from mooring.modelserver.server import ModelServer

    log_to_stderr(options.log_format)
    try:
        operations = Operations.of(options)
        bound = _listener(options)
    except Misconfigured as error:
        return _fail(f"cannot be started like this: {error}", EXIT_CANNOT_LISTEN)
    except OSError as error:
        return _fail(f"cannot listen on {_address(options)}: {error}", EXIT_CANNOT_LISTEN)
    port = bound.getsockname()[1] if options.uds is None else 0
    logging.getLogger("mooring.modelserver").info(
        "loading %s for %s", paragraph(options.model_uri), _page(options, port)
    )
    journal = _journal(options)
    with download_folder() as folder:
        try:
            ModelServer(options, Path(folder), journal, operations, on_ready).run(bound)
        except Misconfigured as error:
            return _fail(f"cannot listen on {_address(options)}: {error}", EXIT_CANNOT_LISTEN)
        except LoadFailed as failure:
            return _fail(f"cannot load model {paragraph(options.model_uri)}: {failure}", EXIT_CANNOT_LOAD)
        finally:
            operations.stop()
            if options.uds:
                options.uds.unlink(missing_ok=True)
            if journal:
                journal.remove()
    return EXIT_OK


def serve_and_exit(options: ServeOptions, on_ready: Callable[[], object] | None = None) -> NoReturn:
    """`serve`, and the end of the process with its exit code.

    At once: a load or a prediction that nobody waits for any more may still be inside native code, where an orderly
    end of the interpreter crashes.
    """
    code = serve(options, on_ready)
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _listener(options: ServeOptions) -> "socket.socket":
    from mooring.modelserver import listener
    from mooring.modelserver.operations import Misconfigured, exposed

    listener.allow_many()
    if options.uds:
        return listener.unix(options.uds)
    address = listener.resolved(options.host)
    if reason := exposed(options, address):
        if not options.insecure:
            raise Misconfigured(reason)
        logging.getLogger("mooring.modelserver").warning("%s is reached by others without a token", options.host)
    return listener.tcp(options.host, options.port)


def _journal(options: ServeOptions) -> "Journal | None":
    from mooring.modelserver.journal import Journal

    if options.journal is None:
        return None
    try:
        return Journal(options.journal, slots=options.concurrency * options.max_batch_requests)
    except OSError as error:
        # It serves all the same: a full disk is no reason to leave a deployment without replicas.
        logging.getLogger("mooring.modelserver").warning(
            "no journal can be kept in %s, so a request that kills this server may kill its successors: %s",
            options.journal, error,
        )  # fmt: skip
        return None


def _fail(message: str, code: int) -> int:
    print(f"mooring: {message}", file=sys.stderr, flush=True)  # noqa: T201 - the runtime reads it there
    return code


def _address(options: ServeOptions) -> str:
    return str(options.uds) if options.uds else f"{options.host}:{options.port}"


def _page(options: ServeOptions, port: int) -> str:
    if options.uds:
        return str(options.uds)
    host = f"[{options.host}]" if ":" in options.host else options.host
    return f"{'https' if options.tls_cert else 'http'}://{host}:{port}/{options.model_name}/api/"
