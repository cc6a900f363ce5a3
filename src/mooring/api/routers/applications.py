"""Applications: folders of templates in git, and how their sync went."""

from typing import Annotated

from fastapi import APIRouter, Path
from starlette.responses import Response

from mooring.api import answers
from mooring.api.admin_lists import WithTotal, admin_list
from mooring.api.dependencies import Context, ForWholeTenant, PageOfAdminList
from mooring.api.presenters import gitops as present
from mooring.api.schemas import applications as shapes
from mooring.api.schemas.common import Done
from mooring.services import applications
from mooring.services.application_sources import Source
from mooring.services.applications import NewApplication

router = APIRouter(prefix="/v2/admin/applications", tags=["Application"])
ApplicationName = Annotated[
    str, Path(alias="applicationName", min_length=3, max_length=63, pattern=shapes.APPLICATION_NAME_PATTERN)
]


@router.get("", response_model=shapes.ApplicationList)
def list_applications(context: Context, page: PageOfAdminList, with_total: WithTotal = False) -> Response:
    """All applications, newest first. With `$count=true`, `count` is the total and not that of the page."""
    with context.database.reading() as session:
        shown = [present.application(row) for row in applications.list_of(session, page)]
        return admin_list(shown, with_total=with_total, total=lambda: applications.count(session))


@router.post("", response_model=Done, dependencies=[ForWholeTenant])
def create_application(context: Context, body: shapes.ApplicationCreate) -> Response:
    """Sync a folder of a repository from now on."""
    new = NewApplication(
        revision=body.revision,
        path=body.path,
        repository_url=body.repository_url,
        repository_name=body.repository_name or "",
        name=body.application_name,
    )
    with context.database.transaction() as session:
        made = applications.create(session, new)
    context.wake()
    return answers.json({"id": made.name, "message": "Application created"})


@router.get("/{applicationName}", response_model=shapes.Application)
def get_application(context: Context, name: ApplicationName) -> Response:
    """One application."""
    with context.database.reading() as session:
        return answers.json(present.application(applications.get(session, name)))


@router.patch("/{applicationName}", response_model=Done, dependencies=[ForWholeTenant])
def modify_application(context: Context, name: ApplicationName, body: shapes.ApplicationModify) -> Response:
    """Sync something else from now on."""
    source = Source(body.repository_url, body.revision, body.path)
    with context.database.transaction() as session:
        applications.change_source(session, name, source)
    context.wake()
    return answers.json({"id": name, "message": "Application modified"})


@router.delete("/{applicationName}", response_model=Done, dependencies=[ForWholeTenant])
def delete_application(context: Context, name: ApplicationName) -> Response:
    """Sync this no longer."""
    with context.database.transaction() as session:
        applications.remove(session, name)
    context.wake()
    return answers.json({"id": name, "message": "Application deleted"})


@router.get("/{applicationName}/status", response_model=shapes.ApplicationStatus)
def get_application_status(context: Context, name: ApplicationName) -> Response:
    """How its last sync went."""
    with context.database.reading() as session:
        return answers.json(present.application_status(applications.get(session, name)))


@router.post("/{applicationName}/refresh", status_code=202, response_model=Done, dependencies=[ForWholeTenant])
def refresh_application(context: Context, name: ApplicationName) -> Response:
    """Sync it now instead of at its next turn."""
    with context.database.transaction() as session:
        applications.refresh(session, name)
    context.wake()
    return answers.accepted(name, "Application refresh scheduled")
