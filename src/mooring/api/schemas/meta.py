"""What this server can do."""

from typing import Literal

from mooring.api.schemas.common import Shape


class ByKind(Shape):
    """Whether something is there for executions, and for deployments."""

    executions: bool
    deployments: bool


class Capabilities(Shape):
    """What can be done."""

    multitenant: bool
    shareable: bool
    static_deployments: bool
    user_deployments: bool
    user_executions: bool
    time_to_live_deployments: bool
    execution_schedules: bool
    logs: ByKind
    bulk_updates: ByKind


class RunningLimit(Shape):
    """How many may run at the same time; -1 for as many as fit."""

    max_running_count: int


class TimeToLiveLimit(Shape):
    """The shortest and the longest ttl; -1 for no limit."""

    minimum: str
    maximum: str


class Limits(Shape):
    """How much of it."""

    executions: RunningLimit
    deployments: RunningLimit
    time_to_live_deployments: TimeToLiveLimit


class AiApi(Shape):
    """The AI API as it is served here."""

    version: str
    capabilities: Capabilities
    limits: Limits


class Extension(Shape):
    """A part of the API that not every server has."""

    version: str


class DatasetCapabilities(Shape):
    """What can be done with dataset files."""

    upload: bool
    download: bool
    delete: bool


class DatasetLimits(Shape):
    """Bytes of a file; -1 for no limit; no content types listed means any."""

    max_upload_file_size: int
    max_files_per_dataset: int
    accepted_content_types: list[str]


class DatasetExtension(Extension):
    """Dataset files."""

    capabilities: DatasetCapabilities
    limits: DatasetLimits


class MetricsCapabilities(Shape):
    """What can be done with metrics."""

    extended_results: bool


class MetricsExtension(Extension):
    """Metrics."""

    capabilities: MetricsCapabilities


class Extensions(Shape):
    """The parts that this server has."""

    analytics: Extension
    resource_groups: Extension
    dataset: DatasetExtension
    metrics: MetricsExtension
    rollout: Extension


class Meta(Shape):
    """Capabilities and limits."""

    runtime_identifier: str
    runtime_api_version: str
    description: str
    ai_api: AiApi
    extensions: Extensions


class ApiVersion(Shape):
    """A version of the API, and where it lies."""

    version_id: str
    url: str
    description: str


class ApiVersions(Shape):
    """The versions of the API."""

    versions: list[ApiVersion]


class Health(Shape):
    """Whether the control plane works."""

    status: Literal["READY", "NOT READY"]
    message: str
