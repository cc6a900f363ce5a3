"""From a model's URI to a table of routes: load, exercise with its own example, describe. Runs in a thread."""

import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import orjson

from mooring.modelserver import threads
from mooring.modelserver.by_key.fetching import RunFacts, fetch
from mooring.modelserver.by_key.opening import opened
from mooring.modelserver.errors import LoadFailed, ServingError, describe
from mooring.modelserver.journal import Journal
from mooring.modelserver.memory import Reclaimer
from mooring.modelserver.metrics import Metrics
from mooring.modelserver.observer import Observer
from mooring.modelserver.options import ServeOptions
from mooring.modelserver.room import Room
from mooring.modelserver.suspicion import Suspicion
from mooring.modelserver.watch import Watch
from mooring.modelserver.worker import Worker

if TYPE_CHECKING:
    from mooring.modelserver.by_key.records import Records
    from mooring.modelserver.dataplane import DataPlane
    from mooring.modelserver.flavours import Predictor
    from mooring.modelserver.model import LoadedModel
    from mooring.modelserver.routes import Routes

T = TypeVar("T")

_logger = logging.getLogger("mooring.modelserver")

_SERVING_MARK = "_MLFLOW_IS_IN_SERVING_ENVIRONMENT"
"""Models look at it (MLflow's own tracing does); MLflow's scoring server sets it, too."""


def load_routes(
    options: ServeOptions,
    folder: Path,
    watch: Watch,
    journal: Journal | None = None,
    announce: "Callable[[DataPlane], None] | None" = None,
    observer: Observer | None = None,
    before_code: Callable[[], None] | None = None,
) -> "Routes":
    """The routes of the model, ready to answer. Raises LoadFailed. What is downloaded stays in `folder`.

    Whoever else answers for the model is told of it by `announce`. `before_code` is called when everything has been
    fetched and before the model's libraries and own code are imported.
    """
    os.environ[_SERVING_MARK] = "true"
    threads.announce(options.threads)
    # First: the model's own code runs without the credentials that this may need.
    fetched = _attempt("its run: ", lambda: fetch(options, folder))
    model = _attempt("", lambda: _load(options, folder, before_code))
    plane = _attempt("", lambda: _data_plane(model, options, watch, journal, observer or Observer(Metrics())))
    if model.example is not None:
        _attempt("its own input example fails: ", lambda: _exercise(plane))
    # MLflow warns of each extra column and parameter, for every request anew.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    records = _attempt("its features: ", lambda: opened(fetched, plane, options.model_name))
    if announce:
        _attempt("it cannot be described to callers over gRPC: ", lambda: announce(plane))
    return _attempt("it cannot be described to callers: ", lambda: _routes(plane, options, records, fetched.run))


def download_folder() -> tempfile.TemporaryDirectory[str]:
    """Where a model that is not local is kept while it is served."""
    return tempfile.TemporaryDirectory(prefix="mooring-model-", ignore_cleanup_errors=True)


def _load(options: ServeOptions, folder: Path, before_code: Callable[[], None] | None) -> "LoadedModel":
    # Imported here and not above: pandas and MLflow take a second, and the probes are answered meanwhile.
    from mooring.modelserver.model import load

    return load(options.model_uri, folder, safe_only=options.safe_formats_only, before_code=before_code)


def _data_plane(
    model: "LoadedModel", options: ServeOptions, watch: Watch, journal: Journal | None, observer: Observer
) -> "DataPlane":
    from mooring.modelserver.batching.batcher import Batcher, Limits
    from mooring.modelserver.dataplane import DataPlane

    worker = Worker(
        watch, threads=options.concurrency, max_waiting=options.max_waiting, dropped=observer.metrics.refused
    )
    room = Room(max(options.max_waiting_bytes, options.max_request_bytes), observer.metrics.refused)
    suspicion = Suspicion(journal, max_deaths=options.max_deaths) if journal else None
    observer.metrics.queue_length = worker.__len__
    predictor = _predictor(model, options)
    if predictor is None:
        return DataPlane(model, worker, suspicion, observer=observer, room=room)
    requests = options.max_batch_requests if predictor.are_rows_independent else 1
    limits = Limits(requests, options.max_batch_rows, options.max_batch_bytes)
    batcher = Batcher(predictor, worker, limits, observer=observer, suspicion=suspicion)
    return DataPlane(model, worker, suspicion, predictor=predictor, batcher=batcher, observer=observer, room=room)


def _predictor(model: "LoadedModel", options: ServeOptions) -> "Predictor | None":
    from mooring.modelserver.columnar.layout import layout_of
    from mooring.modelserver.flavours import predictor_for

    layout = layout_of(model.signature) if model.parses_input else None
    try:
        return predictor_for(model, layout, options.batching, compile_it=options.compiled)
    except Exception as error:  # noqa: BLE001 - libraries raise what they like, and there is another way
        _logger.warning("the model is served through pyfunc, one request at a time: %s", describe(error))
        return None


def _routes(plane: "DataPlane", options: ServeOptions, records: "Records | None", run: RunFacts | None) -> "Routes":
    from mooring.modelserver.endpoints.by_key import KeyEndpoints
    from mooring.modelserver.endpoints.description import description_routes
    from mooring.modelserver.endpoints.inference import json_reader, scoring_routes
    from mooring.modelserver.endpoints.kserve import kserve_routes
    from mooring.modelserver.endpoints.open_inference import open_inference_routes
    from mooring.modelserver.endpoints.predicting import Desk
    from mooring.modelserver.protocols.identity import ModelIdentity
    from mooring.modelserver.protocols.kserve import KserveReader

    desk, signature = Desk(plane, options, Reclaimer()), plane.model.signature
    identity = ModelIdentity(options.model_name, options.model_version)
    return {
        **scoring_routes(desk),
        **open_inference_routes(identity, signature, desk),
        **kserve_routes(identity.name, KserveReader(json_reader(signature, are_names_optional=True), signature), desk),
        **(KeyEndpoints(desk, records).routes() if records else {}),
        **description_routes(plane, options, records, run),
    }


def _exercise(plane: "DataPlane") -> None:
    """One request as a client would send it: decode, predict, encode."""
    from mooring.modelserver.protocols import scoring

    body = orjson.dumps(plane.model.example)
    call = scoring.decode(body, "application/json", plane.model.signature)
    call.encode(plane.predict(call.inference, "own-example"))


def _attempt(what: str, step: Callable[[], T]) -> T:
    try:
        return step()
    except ServingError as error:
        raise LoadFailed(what + error.message) from error
    except LoadFailed as failure:
        raise LoadFailed(what + str(failure)) from failure
    except ModuleNotFoundError as error:
        raise LoadFailed(f"{what}{describe(error)}: install what the model's requirements.txt lists") from error
    except SystemExit as error:
        raise LoadFailed(f"{what}the model's code called exit({error.code})") from error
    except BaseException as error:  # a model's code raises what it likes, and this thread is not the one to end
        raise LoadFailed(what + describe(error)) from error
