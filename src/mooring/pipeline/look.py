"""What is there: asked of the server, over all pages, and no more than the file is about."""

from collections.abc import Iterable
from dataclasses import replace

from mooring.client.client import AIClient
from mooring.client.configurations import Configuration
from mooring.client.deployments import Deployment
from mooring.client.destinations import DestinationClient
from mooring.client.errors import Forbidden, NotFound
from mooring.client.executions import Execution
from mooring.client.scenarios import Executable
from mooring.pipeline import destinations
from mooring.pipeline.found import Found
from mooring.pipeline.schema import Wanted

_LONGEST_SEARCH = 80


def look(wanted: Wanted, client: AIClient, service: DestinationClient | None) -> Found:
    """Raises ApiError. `service` is needed when the file names destinations."""
    if _group_is_missing(wanted, client):
        return _found_from_outside(wanted, client, service)
    deployments = _deployments(wanted, client)
    return Found(
        artifacts=tuple(
            found
            for each in wanted.artifacts
            for found in client.artifacts.list(scenario_id=each.scenario_id, name=each.name)
        ),
        configurations=tuple(_configurations(wanted, client, deployments)),
        executions=tuple(_executions(wanted, client)),
        deployments=tuple(deployments),
        executables=_executables(wanted, client),
        destinations=_destinations(wanted, service),
        destination_facts=destinations.facts(client.credentials),
        base_url=client.credentials.base_url,
        watches_rollouts=_watches_rollouts(wanted, client),
    )


def _found_from_outside(wanted: Wanted, client: AIClient, service: DestinationClient | None) -> Found:
    """In a resource group that is not there is nothing; executables belong to all groups."""
    with AIClient.of(replace(client.credentials, resource_group="default")) as outside:
        return Found(
            resource_group_missing=True,
            executables=_executables(wanted, outside),
            destinations=_destinations(wanted, service),
            destination_facts=destinations.facts(client.credentials),
            base_url=client.credentials.base_url,
            watches_rollouts=_watches_rollouts(wanted, outside),
        )


def _watches_rollouts(wanted: Wanted, client: AIClient) -> bool:
    if not any(wanted.rollout_of(each) for each in wanted.deployments):
        return False
    try:
        return client.meta.get().watches_rollouts
    except (NotFound, Forbidden):
        return False


def _group_is_missing(wanted: Wanted, client: AIClient) -> bool:
    """Not known by whoever may not ask: then it is taken to be there."""
    if wanted.resource_group is None:
        return False
    try:
        client.resource_groups.get(wanted.resource_group)
    except NotFound:
        return True
    except Forbidden:
        return False
    return False


def _executables(wanted: Wanted, client: AIClient) -> dict[tuple[str, str], Executable]:
    pairs = {each.configuration.executable for each in (*wanted.executions, *wanted.deployments)}
    return {pair: found for pair in sorted(pairs) if (found := _executable(client, *pair))}


def _executable(client: AIClient, scenario: str, executable: str) -> Executable | None:
    try:
        return client.executables.get(scenario, executable)
    except NotFound:
        return None


def _executions(wanted: Wanted, client: AIClient) -> Iterable[Execution]:
    if wanted.clean_up:  # also those that have left the file
        return [_with_outputs(each, client) for each in client.executions.list()]
    pairs = sorted({each.configuration.executable for each in wanted.executions})
    found = [each for s, e in pairs for each in client.executions.list(scenario_id=s, executable_ids=[e])]
    names = {name for each in wanted.executions for name in _names(wanted, each.configuration.name)}
    return [_with_outputs(each, client) if each.configuration_name in names else each for each in found]


def _with_outputs(execution: Execution, client: AIClient) -> Execution:
    """Not every server lists what an execution has made."""
    known = execution.output_artifacts is not None or execution.status != "COMPLETED"
    return execution if known else client.executions.get(execution.id)


def _names(wanted: Wanted, name: str) -> tuple[str, str]:
    """What configurations of this name are called, and were before the file had a `pipeline`."""
    return name, wanted.full_name(name)


def _deployments(wanted: Wanted, client: AIClient) -> list[Deployment]:
    named = [each.existing_deployment_id for each in wanted.deployments if each.existing_deployment_id]
    if wanted.clean_up:
        found = client.deployments.list()
    else:
        pairs = sorted({each.configuration.executable for each in wanted.deployments})
        found = [each for s, e in pairs for each in client.deployments.list(scenario_id=s, executable_ids=[e])]
    known = {each.id for each in found}
    return [*found, *(each for id_ in named if id_ not in known and (each := _deployment(client, id_)))]


def _deployment(client: AIClient, id_: str) -> Deployment | None:
    try:
        return client.deployments.get(id_)
    except NotFound:
        return None


def _configurations(wanted: Wanted, client: AIClient, deployments: list[Deployment]) -> Iterable[Configuration]:
    """Those of the file's names, and those that deployments of the file (on cleaning up: any) have."""
    names = {
        (*each.configuration.executable, each.configuration.name) for each in (*wanted.executions, *wanted.deployments)
    }
    found: dict[str, Configuration] = {}
    for scenario, executable, name in sorted(names):
        found.update({each.id: each for each in configurations_named(client, (scenario, executable), name)})
    for deployment in deployments:
        if not (wanted.clean_up or _is_about(wanted, deployment)):
            continue
        for id_ in (
            {deployment.configuration_id, deployment.latest_running_configuration_id} - found.keys() - {None, ""}
        ):
            if each := _configuration(client, str(id_)):
                found[each.id] = each
    return found.values()


def _is_about(wanted: Wanted, deployment: Deployment) -> bool:
    return any(
        deployment.id == each.existing_deployment_id
        or deployment.configuration_name in _names(wanted, each.configuration.name)
        for each in wanted.deployments
    )


def _configuration(client: AIClient, id_: str) -> Configuration | None:
    try:
        return client.configurations.get(id_)
    except NotFound:
        return None


def configurations_named(client: AIClient, executable: tuple[str, str], name: str) -> list[Configuration]:
    """Those of this executable (and its scenario before it) whose name has this in it. Raises ApiError."""
    scenario, executable_id = executable
    search = _searchable(name)
    return client.configurations.list(scenario_id=scenario, executable_ids=[executable_id], search=search)


def _searchable(name: str) -> str | None:
    """The part of a name that the API's search takes: up to 80 characters, no tilde."""
    return name.partition("~")[0][:_LONGEST_SEARCH] or None


def _destinations(wanted: Wanted, service: DestinationClient | None) -> dict[str, dict[str, str]]:
    names = {each.destination_name for each in wanted.deployments if each.destination_name}
    return {name: there for name in sorted(names) if service and (there := destinations.of_name(name, service))}
