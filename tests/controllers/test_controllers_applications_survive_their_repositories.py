"""Whatever becomes of a repository, what worked is kept, and the status says what happened and what to do."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from mooring.controllers.applications import ApplicationController
from mooring.domain.gitops import Credentials
from mooring.gitops.access import RepositoryAccess
from mooring.gitops.program import GitProgram
from mooring.gitops.repositories import Repositories
from mooring.network.reach import Reach
from mooring.services import applications, repositories
from mooring.services.applications import NewApplication
from mooring.services.repositories import NewRepository
from mooring.store.database import Database
from mooring.store.tables import Application, Executable, Repository
from mooring.store.vault import KEY_BYTES, Vault
from tests.git_server import GitServer, Repo, serving
from tests.templates.samples import SERVING, WORKFLOW

VAULT = Vault(bytes(KEY_BYTES))
NOBODY = Credentials("", "")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    root = tmp_path / "served"
    root.mkdir()
    with serving(root) as started:
        yield started


@pytest.fixture
def repo(server: GitServer) -> Repo:
    made = server.new()
    made.commit({"templates/serve.yaml": SERVING})
    return made


@pytest.fixture
def controller(database: Database, tmp_path: Path) -> Iterator[ApplicationController]:
    folder = tmp_path / "repositories"
    access = RepositoryAccess(Reach(["127.0.0.1"]))
    git = GitProgram(folder, seconds=30, most_bytes=20_000_000)
    yield ApplicationController(database, VAULT, Repositories(folder, git, access), timedelta(hours=1))
    access.close()


def _application(database: Database, repo: Repo, revision: str = "main") -> str:
    with database.transaction() as session:
        if repositories.find_by_url(session, repo.url) is None:
            repositories.create(session, VAULT, NewRepository(repo.url, NOBODY, "repo"))
        new = NewApplication(revision, "templates", repository_name="repo", name=f"of-{revision}".replace("/", "-"))
        return applications.create(session, new).name


def _row(database: Database, name: str) -> Application:
    with database.reading() as session:
        return session.get_one(Application, name)


def _executables(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(Executable.id).where(Executable.application.is_not(None))))


def test_a_tag_that_moves_is_followed_and_one_that_goes_is_told(
    database: Database, controller: ApplicationController, repo: Repo
) -> None:
    repo.git("tag", "v1")
    name = _application(database, repo, "v1")
    controller.sync(name)
    repo.commit({"templates/train.yaml": WORKFLOW})
    repo.git("tag", "--force", "v1")
    controller.sync(name)
    assert _executables(database) == {"greeter", "trainer"}
    repo.git("tag", "--delete", "v1")
    controller.sync(name)
    row = _row(database, name)
    assert (row.sync_status, _executables(database)) == ("Unknown", {"greeter", "trainer"})
    assert "the revision 'v1' cannot be resolved: there is no such branch, tag or commit" in row.message


def test_a_branch_that_goes_and_returns(database: Database, controller: ApplicationController, repo: Repo) -> None:
    name = _application(database, repo)
    controller.sync(name)
    repo.git("branch", "--move", "main", "trunk")
    controller.sync(name)
    assert "'main' cannot be resolved" in _row(database, name).message
    assert _executables(database) == {"greeter"}
    repo.git("branch", "--move", "trunk", "main")
    controller.sync(name)
    assert (_row(database, name).sync_status, _executables(database)) == ("Synced", {"greeter"})


def test_a_history_without_a_common_past(database: Database, controller: ApplicationController, repo: Repo) -> None:
    name = _application(database, repo)
    controller.sync(name)
    repo.git("checkout", "--quiet", "--orphan", "other")
    repo.git("rm", "--quiet", "-r", "--cached", ".")
    (repo.folder / "templates/serve.yaml").unlink()
    commit = repo.commit({"templates/train.yaml": WORKFLOW})
    repo.git("branch", "--force", "main", commit)
    controller.sync(name)
    row = _row(database, name)
    assert (row.sync_status, row.synced_revision, _executables(database)) == ("Synced", commit, {"trainer"})


def test_what_was_deleted_on_the_server_and_made_anew(
    database: Database, controller: ApplicationController, repo: Repo, server: GitServer
) -> None:
    name = _application(database, repo)
    controller.sync(name)
    repo.folder.rename(repo.folder.with_name("away"))
    controller.sync(name)
    row = _row(database, name)
    assert (row.sync_status, _executables(database)) == ("Unknown", {"greeter"})
    assert row.message
    with database.reading() as session:
        assert session.get_one(Repository, "repo").status == "ERROR"
    server.new().commit({"templates/train.yaml": WORKFLOW})
    controller.sync(name)
    assert (_row(database, name).sync_status, _executables(database)) == ("Synced", {"trainer"})


def test_a_file_that_is_too_large_for_a_repository(
    database: Database, controller: ApplicationController, repo: Repo
) -> None:
    name = _application(database, repo)
    controller.sync(name)
    repo.git("config", "core.compression", "0")
    (repo.folder / "weights.bin").write_bytes(b"x" * 25_000_000)
    repo.commit({})
    controller.sync(name)
    row = _row(database, name)
    assert (row.sync_status, _executables(database)) == ("Unknown", {"greeter"})
    assert "the repository is larger than allowed" in row.message


def test_two_hundred_templates(database: Database, controller: ApplicationController, repo: Repo) -> None:
    repo.commit(
        {
            **{f"templates/s{n}.yaml": SERVING.replace("greeter", f"serve{n}") for n in range(100)},
            **{f"templates/t{n}.yaml": WORKFLOW.replace("trainer", f"train{n}") for n in range(100)},
        }
    )
    name = _application(database, repo)
    for ending in ("created", "unchanged"):
        began = time.monotonic()
        controller.sync(name)
        assert time.monotonic() - began < 30
        row = _row(database, name)
        assert row.sync_status == "Synced"
        assert len(row.resources) == 201
        assert all(each["message"].endswith(ending) for each in row.resources)
    assert len(_executables(database)) == 201


def test_a_host_that_is_out_of_reach_is_told_with_the_way_out(database: Database, tmp_path: Path, repo: Repo) -> None:
    folder = tmp_path / "strict"
    git = GitProgram(folder, seconds=30, most_bytes=20_000_000)
    strict = ApplicationController(database, VAULT, Repositories(folder, git), timedelta(hours=1))
    name = _application(database, repo)
    strict.sync(name)
    assert "setting git_hosts (MOORING_GIT_HOSTS)" in _row(database, name).message


def test_what_no_application_reads_is_removed(
    database: Database, controller: ApplicationController, repo: Repo
) -> None:
    repo.git("branch", "next")
    kept, gone = _application(database, repo), _application(database, repo, "next")
    for name in (kept, gone):
        controller.sync(name)
    folder = controller.repositories.folder

    def fetched() -> int:
        return len([path for path in folder.rglob("*") if path.is_file() and "revisions" in path.parts])

    assert fetched() == 2
    with database.transaction() as session:
        applications.remove(session, gone)
    controller.tidy()
    assert fetched() == 1
    with database.transaction() as session:
        applications.remove(session, kept)
    controller.tidy()
    assert list(folder.iterdir()) == []
