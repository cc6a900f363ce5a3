"""What is there, as far as one file is concerned."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from mooring.client.artifacts import Artifact
from mooring.client.configurations import Configuration
from mooring.client.deployments import Deployment
from mooring.client.executions import Execution
from mooring.client.scenarios import Executable

GONE = ("STOPPED", "DELETED")
"""Target statuses of what is on its way out."""


@dataclass(frozen=True)
class Found:
    """`configurations`: those of the file's names, and those of the deployments. `executables` by scenario and id.

    `destinations`: what they hold now, by name; only of those that the file names, and that are there.
    `destination_facts`: what each is to hold besides name and URL. `base_url`: of the AI API, ends in /v2.
    """

    resource_group_missing: bool = False
    artifacts: tuple[Artifact, ...] = ()
    configurations: tuple[Configuration, ...] = ()
    executions: tuple[Execution, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    executables: Mapping[tuple[str, str], Executable] = field(default_factory=dict)
    destinations: Mapping[str, Mapping[str, object]] = field(default_factory=dict, repr=False)
    destination_facts: Mapping[str, str] = field(default_factory=dict, repr=False)
    base_url: str = ""
    watches_rollouts: bool = False
    """Whether the server can take a failed change back; not asked when the file does not want it."""

    @property
    def ids(self) -> frozenset[str]:
        """Of all that was looked at."""
        return frozenset(each.id for kind in (self.configurations, self.executions, self.deployments) for each in kind)


def output_of(execution: Execution, name: str) -> Artifact | None:
    """The artifact that the execution has made for this output: told by its URL, else by its name."""
    made = execution.output_artifacts or ()
    for artifact in made:
        _, _, path = artifact.url.partition(f"/{execution.id}/")
        if path.split("/")[0] == name:
            return artifact
    named = [artifact for artifact in made if artifact.name == name]
    return named[0] if len(named) == 1 else None
