"""Scenarios, their versions, executables and models; what the server says of itself."""

from ai_api_client_sdk.exception import AIAPINotFoundException

from tests.clients.python_life.world import DATA_INPUT, DEPLOYABLE, SCENARIO, WORKFLOW, World, refused


def scenarios(world: World) -> None:
    client = world.core.scenario
    found = {scenario.id: scenario for scenario in client.query().resources}
    one = client.get(SCENARIO)
    assert (one.id, one.name) == (SCENARIO, found[SCENARIO].name)
    assert one.created_at.utcoffset().total_seconds() == 0
    versions = client.query_versions(SCENARIO).resources
    assert "1.0.0" in {version.id for version in versions}
    assert {version.scenario_id for version in versions} == {SCENARIO}
    assert client.query_versions(SCENARIO, label_selector=["ext.ai.sap.com/none=here"]).count == 0
    refused(lambda: client.get("no-such-scenario"), AIAPINotFoundException)


def executables(world: World) -> None:
    client = world.core.executable
    found = {executable.id: executable for executable in client.query(SCENARIO).resources}
    assert (found[DEPLOYABLE].deployable, found[WORKFLOW].deployable) == (True, False)
    assert client.query(SCENARIO, version_id="0.0.0-none").count == 0
    one = client.get(SCENARIO, DEPLOYABLE)
    assert (one.id, one.scenario_id, one.version_id) == (DEPLOYABLE, SCENARIO, "1.0.0")
    assert "modelUri" in {parameter.name for parameter in one.parameters}
    assert {parameter.type.value for parameter in one.parameters} == {"string"}
    workflow = client.get(SCENARIO, WORKFLOW)
    assert [artifact.name for artifact in workflow.input_artifacts] == [DATA_INPUT]
    refused(lambda: client.get(SCENARIO, "no-such-executable"), AIAPINotFoundException)


def models(world: World) -> None:
    answer = world.core.model.query()
    assert (answer.count, answer.resources) == (0, [])


def meta(world: World) -> None:
    said = world.core.meta.get()
    capabilities = said.ai_api.capabilities
    assert (capabilities.user_executions, capabilities.execution_schedules) == (True, True)
    assert (capabilities.bulk_updates.deployments, capabilities.logs.executions) == (True, True)
    assert said.ai_api.limits.deployments.max_running_count == -1
    assert [version.version_id for version in world.core.meta.get_versions().versions] == ["v2"]


def health(world: World) -> None:
    assert world.api.healthz.get().status.value == "READY"
