"""The steps of a plan."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from mooring.client.rollouts import Rollout
from mooring.pipeline.schema import ArtifactEntry, ConfigurationEntry, DeploymentEntry, ExecutionEntry

Kind = Literal["execution", "deployment"]


@dataclass(frozen=True)
class CreateResourceGroup:
    name: str


@dataclass(frozen=True)
class CreateArtifact:
    entry: ArtifactEntry


@dataclass(frozen=True)
class ReuseArtifact:
    entry: ArtifactEntry
    id: str


@dataclass(frozen=True)
class OutputOf:
    """What an execution of the file makes under this name."""

    execution: str
    name: str


@dataclass(frozen=True)
class ArtifactOf:
    """An artifact of the file."""

    key: str


Source = ArtifactOf | OutputOf


@dataclass(frozen=True)
class CreateConfiguration:
    """`inputs`: what goes in, by input. Its artifacts may be made on the way."""

    entry: ConfigurationEntry
    inputs: Mapping[str, Source]


@dataclass(frozen=True)
class ReuseConfiguration:
    entry: ConfigurationEntry
    id: str


ConfigurationStep = CreateConfiguration | ReuseConfiguration


@dataclass(frozen=True)
class CreateExecution:
    reason: str = ""


@dataclass(frozen=True)
class FollowExecution:
    """It is on its way already."""

    id: str
    status: str


@dataclass(frozen=True)
class ReuseExecution:
    """It has completed with the same values."""

    id: str


@dataclass(frozen=True)
class CreateDeployment:
    pass


@dataclass(frozen=True)
class PatchDeployment:
    """`changes` names what differs, never values: they may be the environment's."""

    id: str
    changes: tuple[str, ...]


@dataclass(frozen=True)
class KeepDeployment:
    id: str
    status: str


@dataclass(frozen=True)
class RunExecution:
    """What becomes of one execution of the file."""

    entry: ExecutionEntry
    configuration: ConfigurationStep
    action: CreateExecution | FollowExecution | ReuseExecution
    needs: frozenset[str] = frozenset()
    kind: ClassVar[Kind] = "execution"

    @property
    def id(self) -> str:
        """Empty as long as there is none."""
        return "" if isinstance(self.action, CreateExecution) else self.action.id


@dataclass(frozen=True)
class Serve:
    """What becomes of one deployment of the file. `rollout`: how the server is to watch it."""

    entry: DeploymentEntry
    configuration: ConfigurationStep
    action: CreateDeployment | PatchDeployment | KeepDeployment
    rollout: Rollout | None = None
    kind: ClassVar[Kind] = "deployment"

    @property
    def id(self) -> str:
        """Empty as long as there is none."""
        return "" if isinstance(self.action, CreateDeployment) else self.action.id


Work = RunExecution | Serve


@dataclass(frozen=True)
class SetDestination:
    """`deployment` is the name of the file's; `reason` says why."""

    name: str
    deployment: str
    reason: str


@dataclass(frozen=True)
class KeepDestination:
    name: str
    deployment: str


@dataclass(frozen=True)
class Remove:
    """`stop` first, because it runs."""

    kind: Kind
    id: str
    name: str
    stop: bool


@dataclass(frozen=True)
class Plan:
    """In the order in which it is carried out; `warnings` are for people."""

    resource_group: CreateResourceGroup | None = None
    artifacts: tuple[CreateArtifact | ReuseArtifact, ...] = ()
    executions: tuple[RunExecution, ...] = ()
    deployments: tuple[Serve, ...] = ()
    destinations: tuple[SetDestination | KeepDestination, ...] = ()
    removals: tuple[Remove, ...] = ()
    warnings: tuple[str, ...] = ()
    known: Mapping[Source, str] = field(default_factory=dict)
    """Ids of artifacts that are there already."""
    there: frozenset[str] = frozenset()
    """Ids of all configurations, executions and deployments that were looked at."""

    @property
    def work(self) -> tuple[Work, ...]:
        return (*self.executions, *self.deployments)

    @property
    def changes(self) -> bool:
        """Whether anything would be written."""
        return bool(
            self.resource_group
            or self.removals
            or any(isinstance(each, CreateArtifact) for each in self.artifacts)
            or any(isinstance(each.action, CreateExecution) for each in self.executions)
            or any(not isinstance(each.action, KeepDeployment) for each in self.deployments)
            or any(isinstance(each, SetDestination) for each in self.destinations)
        )
