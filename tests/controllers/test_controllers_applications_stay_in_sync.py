"""Applications follow their folders: on demand and by themselves; trouble is told and removes nothing."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from mooring.controllers.applications import ApplicationController
from mooring.controllers.work_lease import NamedLease
from mooring.domain import git_urls
from mooring.domain.gitops import Credentials
from mooring.gitops.access import RepositoryAccess
from mooring.gitops.program import GitProgram
from mooring.gitops.repositories import Repositories
from mooring.network.reach import Reach
from mooring.services import applications, repositories
from mooring.services.application_sources import Source
from mooring.services.applications import NewApplication
from mooring.services.repositories import NewRepository
from mooring.store.database import Database
from mooring.store.tables import Application, Executable, Repository
from mooring.store.vault import KEY_BYTES, Vault
from tests.git_server import GitServer, Repo, serving
from tests.templates.samples import SERVING, WORKFLOW

VAULT = Vault(bytes(KEY_BYTES))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[GitServer]:
    root = tmp_path / "served"
    root.mkdir()
    with serving(root) as started:
        started.username, started.password = "robot", "right"
        yield started


@pytest.fixture
def repo(server: GitServer) -> Repo:
    made = server.new()
    made.commit({"templates/serve.yaml": SERVING})
    return made


@pytest.fixture
def controller(database: Database, tmp_path: Path) -> Iterator[ApplicationController]:
    folder = tmp_path / "repositories"
    git = GitProgram(folder, seconds=30, most_bytes=100_000_000)
    access = RepositoryAccess(Reach(["127.0.0.1"]))
    yield ApplicationController(database, VAULT, Repositories(folder, git, access), timedelta(hours=1))
    access.close()


@pytest.fixture
def application(database: Database, repo: Repo) -> str:
    with database.transaction() as session:
        repositories.create(session, VAULT, NewRepository(repo.url, Credentials("robot", "right"), "repo"))
        return applications.create(session, NewApplication("main", "./templates/", repository_name="repo")).name


def _row(database: Database, name: str) -> Application:
    with database.reading() as session:
        return session.get_one(Application, name)


def _executables(database: Database) -> set[str]:
    with database.reading() as session:
        return set(session.scalars(select(Executable.id).where(Executable.application.is_not(None))))


def _refresh(database: Database, name: str) -> None:
    with database.transaction() as session:
        applications.refresh(session, name)


def test_a_new_application_is_synced_once(
    database: Database, controller: ApplicationController, application: str, repo: Repo
) -> None:
    assert controller.due() == [application]
    controller.sync(application)
    row = _row(database, application)
    assert (row.sync_status, row.health_status, row.synced_revision) == (
        "Synced",
        "Healthy",
        repo.git("rev-parse", "main"),
    )
    assert row.resources[0]["message"] == "servingtemplate.ai.sap.com/greeter created"
    assert _executables(database) == {"greeter"}
    assert controller.due() == []
    with database.reading() as session:
        assert session.get_one(Repository, "repo").status == "COMPLETED"


def test_a_push_is_seen_after_a_refresh(
    database: Database, controller: ApplicationController, application: str, repo: Repo
) -> None:
    controller.sync(application)
    repo.commit({"templates/train.yaml": WORKFLOW, "templates/serve.yaml": None})
    _refresh(database, application)
    assert _row(database, application).sync_status == "OutOfSync"
    assert controller.due() == [application]
    controller.sync(application)
    assert _row(database, application).sync_status == "Synced"
    assert _executables(database) == {"trainer"}


def test_pushes_that_follow_each_other_closely_are_synced_together(
    database: Database, controller: ApplicationController, application: str, repo: Repo
) -> None:
    controller.sync(application)
    places = frozenset({git_urls.place(repo.url)})

    def push() -> list[str]:
        with database.transaction() as session:
            return applications.pushed(session, places)

    assert push() == [application]
    assert controller.due() == [], "it was asked for a moment ago, when it was new"
    assert push() == [], "the sync that will begin sees this push, too"
    with database.transaction() as session:
        row = session.get_one(Application, application)
        assert row.refresh_requested_at
        row.refresh_requested_at -= applications.PUSH_PAUSE
        row.sync_started_at = row.refresh_requested_at - applications.PUSH_PAUSE
    assert controller.due() == [application]
    controller.sync(application)
    assert (controller.due(), _row(database, application).sync_status) == ([], "Synced")


def test_a_look_is_due_after_a_while(controller: ApplicationController, application: str) -> None:
    controller.sync(application)
    impatient = ApplicationController(controller.database, VAULT, controller.repositories, timedelta(0))
    assert impatient.due() == [application]


@pytest.mark.parametrize("trouble", ["away", "password", "broken", "path", "branch"])
def test_trouble_is_told_and_removes_nothing(
    database: Database, controller: ApplicationController, application: str, repo: Repo, server: GitServer, trouble: str
) -> None:
    controller.sync(application)
    match trouble:
        case "away":
            server.broken = True
        case "password":
            server.password = "changed"
        case "broken":
            repo.commit({"templates/serve.yaml": "a: ["})
        case "path":
            repo.commit({"templates/serve.yaml": None, "other": ""})
        case "branch":
            repo.git("branch", "--move", "main", "trunk")
    _refresh(database, application)
    controller.sync(application)
    row = _row(database, application)
    assert row.sync_status != "Synced"
    assert row.message
    assert "right" not in row.message
    assert _executables(database) == {"greeter"}
    assert controller.due() == [], "what failed is tried again at its next turn, not at once"


def test_trouble_ends_by_itself(
    database: Database, controller: ApplicationController, application: str, server: GitServer
) -> None:
    server.broken = True
    controller.sync(application)
    assert _executables(database) == set()
    server.broken = False
    _refresh(database, application)
    controller.sync(application)
    assert (_row(database, application).sync_status, _executables(database)) == ("Synced", {"greeter"})


def test_only_one_control_plane_syncs(database: Database, controller: ApplicationController, application: str) -> None:
    other = NamedLease(database, f"sync/{application}", seconds=60)
    assert other.take()
    controller.sync(application)
    assert _row(database, application).sync_started_at is None
    other.give_back()
    controller.sync(application)
    assert _executables(database) == {"greeter"}


def test_what_was_pointed_elsewhere_meanwhile_is_not_recorded(
    database: Database, controller: ApplicationController, application: str, repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Repositories.read

    def slow(self: Repositories, url: str, revision: str, path: str, credentials: object) -> object:
        found = real(self, url, revision, path, credentials)  # type: ignore[arg-type]
        with database.transaction() as session:
            applications.change_source(session, application, Source(repo.url, "main", "elsewhere"))
        return found

    monkeypatch.setattr(Repositories, "read", slow)
    controller.sync(application)
    assert _executables(database) == set()
    assert controller.due() == [application]


def test_a_deleted_application_takes_its_executables_along(
    database: Database, controller: ApplicationController, application: str
) -> None:
    controller.sync(application)
    with database.transaction() as session:
        applications.remove(session, application)
    assert _executables(database) == set()
    assert controller.sync(application)
