"""Deployments by a name, as MLflow knows them: the AI API gives them ids only.

The name is a parameter of the configuration, `deploymentName`, which the model server takes no notice of. Deployments
without it are somebody else's (the builder's, say) and are neither shown nor touched.
"""

import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from mooring.client.client import AIClient
from mooring.client.configurations import Configuration
from mooring.client.deployments import Deployment, DeploymentFailed
from mooring.client.errors import BadRequest, NotFound, PreconditionFailed
from mooring.compat.errors import CompatError

SCENARIO, EXECUTABLE = "mooring", "model-server"
NAME = "deploymentName"
_POLL_SECONDS = 0.3
_REMOVAL_SECONDS = 120.0


@dataclass(frozen=True)
class Named:
    """A deployment and what it was asked to be."""

    name: str
    deployment: Deployment
    parameters: Mapping[str, str]

    @property
    def is_live(self) -> bool:
        going = self.deployment.target_status in ("STOPPED", "DELETED")
        return not going and self.deployment.status not in ("STOPPED", "STOPPING")


class NamedDeployments:
    """Of one server and resource group. Methods raise ApiError."""

    def __init__(self, client: AIClient) -> None:
        self._client = client

    def all(self, name: str | None = None) -> list[Named]:
        """Those of one name, or of any."""
        configurations = self._configurations(name)
        deployments = self._client.deployments.list(scenario_id=SCENARIO, executable_ids=[EXECUTABLE])
        found = [
            Named(told[NAME], each, told)
            for each in deployments
            if (told := configurations.get(each.configuration_id)) is not None
        ]
        return [each for each in found if name is None or each.name == name]

    def live(self, name: str) -> Named | None:
        """The one of this name. Raises CompatError when there are several."""
        found = [each for each in self.all(name) if each.is_live]
        if len(found) > 1:
            ids = ", ".join(each.deployment.id for each in found)
            raise CompatError(f"there are several deployments {name!r}: {ids}. Stop all but one of them")
        return found[0] if found else None

    def create(self, name: str, parameters: Mapping[str, str]) -> str:
        """Its id; it does not serve yet."""
        return self._client.deployments.create(self._configuration(name, parameters, other_than=None))

    def change(self, found: Named, parameters: Mapping[str, str]) -> str:
        """The id of the configuration that it changes to; that which it has when nothing is different."""
        current = found.deployment.configuration_id
        if dict(parameters) == dict(found.parameters) and found.deployment.status != "DEAD":
            return current
        chosen = self._configuration(found.name, parameters, other_than=current)
        self._client.deployments.change_configuration(found.deployment.id, chosen)
        return chosen

    def wait(self, deployment_id: str, configuration_id: str | None, seconds: float) -> Deployment:
        """Raises DeploymentFailed and WaitTimeout."""
        return self._client.deployments.wait(
            deployment_id, configuration_id=configuration_id, timeout_seconds=seconds, poll_seconds=_POLL_SECONDS
        )

    def remove(self, deployment_id: str) -> None:
        """Stopped and deleted, and gone when this returns. One that is gone is gone. Raises DeploymentFailed."""
        deadline = time.monotonic() + _REMOVAL_SECONDS
        with suppress(NotFound):
            while True:
                deployment = self._client.deployments.get(deployment_id)
                self._push(deployment)
                if time.monotonic() > deadline:
                    raise DeploymentFailed(
                        f"deployment {deployment_id} is still {deployment.status} after {_REMOVAL_SECONDS:g} s; it is "
                        "asked to stop: delete it again later"
                    )
                time.sleep(_POLL_SECONDS)

    def _push(self, deployment: Deployment) -> None:
        """One step towards its end; the next look tells whether it was taken."""
        with suppress(PreconditionFailed, BadRequest):
            if deployment.target_status == "DELETED":
                return
            if deployment.status in ("UNKNOWN", "DEAD", "STOPPED"):
                self._client.deployments.delete(deployment.id)
            elif deployment.target_status != "STOPPED":
                self._client.deployments.stop(deployment.id)

    def _configurations(self, name: str | None) -> dict[str, Mapping[str, str]]:
        found = self._client.configurations.list(scenario_id=SCENARIO, executable_ids=[EXECUTABLE], search=name)
        return {each.id: each.parameters for each in found if _is_named(each)}

    def _configuration(self, name: str, parameters: Mapping[str, str], *, other_than: str | None) -> str:
        """One that asks for this, made if there is none; a deployment is not changed by the one that it has."""
        for key, told in self._configurations(name).items():
            if key != other_than and dict(told) == dict(parameters):
                return key
        return self._client.configurations.create(name, SCENARIO, EXECUTABLE, parameters=parameters)


def _is_named(configuration: Configuration) -> bool:
    """Another server may not filter by scenario and executable."""
    is_ours = (configuration.scenario_id, configuration.executable_id) == (SCENARIO, EXECUTABLE)
    return is_ours and NAME in configuration.parameters
