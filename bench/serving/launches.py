"""Command line and environment of each server."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bench.gateways import Client
from bench.serving.models import Model

OUR_PROGRAMS = Path(sys.executable).parent
_ROOT = Path(__file__).parents[2]
_APPS = _ROOT / "bench" / "serving" / "apps"
_BATCH_WAIT_MS = 5.0
_NOT_INHERITED = ("BENCH_", "MLFLOW_", "MOORING_", "OMP_", "PYTHON", "RAY_", "UVICORN_", "VIRTUAL_ENV")


@dataclass(frozen=True)
class Place:
    """What a server is told: the model, a free port (its two successors are free, too), an empty folder, and where
    the programs of its environment lie."""

    model: Model
    port: int
    scratch: Path
    programs: Path


@dataclass(frozen=True)
class Launch:
    """What is started. `headers` are sent with every request."""

    argv: list[str]
    environment: Mapping[str, str]
    headers: Mapping[str, str] = field(default_factory=dict)


Launcher = Callable[[Place], Launch]


def _environment(place: Place, **more: object) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    told = {
        "BENCH_MODEL": place.model.folder,
        "BENCH_PORT": place.port,
        "BENCH_SCRATCH": place.scratch,
        "OMP_NUM_THREADS": 1,
        "PATH": f"{place.programs}:{os.environ['PATH']}",
        "PYTHONPATH": _ROOT,
    }
    return {**inherited, **{name: str(value) for name, value in {**told, **more}.items()}}


def _command(place: Place, program: str, *words: object) -> list[str]:
    return [str(place.programs / program), *map(str, words)]


def _listen(place: Place) -> list[str]:
    return ["--host", "127.0.0.1", "--port", str(place.port)]


def mooring(*options: str) -> Launcher:
    """Ours decides on threads by itself."""

    def launch(place: Place) -> Launch:
        environment = _environment(place)
        del environment["OMP_NUM_THREADS"]
        argv = _command(place, "mooring", "serve", place.model.folder, "--name", "bench", "--port", place.port)
        return Launch([*argv, *options], environment)

    return launch


def gateway(place: Place) -> Launch:
    """Ours behind the gateway, which checks a token."""
    client = Client()
    (place.scratch / "keys.json").write_bytes(client.key_set)
    environment = _environment(place)
    del environment["OMP_NUM_THREADS"]
    argv = _command(place, "python", "-m", "bench.serving.apps.gateway_app")
    return Launch(argv, environment, {"Authorization": f"Bearer {client.token()}"})


def floor(place: Place) -> Launch:
    """The hand-written app on the HTTP library that ours is on."""
    parts = ["--loop", "uvloop", "--http", "httptools", "--lifespan", "off", "--ws", "none"]
    quiet = ["--no-access-log", "--log-level", "warning"]
    app = "bench.serving.apps.floor_app:app"
    return Launch(_command(place, "uvicorn", app, *_listen(place), *parts, *quiet), _environment(place))


def mlflow(*, workers: int) -> Launcher:
    """Its own command."""

    def launch(place: Place) -> Launch:
        words = ["--model-uri", place.model.folder, "--env-manager", "local", "--workers", workers]
        return Launch(_command(place, "mlflow", "models", "serve", *words, *_listen(place)), _environment(place))

    return launch


def mlserver(runtime: str, *, batch: int = 0) -> Launcher:
    """Inference in the server's process; its parallel workers cost a hop each."""

    def launch(place: Place) -> Launch:
        folder = place.model.folder
        uri = folder / "model.pkl" if "sklearn" in runtime else folder
        model: dict[str, object] = {"name": "bench", "implementation": runtime, "parameters": {"uri": str(uri)}}
        if batch:
            model |= {"max_batch_size": batch, "max_batch_time": _BATCH_WAIT_MS / 1000}
        ports = {"http_port": place.port, "grpc_port": place.port + 1, "metrics_port": place.port + 2}
        folders = {name: str(place.scratch / name) for name in ("metrics_dir", "environments_dir")}
        server = {"host": "127.0.0.1", "parallel_workers": 0, "debug": False, **ports, **folders}
        (place.scratch / "model-settings.json").write_text(json.dumps(model))
        (place.scratch / "settings.json").write_text(json.dumps(server))
        return Launch(_command(place, "mlserver", "start", place.scratch), _environment(place))

    return launch


def bentoml(*, workers: int, batch: int = 0) -> Launcher:
    """Its command with a service of ours."""

    def launch(place: Place) -> Launch:
        home = {"BENTOML_HOME": place.scratch / "bentoml", "BENTOML_DO_NOT_TRACK": True}
        environment = _environment(place, BENCH_WORKERS=workers, BENCH_BATCH=batch, **home)
        argv = _command(place, "bentoml", "serve", "bench.serving.apps.bentoml_app:Bench", *_listen(place))
        return Launch(argv, environment)

    return launch


def litserve(*, workers: int, batch: int = 0) -> Launcher:
    """A program of ours."""
    return _app("litserve_app.py", workers, batch, BENCH_FAST_QUEUE=1)


def kserve(*, workers: int) -> Launcher:
    """A program of ours."""
    return _app("kserve_app.py", workers, 0)


def ray(*, workers: int, batch: int) -> Launcher:
    """A program of ours; HAProxy (in Ray's own wheel) at the front, as its documentation has it for throughput."""
    quiet = {"RAY_USAGE_STATS_ENABLED": 0, "RAY_SERVE_LOG_TO_STDERR": 0}
    front = {"RAY_SERVE_ENABLE_HA_PROXY": 1, "RAY_SERVE_THROUGHPUT_OPTIMIZED": 1}
    return _app("ray_app.py", workers, batch, **quiet, **front)


def _app(file: str, workers: int, batch: int, **more: object) -> Launcher:
    def launch(place: Place) -> Launch:
        environment = _environment(
            place, BENCH_WORKERS=workers, BENCH_BATCH=batch, BENCH_WAIT_MS=_BATCH_WAIT_MS, **more
        )
        return Launch(_command(place, "python", _APPS / file), environment)

    return launch
