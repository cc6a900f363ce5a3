from collections.abc import Iterator
from pathlib import Path

import pytest

from mooring.artifacts.cache import ModelCache
from tests.mlflow_server import MlflowServer, running_mlflow


@pytest.fixture(scope="session")
def mlflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MlflowServer]:
    with running_mlflow(tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture
def cache(tmp_path: Path, mlflow: MlflowServer) -> Iterator[ModelCache]:
    made = ModelCache(tmp_path / "cache", mlflow.url, fetch_seconds=60)
    yield made
    made.close()
