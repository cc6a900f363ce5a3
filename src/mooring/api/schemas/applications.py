"""Applications."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from mooring.api.schemas.common import Shape
from mooring.api.schemas.repositories import GivenUrl
from mooring.api.schemas.repositories import Name as RepositoryName
from mooring.domain.git_folders import LONGEST_BYTES as LONGEST_FOLDER
from mooring.domain.git_revisions import LONGEST_BYTES as LONGEST_REVISION
from mooring.domain.gitops import HealthStatus, SyncStatus
from mooring.services.applications import LONGEST_NAME

APPLICATION_NAME_PATTERN = r"^[a-z0-9-]+$"
Name = Annotated[str, StringConstraints(min_length=3, max_length=LONGEST_NAME, pattern=APPLICATION_NAME_PATTERN)]
Revision = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_REVISION)]
Folder = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_FOLDER)]


class ApplicationModify(Shape):
    """What is synced from now on: a folder of a known repository, at a branch, tag or commit."""

    repository_url: GivenUrl
    revision: Revision
    path: Folder


class ApplicationCreate(Shape):
    """What is needed to make an application. Without a name, one is made."""

    repository_url: GivenUrl | None = None
    repository_name: RepositoryName | None = None
    revision: Revision
    path: Folder
    application_name: Name | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.repository_url is None) == (self.repository_name is None):
            raise ValueError("give exactly one of repositoryUrl and repositoryName")
        return self


class Application(Shape):
    """A folder of templates in a repository."""

    application_name: str
    repository_url: str
    revision: str
    path: str


class ApplicationList(Shape):
    """A page of applications. `count` is the total when `$count=true` was asked for."""

    count: int
    resources: list[Application]


class ApplicationSource(Shape):
    """What the last sync has read; `revision` is the commit, absent before the first sync."""

    repo_url: str = Field(alias="repoURL")
    path: str
    revision: str | None = None


class ResourceStatus(Shape):
    """What became of one template."""

    name: str
    kind: str
    status: str
    message: str


class ApplicationStatus(Shape):
    """How the last sync went. Times that are not known yet are left out."""

    health_status: HealthStatus
    sync_status: SyncStatus
    message: str
    source: ApplicationSource
    sync_started_at: datetime | None = None
    sync_finished_at: datetime | None = None
    reconciled_at: datetime | None = None
    sync_resources_status: list[ResourceStatus]
    sync_ressources_status: list[ResourceStatus] = Field(description="The same, under its older name.")
