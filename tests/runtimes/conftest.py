"""Every test gets a runtime of its own."""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mooring.runtimes.sandbox.environments import Environments
from tests import podman
from tests.runtimes.crane import Crane
from tests.runtimes.harbour import Harbour
from tests.runtimes.sandboxes import Sandboxes, need_bubblewrap


@pytest.fixture
def harbour() -> Iterator[Harbour]:
    """Closed at the end: no process stays. Its path is short, as those of sockets have to be."""
    folder = Path(tempfile.mkdtemp(prefix="mooring-"))
    harbour = Harbour(folder)
    try:
        yield harbour
    finally:
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, folder)
            harbour.close()


@pytest.fixture
def sandboxes(harbour: Harbour, shared_environments: Environments) -> Sandboxes:
    """The harbour's runtime runs containers in sandboxes."""
    need_bubblewrap()
    return Sandboxes(harbour.folder.parent, harbour, shared_environments)


@pytest.fixture(scope="session")
def shared_environments(tmp_path_factory: pytest.TempPathFactory) -> Environments:
    """Made once for all tests that do not say what they require."""
    folder = tmp_path_factory.mktemp("environments")
    return Environments(folder / "made", folder / "uv", 120)


@pytest.fixture
def crane() -> Iterator[Crane]:
    """A runtime with a real container engine, closed at the end."""
    if podman.client() is None:
        pytest.skip(podman.SKIPPED)
    folder = Path(tempfile.mkdtemp(prefix="mooring-"))
    crane = Crane(folder)
    try:
        yield crane
    finally:
        with contextlib.ExitStack() as stack:
            stack.callback(shutil.rmtree, folder)
            crane.close()
