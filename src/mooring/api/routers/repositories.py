"""Git repositories that applications read from."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from mooring.api import answers
from mooring.api.admin_lists import WithTotal, admin_list
from mooring.api.dependencies import Context, ForWholeTenant, PageOfAdminList
from mooring.api.presenters.gitops import repository as present
from mooring.api.schemas import repositories as shapes
from mooring.api.schemas.common import Done
from mooring.services import repositories
from mooring.services.repositories import LONGEST_NAME, NewRepository

router = APIRouter(prefix="/v2/admin/repositories", tags=["Repository"])
RepositoryName = Annotated[
    str, Path(alias="repositoryName", max_length=LONGEST_NAME, pattern=shapes.REPOSITORY_NAME_PATTERN)
]


@router.get("", response_model=shapes.RepositoryList)
def list_repositories(context: Context, page: PageOfAdminList, with_total: WithTotal = False) -> Response:
    """All repositories, newest first. With `$count=true`, `count` is the total and not that of the page."""
    with context.database.reading() as session:
        shown = [present(row) for row in repositories.list_of(session, page)]
        return admin_list(shown, with_total=with_total, total=lambda: repositories.count(session))


@router.post("", response_model=Done, dependencies=[ForWholeTenant])
def create_repository(context: Context, body: shapes.RepositoryCreate) -> Response:
    """Add a repository and the credentials for it; whether it can be read shows its status."""
    new = NewRepository(body.url, body.credentials, body.name)
    with context.database.transaction() as session:
        made = repositories.create(session, context.vault, new, local_folders=context.local_git_folders)
    context.wake()
    return answers.json({"id": made.name, "message": "Repository created"})


@router.get("/{repositoryName}", response_model=shapes.Repository)
def get_repository(context: Context, name: RepositoryName) -> Response:
    """One repository."""
    with context.database.reading() as session:
        return answers.json(present(repositories.get(session, name)))


@router.patch("/{repositoryName}", response_model=Done, dependencies=[ForWholeTenant])
def modify_repository(context: Context, name: RepositoryName, body: shapes.RepositoryModify) -> Response:
    """Replace the credentials."""
    with context.database.transaction() as session:
        repositories.change_credentials(session, context.vault, name, body.credentials)
    context.wake()
    return answers.json({"id": name, "message": "Repository modified"})


@router.delete("/{repositoryName}", response_model=Done, dependencies=[ForWholeTenant])
def delete_repository(context: Context, name: RepositoryName) -> Response:
    """Remove a repository that no application reads from."""
    with context.database.transaction() as session:
        repositories.remove(session, name)
    context.wake()
    return answers.json({"id": name, "message": "Repository deleted"})
