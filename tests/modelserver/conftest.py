"""Models saved by real MLflow, our server as a process and in this process, MLflow's own server in this process."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import httpx
import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import ModelSignature, infer_signature
from mlflow.types.schema import ColSpec, ParamSchema, ParamSpec, Schema, TensorSpec
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mooring.modelserver.app import Application
from mooring.modelserver.endpoints.health import health_routes
from mooring.modelserver.endpoints.metrics import metrics_routes
from mooring.modelserver.endpoints.pages import page_routes
from mooring.modelserver.loading import load_routes
from mooring.modelserver.metrics import Metrics
from mooring.modelserver.options import ServeOptions
from mooring.modelserver.routes import Table
from mooring.modelserver.watch import Watch
from tests.modelserver.nursery import Child, Nursery

DEADLINE_SECONDS = 60.0

_KNOWN_REQUIREMENTS: dict[str, Any] = {"pip_requirements": []}
"""Else MLflow loads each model in a process of its own, only to find out."""
ECHO = """
import mlflow

class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        if params and params.get("show"):
            return [repr(sorted(params.items()))]
        return model_input

mlflow.models.set_model(Echo())
"""
MOODY = """
import builtins, ctypes, os, time
from pathlib import Path
import mlflow

def wait_for(path):
    deadline = time.monotonic() + 60
    while not Path(path).exists() and time.monotonic() < deadline:
        time.sleep(0.01)

class Moody(mlflow.pyfunc.PythonModel):
    def load_context(self, context):
        if os.environ.get("TEST_LOAD_FAILS"):
            raise RuntimeError("the weights are\\ncorrupt: s3://me:hunter2@store/weights?X-Amz-Signature=abc")
        if name := os.environ.get("TEST_LOAD_RAISES"):
            raise getattr(builtins, name)("on purpose")
        if gate := os.environ.get("TEST_GATE"):
            wait_for(gate)

    def predict(self, context, model_input, params=None):
        answers = []
        for order in model_input["order"]:
            word, _, rest = order.partition(" ")
            if word == "raise":
                raise RuntimeError(f"out of mood: {rest}")
            if word == "touch-and-wait":
                Path(rest + ".begun").touch()
                wait_for(rest)
            if word == "exit":
                raise SystemExit(7)
            if word == "die":
                way, _, path = rest.partition(" ")
                with open(path, "a") as deaths:
                    print(way, file=deaths)
                os._exit(1) if way == "exit" else ctypes.string_at(0)
            answers.append(order.upper())
        return answers

mlflow.models.set_model(Moody())
"""
TALKER = """
import mlflow

