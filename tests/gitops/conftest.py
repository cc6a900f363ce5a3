"""A git server, and what reads from it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mooring.gitops.access import RepositoryAccess
from mooring.gitops.program import GitProgram
from mooring.gitops.repositories import Repositories
from mooring.network.reach import Reach
from tests.git_server import GitServer, Repo, serving


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    root = tmp_path / "served"
    root.mkdir()
    with serving(root) as started:
        yield started


@pytest.fixture
def repo(server: GitServer) -> Repo:
    return server.new()


@pytest.fixture
def access() -> Iterator[RepositoryAccess]:
    """To this machine, where the tests' servers are."""
    opened = RepositoryAccess(Reach(["127.0.0.1"]))
    yield opened
    opened.close()


@pytest.fixture
def reader(tmp_path: Path, access: RepositoryAccess) -> Repositories:
    home = tmp_path / "repositories"
    home.mkdir()
    return Repositories(home, GitProgram(home, seconds=30, most_bytes=100_000_000), access)
