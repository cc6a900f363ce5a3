"""Scenarios, executables, configurations, artifacts and deployments, line by line as the reference has them."""

import uuid
from typing import Any

import httpx
import pytest

from mooring.domain.lifecycle import Status
from mooring.store.tables import Artifact, Executable, Scenario
from tests.api.api_server import MODEL_URI, Server, new_configuration, new_deployment
from tests.api.test_api_errors_have_one_shape import error_of

LM = "/v2/lm"
ARTIFACT = {"name": "a", "kind": "model", "url": "ai://default/x", "scenarioId": "mooring"}
CONFIGURATION = {"name": "c", "scenarioId": "mooring", "executableId": "model-server"}
DEPLOYMENT = {
    "id",
    "deploymentUrl",
    "configurationId",
    "configurationName",
    "executableId",
    "scenarioId",
    "status",
    "statusMessage",
    "targetStatus",
    "lastOperation",
    "ttl",
    "details",
    "createdAt",
    "modifiedAt",
}


@pytest.fixture
def scenario(server: Server) -> str:
    """A scenario as templates make it, with a workflow in two versions."""
    scenario_id = f"s-{uuid.uuid4().hex[:12]}"
    label = {"key": "scenarios.ai.sap.com/kind", "value": "batch"}
    entry = {"name": "data", "kind": "dataset", "description": "d", "labels": [label], "internal": "x"}
    with server.database.transaction() as session:
        session.add(Scenario(id=scenario_id, name="Batch", description="of the night", labels=[label]))
        session.flush()
        for version in ("1.0", "2.0"):
            session.add(
                Executable(
                    id=f"{scenario_id}-{version}",
                    scenario_id=scenario_id,
                    name="Workflow",
                    version_id=version,
                    deployable=False,
                    labels=[{"key": "ext.ai.sap.com/stage", "value": version}],
                    parameters=[{"name": "p", "type": "string", "default": "", "internal": 1}],
                    input_artifacts=[entry],
                    output_artifacts=[{"name": "model"}],
                )
            )
    return scenario_id


def test_scenarios_and_versions(http: httpx.Client, scenario: str) -> None:
    shown = http.get(f"{LM}/scenarios/{scenario}").json()
    assert shown.keys() == {"id", "name", "description", "labels", "createdAt", "modifiedAt"}
    assert (shown["description"], shown["labels"][0]["key"]) == ("of the night", "scenarios.ai.sap.com/kind")
    assert shown in http.get(f"{LM}/scenarios").json()["resources"]
    versions = http.get(f"{LM}/scenarios/{scenario}/versions").json()
    assert (versions["count"], {version["id"] for version in versions["resources"]}) == (2, {"1.0", "2.0"})
    assert versions["resources"][0].keys() == {"id", "scenarioId", "description", "createdAt", "modifiedAt"}
    for selector, ids in (("=1.0", {"1.0"}), ("!=1.0", {"2.0"}), ("=3.0", set())):
        found = http.get(f"{LM}/scenarios/{scenario}/versions?labelSelector=ext.ai.sap.com/stage{selector}").json()
        assert {version["id"] for version in found["resources"]} == ids
    error_of(http.get(f"{LM}/scenarios/{scenario}x/versions"), 404)


def test_executables_have_no_further_keys(http: httpx.Client, scenario: str) -> None:
    path = f"{LM}/scenarios/{scenario}/executables"
    listed = http.get(f"{path}?versionId=1.0").json()
    assert listed["count"] == 1
    (shown,) = listed["resources"]
    assert shown == http.get(f"{path}/{shown['id']}").json()
    assert (shown["deployable"], shown["versionId"], shown["scenarioId"]) == (False, "1.0", scenario)
    assert shown["parameters"] == [{"name": "p", "type": "string", "default": ""}]
    assert shown["inputArtifacts"][0].keys() == {"name", "kind", "description", "labels"}
    assert shown["outputArtifacts"] == [{"name": "model"}]
    assert http.get(f"{path}?versionId=1").json() == {"count": 0, "resources": []}
    error_of(http.get(f"{path}/model-server"), 404)
    error_of(http.get(f"{LM}/scenarios/{scenario}x/executables"), 404)


def test_there_are_no_foundation_models(http: httpx.Client) -> None:
    assert http.get(f"{LM}/scenarios/foundation-models/models").json() == {"count": 0, "resources": []}


