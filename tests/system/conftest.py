"""A whole installation per module: the real `mooring up`, with real replicas behind the real gateway."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.models import Models, save_models
from tests.system.running_mooring import RunningMooring


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """Small models in a folder from which deployments are allowed."""
    return save_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def mooring(tmp_path_factory: pytest.TempPathFactory, models: Models) -> Iterator[RunningMooring]:
    """Running without a registry; deployments take models from local folders."""
    installation = RunningMooring(tmp_path_factory.mktemp("mooring"), {"MOORING_MODEL_FOLDERS": f'["{models.folder}"]'})
    with installation:
        yield installation


@pytest.fixture
def empty_home(tmp_path: Path) -> Path:
    return tmp_path / "home"
