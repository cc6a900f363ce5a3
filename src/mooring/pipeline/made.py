"""What is written, each thing once, also when the answer to the request that made it was lost."""

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from mooring.client.client import AIClient
from mooring.client.configurations import Configuration
from mooring.client.rollouts import Rollout
from mooring.pipeline.look import configurations_named
from mooring.pipeline.patience import Patience
from mooring.pipeline.schema import ArtifactEntry, ConfigurationEntry


class _Identified(Protocol):
    @property
    def id(self) -> str: ...


class Made:
    """`there` are the ids of what was there before: what is looked for is none of them. Everything raises ApiError."""

    def __init__(self, client: AIClient, patience: Patience, there: Iterable[str] = ()) -> None:
        self._client = client
        self._patience = patience
        self._known = set(there)

    def artifact(self, entry: ArtifactEntry) -> str:
        """Its id, as that of all that is made here."""
        artifacts = self._client.artifacts
        where = (entry.name, entry.kind, entry.url, entry.scenario_id)

        def equal() -> Iterable[_Identified]:
            found = artifacts.list(scenario_id=entry.scenario_id, name=entry.name, kind=entry.kind)
            return (each for each in found if each.url == entry.url)

        return self._once(
            lambda: artifacts.create(*where, description=entry.description, labels=entry.labels or None), equal
        )

    def configuration(self, name: str, entry: ConfigurationEntry, inputs: Mapping[str, str]) -> str:
        """`inputs`: the ids of artifacts."""
        configurations = self._client.configurations

        def says_the_same(other: Configuration) -> bool:
            return (other.name, other.parameters, other.inputs) == (name, entry.parameters, inputs)

        return self._once(
            lambda: configurations.create(name, *entry.executable, parameters=entry.parameters, artifacts=inputs),
            lambda: filter(says_the_same, configurations_named(self._client, entry.executable, name)),
        )

    def execution(self, configuration_id: str) -> str:
        executions = self._client.executions
        return self._once(
            lambda: executions.create(configuration_id), lambda: executions.list(configuration_id=configuration_id)
        )

    def deployment(self, configuration_id: str, *, ttl: str | None, rollout: Rollout | None = None) -> str:
        deployments = self._client.deployments
        return self._once(
            lambda: deployments.create(configuration_id, ttl=ttl, rollout=rollout),
            lambda: deployments.list(configuration_id=configuration_id),
        )

    def change(self, deployment_id: str, configuration_id: str, *, rollout: Rollout | None = None) -> None:
        """A change that has been taken is refused a second time."""
        deployments = self._client.deployments

        def changed() -> str | None:
            return deployment_id if deployments.get(deployment_id).configuration_id == configuration_id else None

        def change() -> str:
            deployments.change_configuration(deployment_id, configuration_id, rollout=rollout)
            return deployment_id

        self._patience.once(change, changed)

    def _once(self, make: Callable[[], str], equal: Callable[[], Iterable[_Identified]]) -> str:
        id_ = self._patience.once(make, lambda: next((each.id for each in equal() if each.id not in self._known), None))
        self._known.add(id_)
        return id_
