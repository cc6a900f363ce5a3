"""An environment in which nothing of the developer's own leads anywhere."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.compat.endpoint import Endpoint


@pytest.fixture(autouse=True)
def _nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AICORE_", "MOORING_", "DATABRICKS_", "AWS_")):
            monkeypatch.delenv(name)
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    made = Endpoint()
    yield made
    made.close()