class Talker(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return {"words": 1}

    def predict_stream(self, context, model_input, params=None):
        order = model_input["prompt"]
        word, _, rest = order.partition(" ")
        if word == "refuse":
            raise ValueError("not this one")
        made = 0
        try:
            while word == "endless" or made < len(order.split()):
                yield {"word": order.split()[made % len(order.split())], "number": made} | (
                    {"filler": "x" * 100_000} if word == "endless" else {}
                )
                made += 1
                if word == "break":
                    raise RuntimeError("broken in the middle")
        finally:
            if word == "endless":
                with open(rest, "a") as file:
                    print(made, file=file)

mlflow.models.set_model(Talker())
"""
PACKAGED = """
import mlflow

class Packaged(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        from packaged_code.late import shout
        return [shout(order) for order in model_input["order"]]

mlflow.models.set_model(Packaged())
"""
ORDERS = ModelSignature(inputs=Schema([ColSpec("string", "order")]), outputs=Schema([ColSpec("string")]))
COLUMNS = [
    ColSpec("long", "age"),
    ColSpec("integer", "visits"),
    ColSpec("double", "weight"),
    ColSpec("float", "ratio"),
    ColSpec("boolean", "smoker"),
    ColSpec("string", "city"),
    ColSpec("datetime", "seen"),
    ColSpec("string", "note", required=False),
    ColSpec("double", "dose", required=False),
]
PARAMS = [ParamSpec("show", "boolean", False), ParamSpec("factor", "double", 1.5), ParamSpec("label", "string", "x")]


class Shelf:
    """Local folders of models, made when first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @cached_property
    def cancer(self) -> Path:
        """A scikit-learn pipeline on six columns of doubles, with an input example."""
        data = load_breast_cancer(as_frame=True)
        rows = data.data.iloc[:, :6]
        model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, data.target)
        signature = infer_signature(rows, model.predict(rows))
        return self._sklearn("cancer", model, signature=signature, input_example=rows.head(2))

    @cached_property
    def iris(self) -> Path:
        """A scikit-learn model on an array: one unnamed tensor."""
        rows, target = load_iris(return_X_y=True)
        model = LogisticRegression(max_iter=1000).fit(rows, target)
        return self._sklearn(
            "iris", model, signature=infer_signature(rows, model.predict(rows)), input_example=rows[:2]
        )

    @cached_property
    def bare(self) -> Path:
        """The same without signature and example."""
        rows, target = load_iris(return_X_y=True)
        return self._sklearn("bare", LogisticRegression(max_iter=1000).fit(rows, target))

    @cached_property
    def typed(self) -> Path:
        """Answers its input, which has a column of every type, two of them optional; takes parameters."""
        return self._code("typed", ECHO, ModelSignature(inputs=Schema(COLUMNS), params=ParamSchema(PARAMS)))

    @cached_property
    def tensors(self) -> Path:
        """Answers its input: two named tensors."""
        inputs = [TensorSpec(np.dtype("float32"), (-1, 2), "a"), TensorSpec(np.dtype("int64"), (-1,), "b")]
        return self._code("tensors", ECHO, ModelSignature(inputs=Schema(inputs)))

    @cached_property
    def moody(self) -> Path:
        """Does what its input says."""
        return self._code("moody", MOODY, ORDERS)

    @cached_property
    def echo(self) -> Path:
        """Answers its input, of which nothing is known."""
        return self._code("echo", ECHO, None)

    @cached_property
    def talker(self) -> Path:
        """Answers word by word when it is asked for a stream, and says in a file how a stream ended."""
        return self._code("talker", TALKER, None)

    @cached_property
    def packaged(self) -> Path:
        """Its code is a package beside it; a part of that is imported when it predicts for the first time."""
        package = self._folder / "sources" / "packaged_code"
        package.mkdir(parents=True)
        (package / "__init__.py").write_text("")
        (package / "late.py").write_text("def shout(text):\n    return text.upper()\n")
        return self._code("packaged", PACKAGED, ORDERS, code_paths=[str(package)])

    @cached_property
    def undescribable(self) -> Path:
        """Loads well; the name of its column cannot be written as UTF-8, as the API's description has to be."""
        return self._code("undescribable", ECHO, ModelSignature(inputs=Schema([ColSpec("string", "\ud800")])))

    @cached_property
    def failing_example(self) -> Path:
        """Loads well and fails on its own example."""
        path = self._code("failing", MOODY, ModelSignature(inputs=Schema([ColSpec("string", "order")])))
        (path / "serving_input_example.json").write_text('{"dataframe_records": [{"order": "raise at noon"}]}')
        with (path / "MLmodel").open("a") as file:
            file.write(
                "saved_input_example_info:\n  artifact_path: input_example.json\n  type: json_object\n"
                "  serving_input_path: serving_input_example.json\n"
            )
        return path

    def _sklearn(self, name: str, model: Any, **options: Any) -> Path:
        mlflow.sklearn.save_model(model, str(self._folder / name), **_KNOWN_REQUIREMENTS, **options)
        return self._folder / name

    def _code(self, name: str, code: str, signature: ModelSignature | None, **options: Any) -> Path:
        source = self._folder / f"{name}.py"
        source.write_text(code)
        options = {"python_model": str(source), "signature": signature, **_KNOWN_REQUIREMENTS, **options}
        mlflow.pyfunc.save_model(str(self._folder / name), **options)
        return self._folder / name


class Replica:
    """Our server as a process of its own session, on a unix socket, as a runtime starts it: executed, or forked."""

    def __init__(
        self,
        model: Path | str,
        folder: Path,
        *extra: str,
        env: dict[str, str] | None = None,
        nursery: Nursery | None = None,
    ) -> None:
        self.socket = folder / "s"
        self.log = folder / "log"
        arguments = ["--model", str(model), "--name", "m", "--version", "3", "--uds", str(self.socket), *extra]
        with self.log.open("wb") as log:
            self.process = _start(arguments, log, env or {}, nursery)
        self.http = httpx.Client(
            transport=httpx.HTTPTransport(uds=str(self.socket)), base_url="http://m", timeout=DEADLINE_SECONDS
        )

    def until_listening(self) -> "Replica":
        """Wait until it answers at all."""
        wait_until(lambda: self.status("/v2/health/live") == 200, self.stderr)
        return self

    def until_ready(self) -> "Replica":
        """Wait until its model is ready."""
        wait_until(lambda: self.status("/v2/health/ready") == 200, self.stderr)
        return self

    def status(self, path: str) -> int | None:
        """The status of a GET; None when nothing answers."""
        try:
            return self.http.get(path).status_code
        except httpx.TransportError:
            return None

    def stderr(self) -> str:
        """What it wrote so far."""
        return self.log.read_text()

    def end(self) -> int:
        """SIGTERM, and its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DEADLINE_SECONDS)

    def close(self) -> None:
        """Make sure that nothing is left."""
        self.http.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(DEADLINE_SECONDS)


def _start(
    arguments: list[str], log: IO[bytes], env: dict[str, str], nursery: Nursery | None
) -> "subprocess.Popen[bytes] | Child":
    clean = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **env}
    if nursery:
        return nursery.start(arguments, log, clean)
    return subprocess.Popen(
        [sys.executable, "-m", "mooring.modelserver", *arguments],
        env=clean, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip


def wait_until(condition: Callable[[], bool], why: Callable[[], str] = str) -> None:
    """Poll, with a deadline."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, why()
        time.sleep(0.01)


class InProcess:
    """An ASGI application, asked without a network."""

    def __init__(self, app: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://m")

    def post(
        self, path: str, body: bytes, content_type: str | None = "application/json", **headers: str
    ) -> httpx.Response:
        """One POST; other headers with underscores for hyphens."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        sent |= {"content-type": content_type} if content_type else {}
        return self._await(self._client.post(path, content=body, headers=sent))

    def get(self, path: str, **headers: str) -> httpx.Response:
        """One GET."""
        return self._await(self._client.get(path, headers=headers))

    def _await(self, request: Any) -> httpx.Response:
        response: httpx.Response = asyncio.run_coroutine_threadsafe(request, self._loop).result(DEADLINE_SECONDS)
        return response


@pytest.fixture(scope="session")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Shelf:
    return Shelf(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One loop in a thread, for both servers."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join(DEADLINE_SECONDS)
    loop.close()


@pytest.fixture(scope="session")
def ours(loop: asyncio.AbstractEventLoop, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., InProcess]:
    """Our server of a model, in this process; one per model and set of options."""
    servers: dict[tuple[Any, ...], InProcess] = {}

    def serve(model: Path, **options: Any) -> InProcess:
        key = (model, *sorted(options.items()))
        if key not in servers:
            chosen = ServeOptions(str(model), name="m", version="3", **options)
            watch = Watch(threads=chosen.concurrency, stuck_seconds=chosen.stuck_after_seconds)
            inference = load_routes(chosen, tmp_path_factory.mktemp("download"), watch)
            health = health_routes("m", "3", lambda: True, watch.trouble)
            metrics = metrics_routes(Metrics(), lambda: True)
            app = Application(Table.of("m", health, metrics, page_routes("m"), inference))
            app.is_loading = False
            servers[key] = InProcess(app, loop)
        return servers[key]

    return serve


@pytest.fixture(scope="session")
def oracle(loop: asyncio.AbstractEventLoop) -> Callable[[Path], InProcess]:
    """MLflow's own scoring server of a model, in this process."""
    from mlflow.pyfunc import scoring_server

    servers: dict[Path, InProcess] = {}

    def serve(model: Path) -> InProcess:
        if model not in servers:
            servers[model] = InProcess(scoring_server.init(mlflow.pyfunc.load_model(str(model))), loop)
        return servers[model]

    return serve


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("nursery"))
    yield made
    made.close()


@pytest.fixture
def replica(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Replica]]:
    """Starts servers as processes and leaves none behind. `fresh`: executed, for what happens before a fork."""
    started: list[Replica] = []

    def start(model: Path | str, *extra: str, env: dict[str, str] | None = None, fresh: bool = False) -> Replica:
        folder = tmp_path / str(len(started))
        folder.mkdir()
        warm = None if fresh else request.getfixturevalue("nursery")
        started.append(Replica(model, folder, *extra, env=env, nursery=warm))
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture(scope="session")
def rows() -> pd.DataFrame:
    """What the model `cancer` was trained on."""
    frame: pd.DataFrame = load_breast_cancer(as_frame=True).data.iloc[:, :6]
    return frame