def test_a_configuration(http: httpx.Client) -> None:
    artifact = http.post(f"{LM}/artifacts", json=ARTIFACT).json()["id"]
    body = {
        **CONFIGURATION,
        "versionId": "tolerated",
        "parameterBindings": [{"key": "z", "value": ""}, {"key": "a", "value": "ä"}],
        "inputArtifactBindings": [{"key": "data", "artifactId": artifact}],
    }
    made = http.post(f"{LM}/configurations", json=body)
    assert made.status_code == 201
    assert made.json() == {"id": made.json()["id"], "message": "Configuration created"}
    assert made.headers["location"] == f"{LM}/configurations/{made.json()['id']}"
    shown = http.get(made.headers["location"]).json()
    assert shown.keys() == (body.keys() - {"versionId"}) | {"id", "createdAt"}
    assert {key: shown[key] for key in body if key in shown} == {key: body[key] for key in body if key in shown}
    for method in ("PATCH", "DELETE", "PUT"):
        error_of(http.request(method, made.headers["location"], json=body), 405)


@pytest.mark.parametrize("noun", ["configurations", "artifacts"])
def test_an_expanded_scenario(http: httpx.Client, server: Server, scenario: str, noun: str) -> None:
    body = (ARTIFACT | {"scenarioId": scenario}) if noun == "artifacts" else CONFIGURATION
    made = http.post(f"{LM}/{noun}", json=body).headers["location"]
    expected = http.get(f"{LM}/scenarios/{body['scenarioId']}").json()
    for expand in ("$expand", "%24expand", "expand"):
        assert http.get(f"{made}?{expand}=scenario").json()["scenario"] == expected
        assert http.get(f"{LM}/{noun}?{expand}=scenario").json()["resources"][0]["scenario"] == expected
    assert "scenario" not in http.get(made).json()
    error_of(http.get(f"{made}?$expand=executable"), 400)


def test_the_scenario_of_what_outlived_it_is_null(http: httpx.Client, server: Server, scenario: str) -> None:
    made = http.post(f"{LM}/artifacts", json=ARTIFACT | {"scenarioId": scenario}).headers["location"]
    with server.database.transaction() as session:
        for version in ("1.0", "2.0"):
            session.delete(session.get_one(Executable, f"{scenario}-{version}"))
        session.flush()
        session.delete(session.get_one(Scenario, scenario))
    assert http.get(f"{made}?$expand=scenario").json()["scenario"] is None


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("executableIds=model-server", 2),
        ("executableIds=model-server,other-one", 2),
        ("executableIds=other-one%2Cmodel-server", 2),
        ("executableIds=other-one&executableIds=model-server", 2),
        ("executableIds=other-one", 0),
        ("executableIds=" + ",".join(["other-one"] * 999 + ["model-server"]), 2),
        ("scenarioId=mooring", 2),
        ("scenarioId=foundation-models", 0),
        ("$search=mach", 1),
        ("search=MACH&searchCaseInsensitive=True", 1),
        ("$search=MACH&searchCaseInsensitive=False", 0),
        ("$search=MASCHINE&searchCaseInsensitive=false", 0),
        ("$search=ÜBER&searchCaseInsensitive=true", 1),
        ("%24top=1", 1),
        ("$top=0", 0),
        ("$skip=1", 1),
        ("$top=100000", 2),
        ("unknown=1", 2),
    ],
)
def test_filters_of_configurations(http: httpx.Client, query: str, count: int) -> None:
    new_configuration(http, name="machine")
    new_configuration(http, name="über")
    listed = http.get(f"{LM}/configurations?{query}").json()
    assert (listed["count"], len(listed["resources"])) == (count, count)
    if "top" not in query and "skip" not in query:
        assert http.get(f"{LM}/configurations/$count?{query}").text == str(count)


@pytest.mark.parametrize("query", ["executableIds=", "executableIds=" + ",".join(["abcd"] * 1001), "$top=100001"])
def test_limits_of_filters(http: httpx.Client, query: str) -> None:
    error_of(http.get(f"{LM}/configurations?{query}"), 400)


