"""Object store secrets of a resource group."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from mooring.api import answers
from mooring.api.admin_lists import WithTotal, admin_list
from mooring.api.dependencies import Context, Group, PageOfAdminList
from mooring.api.presenters.secrets import object_store_secret as present
from mooring.api.schemas import object_store_secrets as shapes
from mooring.api.schemas.common import Done
from mooring.api.schemas.secrets import Said
from mooring.services import object_store_secrets
from mooring.services.object_store_secrets import NewSecret

PATH = "/v2/admin/objectStoreSecrets"
router = APIRouter(prefix=PATH, tags=["Object store secret"])

StoreName = Annotated[str, Path(alias="objectStoreName", pattern=shapes.STORE_NAME_PATTERN)]


@router.get("", response_model=shapes.ObjectStoreSecretList)
def list_object_store_secrets(
    context: Context, group: Group, page: PageOfAdminList, with_total: WithTotal = False
) -> Response:
    """The object store secrets of a resource group, newest first, without their credentials."""
    with context.database.reading() as session:
        shown = map(present, object_store_secrets.list_of(session, group, page))
        return admin_list(shown, with_total=with_total, total=lambda: object_store_secrets.count(session, group))


@router.post("", status_code=202, response_model=Said)
def create_object_store_secret(context: Context, group: Group, body: shapes.ObjectStoreSecretCreate) -> Response:
    """Say where `ai://<name>/…` lies, and how to get there. The store itself is not asked."""
    new = NewSecret(body.name, body.type, body.data, body.properties())
    with context.database.transaction() as session:
        object_store_secrets.create(session, context.vault, group, new)
    return answers.json({"message": "Object store secret has been created"}, 202)


@router.get("/{objectStoreName}", response_model=shapes.ObjectStoreSecret)
def get_object_store_secret(context: Context, group: Group, name: StoreName) -> Response:
    """One object store secret, without its credentials."""
    with context.database.reading() as session:
        return answers.json(present(object_store_secrets.get(session, group, name)))


@router.patch("/{objectStoreName}", status_code=202, response_model=Done)
def modify_object_store_secret(
    context: Context, group: Group, name: StoreName, body: shapes.ObjectStoreSecretModify
) -> Response:
    """Replace all of it but the name."""
    changed = NewSecret(body.name or name, body.type, body.data, body.properties())
    with context.database.transaction() as session:
        row = object_store_secrets.change(session, context.vault, group, name, changed)
        return answers.accepted(row.name, "Object store secret has been modified")


@router.delete("/{objectStoreName}", status_code=202, response_model=Done)
def delete_object_store_secret(context: Context, group: Group, name: StoreName) -> Response:
    """Remove the credentials; what lies in the object store stays there."""
    with context.database.transaction() as session:
        row = object_store_secrets.remove(session, group, name)
        return answers.accepted(row.name, "Object store secret has been deleted")
