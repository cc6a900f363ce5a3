"""An MLflow that comes back with an empty database, and a model that was really deleted: with real MLflow servers."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mooring.builder.mlflow import RegistryClient
from tests.builder.conftest import Running, eventually, served
from tests.fake_ai_api import FakeAiApi
from tests.mlflow_server import MlflowServer, running_mlflow

DEPLOYMENTS = "/v2/lm/deployments"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    with running_mlflow(tmp_path_factory.mktemp("empty")) as server:
        yield server


class Address(httpx.BaseTransport):
    """One address, behind which another server can be put."""

    def __init__(self, server: MlflowServer) -> None:
        self.server = server
        self._wire = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        place = httpx.URL(self.server.url)
        request.url = request.url.copy_with(host=place.host, port=place.port)
        return self._wire.handle_request(request)

    def close(self) -> None:
        self._wire.close()


def marked_model(mlflow: MlflowServer) -> str:
    """The name of a new model whose version 1 is marked."""
    name = mlflow.new_model()
    mlflow.new_version(name, {"production": "true"})
    return name


def wait_for_looks(api: FakeAiApi, count: int = 15) -> None:
    looks = api.count("GET", DEPLOYMENTS)
    eventually(lambda: api.count("GET", DEPLOYMENTS) > looks + count)


def test_an_empty_database_at_the_same_address_undeploys_nothing(
    mlflow: MlflowServer,
    empty: MlflowServer,
    api: FakeAiApi,
    running: Running,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    address = Address(mlflow)
    registry = RegistryClient("http://127.0.0.1", transport=address)
    options = {"registry": registry, "vanished_grace_seconds": 0, "sightings_file": tmp_path / "sightings.json"}
    first = marked_model(mlflow)
    with running(**options):
        eventually(lambda: served(api, first) == [f"models:/{first}/1"])
        address.server = empty
        eventually(lambda: f"model {first} is not in the registry" in caplog.text)
        wait_for_looks(api)
    with running(**options):
        eventually(lambda: caplog.text.count(f"model {first} is not in the registry") == 2)
        wait_for_looks(api)
        second = marked_model(empty)
        eventually(lambda: served(api, second) == [f"models:/{second}/1"])
        empty.delete_models()
        eventually(lambda: not served(api, second))
        assert served(api, first) == [f"models:/{first}/1"]

        address.server = mlflow
        mlflow.delete_tag(first, 1, "production")
        eventually(lambda: not api.deployments)
    registry.close()


def test_the_only_model_of_a_registry_deleted_on_purpose_is_undeployed(
    mlflow: MlflowServer, api: FakeAiApi, running: Running
) -> None:
    name = marked_model(mlflow)
    with running(vanished_grace_seconds=0.3):
        eventually(lambda: served(api, name) == [f"models:/{name}/1"])
        mlflow.delete_models()
        eventually(lambda: not api.deployments)


def test_deleted_while_nobody_looked_it_is_undeployed_if_it_is_remembered(
    mlflow: MlflowServer, api: FakeAiApi, running: Running, tmp_path: Path
) -> None:
    options = {"vanished_grace_seconds": 0, "sightings_file": tmp_path / "sightings.json"}
    name = marked_model(mlflow)
    with running(**options):
        eventually(lambda: served(api, name) == [f"models:/{name}/1"])
    mlflow.delete_models()

    with running(**options | {"sightings_file": None}):
        wait_for_looks(api)
        assert served(api, name) == [f"models:/{name}/1"]
    with running(**options):
        eventually(lambda: not api.deployments)


def test_a_registry_is_known_by_its_database_and_not_by_what_is_in_it(
    mlflow: MlflowServer, empty: MlflowServer, registry: RegistryClient
) -> None:
    before = registry.identity()
    mlflow.new_model()
    mlflow.api("POST", "/experiments/create", name="another")

    assert before is not None
    assert registry.identity() == before
    assert RegistryClient(empty.url).identity() not in (None, before)