def test_an_artifact(http: httpx.Client, server: Server) -> None:
    label = {"key": "ext.ai.sap.com/" + "x" * 241, "value": "v" * 5000}
    body = {**ARTIFACT, "name": "n" * 256, "description": "d" * 5000, "labels": [label], "url": "s3-x://" + "y" * 1017}
    made = http.post(f"{LM}/artifacts", json=body)
    assert (made.status_code, made.json()["url"]) == (201, body["url"])
    assert made.json().keys() == {"id", "message", "url"}
    shown = http.get(made.headers["location"]).json()
    assert shown.keys() == body.keys() | {"id", "createdAt", "modifiedAt"}
    assert {key: shown[key] for key in body} == body
    again = http.post(f"{LM}/artifacts", json=body)
    assert again.json()["id"] != made.json()["id"]
    with server.database.transaction() as session:
        row = session.get_one(Artifact, made.json()["id"])
        row.execution_id, row.configuration_id = "e000000000000001", "the-configuration"
    produced = http.get(f"{LM}/artifacts?executionId=e000000000000001").json()["resources"]
    assert [(item["executionId"], item["configurationId"]) for item in produced] == [
        ("e000000000000001", "the-configuration")
    ]
    for method in ("PATCH", "DELETE"):
        error_of(http.request(method, made.headers["location"], json=body), 405)


@pytest.mark.parametrize("kind", ["model", "dataset", "resultset", "other"])
def test_every_kind_of_artifact(http: httpx.Client, kind: str) -> None:
    http.post(f"{LM}/artifacts", json=ARTIFACT | {"kind": kind}).raise_for_status()
    for each in ("model", "dataset", "resultset", "other"):
        assert http.get(f"{LM}/artifacts?kind={each}").json()["count"] == (each == kind)
        assert http.get(f"{LM}/artifacts/$count?kind={each}").text == str(int(each == kind))


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("ext.ai.sap.com/list=one{comma}two", True),
        ("ext.ai.sap.com/list=one", False),
        ("ext.ai.sap.com/list!=one", True),
        ("ext.ai.sap.com/stage=prod,ext.ai.sap.com/list=one{comma}two", True),
        ("ext.ai.sap.com/stage=prod%2Cext.ai.sap.com/list=one%7Bcomma%7Dtwo", True),
        ("ext.ai.sap.com/stage=prod&artifactLabelSelector=ext.ai.sap.com/list=other", False),
        ("ext.ai.sap.com/stage=test,ext.ai.sap.com/list=one{comma}two", False),
        ("ext.ai.sap.com/absent!=x", True),
        ("ext.ai.sap.com/absent=x", False),
        ("ext.ai.sap.com/odd=!", True),
    ],
)
def test_label_selectors(http: httpx.Client, selector: str, found: bool) -> None:
    values = {"stage": "prod", "list": "one,two", "odd": "!"}
    labels = [{"key": f"ext.ai.sap.com/{key}", "value": value} for key, value in values.items()]
    http.post(f"{LM}/artifacts", json=ARTIFACT | {"labels": labels}).raise_for_status()
    assert http.get(f"{LM}/artifacts?artifactLabelSelector={selector}").json()["count"] == found


@pytest.mark.parametrize(
    "selector",
    [
        "",
        "stage=prod",
        "other.prefix/stage!=prod",
        "ext.ai.sap.com/stage",
        "ext.ai.sap.com/stage=",
        "ext.ai.sap.com/stage=a b",
        "ext.ai.sap.com/stage=a,",
        "ext.ai.sap.com/stage=" + "x" * 5000,
        ",".join(["ext.ai.sap.com/stage=x"] * 11),
    ],
)
def test_wrong_label_selectors(http: httpx.Client, selector: str) -> None:
    assert (
        "artifactLabelSelector"
        in error_of(http.get(f"{LM}/artifacts", params={"artifactLabelSelector": selector}), 400)["message"]
    )


@pytest.mark.parametrize(
    ("noun", "change"),
    [
        ("artifacts", {"labels": [{"key": "scenarios.ai.sap.com/x", "value": "v"}]}),
        ("artifacts", {"labels": [{"key": "ext.ai.sap.com/", "value": "v"}]}),
        ("artifacts", {"labels": [{"key": "ext.ai.sap.com/" + "x" * 242, "value": "v"}]}),
        ("artifacts", {"labels": [{"key": "ext.ai.sap.com/x", "value": "v" * 5001}]}),
        ("artifacts", {"labels": [{"key": "ext.ai.sap.com/x", "value": "\0"}]}),
        ("artifacts", {"url": "ai:/one-slash"}),
        ("artifacts", {"url": "ai://"}),
        ("artifacts", {"name": "x" * 257}),
        ("artifacts", {"kind": "MODEL"}),
        ("configurations", {"parameterBindings": [{"key": "x" * 257, "value": "v"}]}),
        ("configurations", {"parameterBindings": [{"key": "k", "value": "a"}, {"key": "k", "value": "b"}]}),
        ("configurations", {"executableId": "unknown"}),
        ("configurations", {"scenarioId": "unknown"}),
        ("configurations", {"inputArtifactBindings": [{"key": "k", "artifactId": "unknown"}]}),
    ],
)
def test_limits_of_fields(http: httpx.Client, noun: str, change: dict[str, Any]) -> None:
    body = ARTIFACT if noun == "artifacts" else CONFIGURATION
    error_of(http.post(f"{LM}/{noun}", json=body | change), 400)
    assert http.get(f"{LM}/{noun}/$count").text == "0"


