"""From a model's URI to a table of routes: load, exercise with its own example, describe. Runs in a thread."""

import logging
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import orjson

from mooring.modelserver.errors import LoadFailed, ServingError, describe
from mooring.modelserver.journal import Journal
from mooring.modelserver.memory import Reclaimer
from mooring.modelserver.options import ServeOptions
from mooring.modelserver.suspicion import Suspicion
from mooring.modelserver.watch import Watch
from mooring.modelserver.worker import Worker

if TYPE_CHECKING:
    from mooring.modelserver.dataplane import DataPlane
    from mooring.modelserver.model import LoadedModel
    from mooring.modelserver.routes import Routes

T = TypeVar("T")

_SERVING_MARK = "_MLFLOW_IS_IN_SERVING_ENVIRONMENT"
"""Models look at it (MLflow's own tracing does); MLflow's scoring server sets it, too."""


def load_routes(options: ServeOptions, folder: Path, watch: Watch, journal: Journal | None = None) -> "Routes":
    """The routes of the model, ready to answer. Raises LoadFailed. What is downloaded stays in `folder`."""
    os.environ[_SERVING_MARK] = "true"
    model = _attempt("", lambda: _load(options.model_uri, folder))
    plane = _attempt("", lambda: _data_plane(model, options, watch, journal))
    if model.example is not None:
        _attempt("its own input example fails: ", lambda: _exercise(plane))
    # MLflow warns of each extra column and parameter, for every request anew.
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    return _attempt("it cannot be described to callers: ", lambda: _routes(plane, options))


def download_folder() -> tempfile.TemporaryDirectory[str]:
    """Where a model that is not local is kept while it is served."""
    return tempfile.TemporaryDirectory(prefix="mooring-model-", ignore_cleanup_errors=True)


def _load(uri: str, folder: Path) -> "LoadedModel":
    # Imported here and not above: pandas and MLflow take a second, and the probes are answered meanwhile.
    from mooring.modelserver.model import load

    return load(uri, folder)


def _data_plane(model: "LoadedModel", options: ServeOptions, watch: Watch, journal: Journal | None) -> "DataPlane":
    from mooring.modelserver.dataplane import DataPlane

    worker = Worker(watch, threads=options.concurrency, max_waiting=options.max_waiting)
    return DataPlane(model, worker, Suspicion(journal, max_deaths=options.max_deaths) if journal else None)


def _routes(plane: "DataPlane", options: ServeOptions) -> "Routes":
    from mooring.modelserver.endpoints.inference import InferenceEndpoints

    return InferenceEndpoints(plane, options, Reclaimer()).routes()


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
    except ModuleNotFoundError as error:
        raise LoadFailed(f"{what}{describe(error)}: install what the model's requirements.txt lists") from error
    except SystemExit as error:
        raise LoadFailed(f"{what}the model's code called exit({error.code})") from error
    except BaseException as error:  # a model's code raises what it likes, and this thread is not the one to end
        raise LoadFailed(what + describe(error)) from error
