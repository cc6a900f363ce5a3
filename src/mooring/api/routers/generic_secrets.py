"""Generic secrets, of a resource group, of the tenant, or of all groups (see `mooring.api.secret_scope`)."""

from collections.abc import Collection
from typing import Annotated

from fastapi import APIRouter, Path, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from mooring.api import answers
from mooring.api.admin_lists import WithTotal, admin_list
from mooring.api.authentication import principal_of
from mooring.api.dependencies import Context, PageOfAdminList
from mooring.api.presenters.secrets import generic_secret as present
from mooring.api.schemas import generic_secrets as shapes
from mooring.api.schemas.secrets import Said
from mooring.api.secret_scope import SecretScope, WritableScope
from mooring.services import generic_secrets, resource_groups
from mooring.services.generic_secrets import ALL_GROUPS, NewSecret

PATH = "/v2/admin/secrets"
router = APIRouter(prefix=PATH, tags=["Secret"])

SecretName = Annotated[str, Path(alias="secretName", pattern=shapes.GENERIC_NAME_PATTERN)]


@router.get("", response_model=shapes.GenericSecretList)
def list_secrets(
    request: Request, context: Context, scope: SecretScope, page: PageOfAdminList, with_total: WithTotal = False
) -> Response:
    """The secrets of a scope, newest first, without their values."""
    with context.database.reading() as session:
        groups = _groups(session, request, scope)
        shown = [present(row, groups) for row in generic_secrets.list_of(session, scope, page)]
        return admin_list(shown, with_total=with_total, total=lambda: generic_secrets.count(session, scope))


@router.post("", response_model=shapes.GenericSecretChanged)
def create_secret(context: Context, scope: WritableScope, body: shapes.GenericSecretCreate) -> Response:
    """Keep values for containers; nobody can read them here again."""
    new = NewSecret(body.name, body.data, [label.model_dump() for label in body.labels])
    with context.database.transaction() as session:
        generic_secrets.create(session, context.vault, scope, new)
    return answers.json({"message": "Secret has been created", "name": body.name})


@router.get("/{secretName}", response_model=shapes.GenericSecret)
def get_secret(request: Request, context: Context, scope: SecretScope, name: SecretName) -> Response:
    """One secret, without its values."""
    with context.database.reading() as session:
        row = generic_secrets.get(session, scope, name)
        return answers.json(present(row, _groups(session, request, scope)))


@router.patch("/{secretName}", response_model=shapes.GenericSecretChanged)
def modify_secret(
    context: Context, scope: WritableScope, name: SecretName, body: shapes.GenericSecretModify
) -> Response:
    """Replace the values. Labels that are given are set, those with an empty value removed."""
    changed = NewSecret(name, body.data, [label.model_dump() for label in body.labels])
    with context.database.transaction() as session:
        generic_secrets.change(session, context.vault, scope, changed)
    return answers.json({"message": "Secret has been modified", "name": name})


@router.delete("/{secretName}", response_model=Said)
def delete_secret(context: Context, scope: WritableScope, name: SecretName) -> Response:
    """Remove a secret."""
    with context.database.transaction() as session:
        generic_secrets.remove(session, scope, name)
    return answers.json({"message": "Secret has been deleted"})


def _groups(session: Session, request: Request, scope: str) -> Collection[str]:
    """Where a secret of all groups is, as far as the caller may know of the groups."""
    if scope != ALL_GROUPS:
        return ()
    principal = principal_of(request.scope)
    return [group for group in resource_groups.every_id(session) if principal.may_use(group)]