def test_a_deployment_before_and_while_it_runs(http: httpx.Client, server: Server) -> None:
    made = http.post(f"{LM}/deployments", json={"configurationId": new_configuration(http)})
    assert made.json().keys() == {"id", "message", "deploymentUrl", "status", "ttl"}
    before = http.get(made.headers["location"]).json()
    assert before.keys() == DEPLOYMENT | {"statusDetails"}
    assert (before["ttl"], before["targetStatus"], before["lastOperation"]) == (None, "RUNNING", "CREATE")
    server.act(made.json()["id"], Status.RUNNING)
    (running,) = http.get(f"{LM}/deployments").json()["resources"]
    assert running.keys() == DEPLOYMENT | {"latestRunningConfigurationId", "startTime"}
    assert running["deploymentUrl"] == f"{server.url}/v2/inference/deployments/{running['id']}"


def test_only_what_is_deployable_is_deployed(http: httpx.Client, scenario: str) -> None:
    body = {"name": "c", "scenarioId": scenario, "executableId": f"{scenario}-1.0"}
    configuration = http.post(f"{LM}/configurations", json=body).json()["id"]
    refused = http.post(f"{LM}/deployments", json={"configurationId": configuration})
    assert "cannot be deployed" in error_of(refused, 400)["message"]
    deployment = new_deployment(http)
    error_of(http.patch(f"{LM}/deployments/{deployment}", json={"configurationId": configuration}), 412)
    assert http.get(f"{LM}/deployments/$count").text == "1"


def test_a_deployment_takes_another_configuration_of_the_same_executable(
    http: httpx.Client, server: Server, scenario: str
) -> None:
    first = new_configuration(http)
    deployment = new_deployment(http, first)
    server.act(deployment, Status.RUNNING)
    body = {"name": "c", "scenarioId": scenario, "executableId": f"{scenario}-1.0"}
    misfit = http.post(f"{LM}/configurations", json=body).json()["id"]
    unbound = http.post(f"{LM}/configurations", json=CONFIGURATION).json()["id"]
    for wrong, reason in (
        (misfit, "same executable"),
        (unbound, "modelUri"),
        (first, "already"),
        ("unknown", "unknown"),
    ):
        answer = http.patch(f"{LM}/deployments/{deployment}", json={"configurationId": wrong})
        assert reason in error_of(answer, 400)["message"]
    assert http.get(f"{LM}/deployments/{deployment}").json()["status"] == "RUNNING"


def test_filters_of_deployments(http: httpx.Client, server: Server) -> None:
    configuration = new_configuration(http, MODEL_URI)
    first, second = new_deployment(http, configuration), new_deployment(http)
    server.act(second, Status.RUNNING)
    for query, ids in (
        (f"configurationId={configuration}", [first]),
        ("status=RUNNING", [second]),
        ("executableIds=model-server,other-one", [second, first]),
        ("executableIds=other-one", []),
        ("scenarioId=mooring&status=UNKNOWN", [first]),
        ("scenarioId=foundation-models&status=RUNNING", []),
        ("%24select=status", [second, first]),
        ("$top=0", []),
    ):
        listed = http.get(f"{LM}/deployments?{query}").json()
        assert (listed["count"], [item["id"] for item in listed["resources"]]) == (len(ids), ids), query


@pytest.mark.parametrize(("noun", "made"), [("configurations", CONFIGURATION), ("artifacts", ARTIFACT)])
def test_unknown_fields_and_clients_are_tolerated(http: httpx.Client, noun: str, made: dict[str, str]) -> None:
    headers = {"AI-Client-Type": "AI SDK JavaScript", "X-Other": "x"}
    answer = http.post(f"{LM}/{noun}", json={**made, "id": "chosen", "createdAt": "never", "more": {}}, headers=headers)
    assert answer.status_code == 201
    assert answer.json()["id"] != "chosen"
