"""What a stage should hold: the file's own words, checked strictly."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

LONGEST_NAME = 256
RESOURCE_GROUP = "[a-zA-Z0-9][a-zA-Z0-9.-]{1,251}[a-zA-Z0-9]"

Name = Annotated[
    str, Field(min_length=1, max_length=LONGEST_NAME, pattern=r"^[\w\s.!?,;:\[\](){}<>\"'=+*/\\^&%@~$#|-]*$")
]
Id = Annotated[str, Field(pattern=r"^[\w.-]{4,64}$")]
Key = Annotated[str, Field(min_length=1, max_length=256)]
Seconds = Annotated[float, Field(gt=0, le=604_800)]


class Entry(BaseModel):
    """A part of the file: nothing that is not known, no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ArtifactEntry(Entry):
    """Data in an object store; found again by name, kind, url and scenario."""

    key: Key = Field(description="What the rest of the file calls it")
    name: Name
    kind: Literal["model", "dataset", "resultset", "other"]
    url: Annotated[str, Field(pattern=r"^[a-z0-9-]+://.+", max_length=1024, description="ai://<secret>/<path>")]
    scenario_id: Id
    description: Annotated[str, Field(max_length=5000)] | None = None
    labels: dict[str, str] = {}


class ParameterEntry(Entry):
    """A parameter of the executable and its value."""

    key: Key
    value: Annotated[str, Field(max_length=5000)]


class InputEntry(Entry):
    """An input of the executable and what goes in."""

    key: Key = Field(description="The input's name in the template")
    value: Key | None = Field(
        default=None,
        description="The key of an artifact of this file, or the name of an output of an execution of this file "
        "(EXECUTION/NAME where two have it). Left out: the same as the key",
    )

    @property
    def source(self) -> str:
        return self.value or self.key


class ConfigurationEntry(Entry):
    """An executable with its values; found again by all of them."""

    name: Name
    scenario_id: Id
    executable_id: Id
    parameter_bindings: list[ParameterEntry] = []
    input_artifact_bindings: list[InputEntry] = []

    @property
    def executable(self) -> tuple[str, str]:
        return self.scenario_id, self.executable_id

    @property
    def parameters(self) -> dict[str, str]:
        return {each.key: each.value for each in self.parameter_bindings}

    @property
    def sources(self) -> dict[str, str]:
        """What goes into each input, in the file's words."""
        return {each.key: each.source for each in self.input_artifact_bindings}


class _Runnable(Entry):
    configuration: ConfigurationEntry
    key: Key | None = Field(default=None, description="Its name in this file. Left out: the configuration's name")
    timeout_seconds: Seconds | None = Field(default=None, description="How long to wait. Left out: --timeout")

    @property
    def name(self) -> str:
        return self.key or self.configuration.name


class ExecutionEntry(_Runnable):
    """Something that runs once, a training say; not again when it has completed with the same values."""

    wait_for_status: Literal["COMPLETED", "RUNNING"] | None = Field(default="COMPLETED", description="null: no wait")
    rerun: bool = Field(default=False, description="Run each time, also when it has completed with the same values")


class RolloutEntry(Entry):
    """What becomes of a changed deployment that fails."""

    on_failure: Literal["return", "stay"] = Field(
        description="return: what served before is taken again. stay: it is DEAD, and whatever can serves on"
    )
    window_seconds: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=60.0, description="How long it is watched once it serves; `deploy` waits for the end of it"
    )
    max_error_rate: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.05, description="A larger share of answers with 500 or above is a failure; 1: none is"
    )
    min_requests: Annotated[int, Field(ge=1, le=1_000_000_000)] = Field(
        default=20, description="From so many requests on"
    )


class DeploymentEntry(_Runnable):
    """Something that serves, at a URL that stays when the values change."""

    wait_for_status: Literal["RUNNING"] | None = Field(default="RUNNING", description="null: no wait")
    destination_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,199}$")] | None = Field(
        default=None, description="A destination that is set to its URL once it runs"
    )
    existing_deployment_id: Id | None = Field(default=None, description="Change this one, whatever its name is")
    ttl: Annotated[str, Field(pattern=r"^[0-9]+[mMhHdD]$")] | None = Field(
        default=None, description="How long a new one lives: a number with m, h or d"
    )
    rollout: RolloutEntry | None = Field(default=None, description="Left out: that of the file")


class Wanted(Entry):
    """All of one stage."""

    schema_url: str | None = Field(default=None, alias="$schema", description="For editors")
    pipeline: Annotated[str, Field(pattern=r"^[\w.-]{1,60}$")] | None = Field(
        default=None,
        description="This pipeline's name: its configurations are called `NAME [PIPELINE]`, so that clean_up "
        "also finds what has left the file",
    )
    resource_group: Annotated[str, Field(pattern=f"^{RESOURCE_GROUP}$")] | None = Field(
        default=None, description="Made if it is not there. Left out: that of the credentials"
    )
    application: Annotated[str, Field(pattern=r"^[a-z0-9-]{3,63}$")] | None = Field(
        default=None, description="An application that `deploy` refreshes first, until it is synced"
    )
    clean_up: bool = Field(
        default=False, description="Once all is reached, remove what this pipeline has made before and needs no more"
    )
    rollout: RolloutEntry | None = Field(default=None, description="For all deployments that have none of their own")
    artifacts: list[ArtifactEntry] = []
    executions: list[ExecutionEntry] = []
    deployments: list[DeploymentEntry] = []

    def rollout_of(self, entry: DeploymentEntry) -> RolloutEntry | None:
        """How a change of it is to be watched; None when it is not."""
        found = entry.rollout or self.rollout
        return found if found and found.on_failure == "return" else None

    def full_name(self, name: str) -> str:
        """What a configuration of this name is called on the server."""
        return f"{name}{self.mark}"

    @property
    def mark(self) -> str:
        return f" [{self.pipeline}]" if self.pipeline else ""
