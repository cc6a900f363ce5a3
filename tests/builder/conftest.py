import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from mooring.builder.builder import Builder
from mooring.builder.mlflow import RegistryClient
from mooring.client.client import AIClient
from tests.fake_ai_api import FakeAiApi
from tests.mlflow_server import MlflowServer, running_mlflow

PUBLIC_URL = "http://gateway.example:8080"

Running = Callable[..., AbstractContextManager[Builder]]


def eventually(holds: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come true in time"
        time.sleep(0.05)


def served(api: FakeAiApi, model: str) -> list[str]:
    """The model URIs that deployments of a model serve."""
    with api.lock:
        found = []
        for deployment in list(api.deployments.values()):
            configuration = api.configurations.get(deployment.get("latestRunningConfigurationId", ""), {})
            values = {each["key"]: each["value"] for each in configuration.get("parameterBindings", [])}
            if values.get("modelName") == model:
                found.append(values["modelUri"])
        return found


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    with running_mlflow(tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture
def mlflow(mlflow_server: MlflowServer) -> Iterator[MlflowServer]:
    """With an empty registry: a builder deploys whatever is marked in it."""
    yield mlflow_server
    mlflow_server.delete_models()


@pytest.fixture
def registry(mlflow: MlflowServer) -> Iterator[RegistryClient]:
    client = RegistryClient(mlflow.url)
    yield client
    client.close()


@pytest.fixture
def api() -> Iterator[FakeAiApi]:
    with FakeAiApi() as server:
        yield server


@pytest.fixture
def running(registry: RegistryClient, api: FakeAiApi) -> Running:
    """`with running(...) as builder:` runs a builder; the options are the builder's."""

    @contextmanager
    def run(registry: RegistryClient = registry, **options: object) -> Iterator[Builder]:
        settings = {"poll_seconds": 0.1, "removal_grace_seconds": 0.3} | options
        stop = threading.Event()
        with AIClient.from_service_key(api.service_key(), timeout_seconds=5) as client:
            builder = Builder(registry, client, public_url=PUBLIC_URL, **settings)  # type: ignore[arg-type]
            thread = threading.Thread(target=builder.run, args=(stop,))
            thread.start()
            try:
                yield builder
            finally:
                stop.set()
                thread.join(30)
                assert not thread.is_alive()

    return run
