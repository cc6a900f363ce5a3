"""Docker registry secrets, of the whole installation."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from mooring.api import answers
from mooring.api.admin_lists import WithTotal, admin_list
from mooring.api.dependencies import Context, ForWholeTenant, PageOfAdminList
from mooring.api.presenters.secrets import docker_registry_secret as present
from mooring.api.schemas import docker_registry_secrets as shapes
from mooring.api.schemas.common import Done
from mooring.api.schemas.secrets import Said
from mooring.services import docker_registry_secrets

PATH = "/v2/admin/dockerRegistrySecrets"
router = APIRouter(prefix=PATH, tags=["Docker registry secret"])

DockerName = Annotated[
    str,
    Path(alias="dockerRegistryName", max_length=shapes.LONGEST_DOCKER_NAME, pattern=shapes.DOCKER_NAME_PATTERN),
]


@router.get("", response_model=shapes.DockerRegistrySecretList)
def list_docker_registry_secrets(context: Context, page: PageOfAdminList, with_total: WithTotal = False) -> Response:
    """The names of all, newest first."""
    with context.database.reading() as session:
        shown = map(present, docker_registry_secrets.list_of(session, page))
        return admin_list(shown, with_total=with_total, total=lambda: docker_registry_secrets.count(session))


@router.post("", status_code=202, response_model=Said, dependencies=[ForWholeTenant])
def create_docker_registry_secret(context: Context, body: shapes.DockerRegistrySecretCreate) -> Response:
    """Keep credentials for registries; nobody can read them here again."""
    with context.database.transaction() as session:
        docker_registry_secrets.create(session, context.vault, body.name, body.data.config)
    return answers.json({"message": "Docker registry secret has been created"}, 202)


@router.get("/{dockerRegistryName}", response_model=shapes.DockerRegistrySecret)
def get_docker_registry_secret(context: Context, name: DockerName) -> Response:
    """Whether there is one of this name."""
    with context.database.reading() as session:
        return answers.json(present(docker_registry_secrets.get(session, name)))


@router.patch("/{dockerRegistryName}", status_code=202, response_model=Done, dependencies=[ForWholeTenant])
def modify_docker_registry_secret(
    context: Context, name: DockerName, body: shapes.DockerRegistrySecretModify
) -> Response:
    """Replace the credentials."""
    with context.database.transaction() as session:
        docker_registry_secrets.change(session, context.vault, name, body.data.config)
    return answers.accepted(name, "Docker registry secret has been modified")


@router.delete("/{dockerRegistryName}", status_code=202, response_model=Done, dependencies=[ForWholeTenant])
def delete_docker_registry_secret(context: Context, name: DockerName) -> Response:
    """Remove the credentials."""
    with context.database.transaction() as session:
        docker_registry_secrets.remove(session, name)
    return answers.accepted(name, "Docker registry secret has been deleted")
