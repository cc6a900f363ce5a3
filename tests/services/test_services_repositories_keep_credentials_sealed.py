"""A repository's credentials can be read by whoever fetches from it, and by nobody who only has the store."""

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from mooring.domain.gitops import Credentials
from mooring.errors import Conflict, InvalidRequest
from mooring.services import applications, repositories
from mooring.services.applications import NewApplication
from mooring.services.repositories import NewRepository
from mooring.store.tables import Repository
from mooring.store.vault import KEY_BYTES, CannotOpen, Vault

URL = "https://git.example/org/Templates.git"
SECRET = Credentials("somebody", "hunter2")


@pytest.fixture
def vault() -> Vault:
    return Vault(bytes(KEY_BYTES))


@pytest.fixture
def repository(session: Session, vault: Vault) -> Repository:
    return repositories.create(session, vault, NewRepository(URL, SECRET))


def test_only_with_the_key_and_only_in_their_row(session: Session, vault: Vault, repository: Repository) -> None:
    assert repositories.credentials_of(vault, repository) == SECRET
    kept = str(session.execute(text("SELECT * FROM repositories")).all())
    assert "hunter2" not in kept + repr(SECRET) + repr(vars(repository))
    other = repositories.create(session, vault, NewRepository(URL + "/other", Credentials("", ""), "other"))
    other.credentials = repository.credentials
    for stranger, row in ((Vault(bytes(KEY_BYTES - 1) + b"x"), repository), (vault, other)):
        with pytest.raises(CannotOpen):
            repositories.credentials_of(stranger, row)


def test_new_credentials_are_to_be_tried(session: Session, vault: Vault, repository: Repository) -> None:
    repository.status, repository.status_message = "ERROR", "refused"
    repositories.change_credentials(session, vault, repository.name, Credentials("other", "swordfish"))
    assert repositories.credentials_of(vault, repository).password == "swordfish"
    assert (repository.status, repository.status_message) == ("IN-PROGRESS", "")


def test_names_are_made_of_urls(session: Session, vault: Vault, repository: Repository) -> None:
    assert repository.name == "templates"
    second = repositories.create(session, vault, NewRepository("git@git.example:templates", SECRET))
    assert second.name == "templates-2"
    application = applications.create(session, NewApplication("main", "a/Serving", repository_name=second.name))
    assert application.name == "templates-2-a-serving"


def test_a_repository_is_there_once(session: Session, vault: Vault, repository: Repository) -> None:
    for new in (
        NewRepository(URL.upper().replace("HTTPS", "https") + "/", SECRET),
        NewRepository(URL + "x", SECRET, repository.name),
    ):
        with pytest.raises(Conflict, match="templates"):
            repositories.create(session, vault, new)


def test_a_wrong_url_is_not_repeated(session: Session, vault: Vault) -> None:
    with pytest.raises(InvalidRequest, match=r"^url: ") as raised:
        repositories.create(session, vault, NewRepository("https://u:hunter2@git.example/r", SECRET))
    assert "hunter2" not in raised.value.message
