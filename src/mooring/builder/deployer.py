"""The AI API's side of the builder: which deployments are ours, and the steps of a plan."""

from collections.abc import Callable
from dataclasses import dataclass

from mooring.builder.names import configuration_name
from mooring.builder.plan import Delete, Deploy, Known, Step, Stop
from mooring.client.client import AIClient
from mooring.client.configurations import Configuration
from mooring.client.deployments import Deployment
from mooring.client.errors import NotFound

SCENARIO = "mooring"
EXECUTABLE = "model-server"


@dataclass(frozen=True)
class Intent:
    """What a configuration of the builder asks for."""

    model: str
    version: int


class Deployer:
    """Keeps nothing but configurations that were read before: they never change. Methods raise ApiError."""

    def __init__(self, client: AIClient) -> None:
        self._client = client
        self._intents: dict[str, Intent | None] = {}
        self._seen_last: frozenset[tuple[str, ...]] = frozenset()

    def known(self) -> dict[str, list[Known]]:
        """The builder's deployments by registered model.

        They are told by their configuration: exactly `modelUri=models:/<name>/<version>` and `modelName=<name>`.
        Anybody else's deployments of the same executable are left alone.
        """
        found: dict[str, list[Known]] = {}
        deployments = self._deployments()
        self._seen_last = _states(deployments)
        for deployment in deployments:
            intent = self._intent(deployment.configuration_id)
            if intent:
                found.setdefault(intent.model, []).append(self._seen(deployment, intent))
        return found

    def have_moved(self) -> bool:
        """Whether any deployment has moved on since `known` was asked."""
        return _states(self._deployments()) != self._seen_last

    def carry_out(self, model: str, step: Step) -> None:
        """One step; one that was done already is done."""
        match step:
            case Deploy(version, deployment_id):
                self._deploy(Intent(model, version), deployment_id)
            case Stop(doomed):
                self._unless_gone(self._client.deployments.stop, doomed)
            case Delete(doomed):
                self._unless_gone(self._client.deployments.delete, doomed)

    def _deployments(self) -> list[Deployment]:
        return self._client.deployments.list(scenario_id=SCENARIO, executable_ids=[EXECUTABLE])

    def _intent(self, configuration_id: str) -> Intent | None:
        if configuration_id not in self._intents:
            try:
                self._intents[configuration_id] = intent_of(self._client.configurations.get(configuration_id))
            except NotFound:
                return None
        return self._intents[configuration_id]

    def _seen(self, deployment: Deployment, intent: Intent) -> Known:
        serving_id = serving_configuration(deployment)
        serving = self._intent(serving_id) if serving_id else None
        return Known(
            deployment_id=deployment.id,
            version=intent.version,
            serving=serving.version if serving else None,
            current=serving_id == deployment.configuration_id,
            status=deployment.status,
            target_status=deployment.target_status or "RUNNING",
            message=deployment.status_message or "",
            created_at=deployment.created_at,
        )

    def _deploy(self, intent: Intent, deployment_id: str | None) -> None:
        current = self._client.deployments.get(deployment_id).configuration_id if deployment_id else None
        configuration_id = self._configuration(intent, other_than=current)
        if deployment_id:
            self._client.deployments.change_configuration(deployment_id, configuration_id)
        else:
            self._client.deployments.create(configuration_id)

    def _configuration(self, intent: Intent, *, other_than: str | None) -> str:
        """One that asks for this; a deployment is not changed by the configuration that it has."""
        name = configuration_name(intent.model, intent.version)
        for each in self._client.configurations.list(scenario_id=SCENARIO, executable_ids=[EXECUTABLE], search=name):
            if each.name == name and each.id != other_than and intent_of(each) == intent:
                return each.id
        return self._client.configurations.create(name, SCENARIO, EXECUTABLE, parameters=_parameters(intent))

    def _unless_gone(self, action: Callable[[str], None], deployment_id: str) -> None:
        try:
            action(deployment_id)
        except NotFound:
            return


def _states(deployments: list[Deployment]) -> frozenset[tuple[str, ...]]:
    return frozenset((each.id, each.configuration_id, each.status, each.target_status or "") for each in deployments)


def serving_configuration(deployment: Deployment) -> str | None:
    """The configuration that answers requests now.

    Of a server that does not say which one: the one that was asked for, once it is RUNNING.
    """
    latest = deployment.latest_running_configuration_id
    match deployment.status:
        case "RUNNING":
            return latest or deployment.configuration_id
        case "PENDING" | "UNKNOWN":
            return latest
        case "DEAD":  # a failed change leaves the one before; a death after running leaves nothing
            return latest if latest != deployment.configuration_id else None
    return None


def intent_of(configuration: Configuration) -> Intent | None:
    """None for a configuration that the builder would not have made."""
    if (configuration.scenario_id, configuration.executable_id) != (SCENARIO, EXECUTABLE):
        return None
    model = configuration.parameters.get("modelName", "")
    version = configuration.parameters.get("modelUri", "").rpartition("/")[2]
    if not model or not version.isdecimal():
        return None
    intent = Intent(model, int(version))
    return intent if configuration.parameters == _parameters(intent) else None


def _parameters(intent: Intent) -> dict[str, str]:
    return {"modelUri": f"models:/{intent.model}/{intent.version}", "modelName": intent.model}
