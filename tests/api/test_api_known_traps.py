"""The traps of the AI API on which clients trip (section 10 of the reference), each by its number.

19 is the gateway's (tests/gateway/test_gateway_known_traps.py), 24 is in test_api_destinations_behave_as_known.py. With
later issues come: 17 (templates), the half of 22 in which an execution makes its artifacts, 26 (users in containers),
and the half of 27 that puts the address into a container.
"""

import re
import subprocess
from typing import Any

import httpx
import pytest

from mooring.api import openapi_examples
from mooring.domain.lifecycle import Status
from mooring.runtimes.base import LogLine
from mooring.services import generic_secrets
from mooring.services.tracking_addresses import TrackedExecution, tracking_endpoint
from mooring.store.tables import Artifact
from mooring.store.types import utc_now
from tests.api import known_objects
from tests.api.api_server import Server, new_configuration, new_deployment
from tests.api.known_objects import KnownObjects
from tests.clients.environments import python_with

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")


@pytest.fixture
def known(server: Server, http: httpx.Client, group: str) -> KnownObjects:
    return known_objects.make(server, http, group)


def test_trap_01_a_token_lives_for_longer_than_an_hour(server: Server) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": server.client.id,
        "client_secret": server.client.secret,
    }
    assert httpx.post(f"{server.url}/oauth/token", data=form).json()["expires_in"] > 3600


@pytest.mark.parametrize(
    ("query", "form", "basic"),
    [
        ("", {"grant_type": "client_credentials", "client_id": "{id}", "client_secret": "{secret}"}, False),
        ("?grant_type=client_credentials", {}, True),
        ("", {"grant_type": "client_credentials"}, True),
        ("?grant_type=client_credentials", {"client_id": "{id}", "client_secret": "{secret}"}, False),
    ],
)
def test_trap_02_tokens_are_asked_for_in_many_ways(
    server: Server, query: str, form: dict[str, str], basic: bool
) -> None:
    credentials = {"id": server.client.id, "secret": server.client.secret}
    answer = httpx.post(
        f"{server.url}/oauth/token{query}",
        data={name: value.format(**credentials) for name, value in form.items()},
        auth=(server.client.id, server.client.secret) if basic else None,
    )
    assert answer.status_code == 200
    assert answer.json().keys() >= {"access_token", "expires_in", "token_type"}


def test_trap_03_binding_lists_are_always_there_and_in_order(http: httpx.Client) -> None:
    without = http.post(
        "/v2/lm/configurations",
        json={"name": "n", "scenarioId": "mooring", "executableId": "model-server", "versionId": "tolerated"},
    ).json()["id"]
    shown = http.get(f"/v2/lm/configurations/{without}").json()
    assert (shown["parameterBindings"], shown["inputArtifactBindings"]) == ([], [])
    bindings = [{"key": key, "value": key} for key in ("z", "a", "m")]
    body = {
        "name": "n",
        "scenarioId": "mooring",
        "executableId": "model-server",
        "parameterBindings": bindings,
    }
    with_three = http.post("/v2/lm/configurations", json=body).json()["id"]
    listed = http.get("/v2/lm/configurations").json()["resources"]
    found = next(item for item in listed if item["id"] == with_three)
    assert found["parameterBindings"] == bindings


def test_trap_04_moments_can_be_parsed(http: httpx.Client, server: Server) -> None:
    deployment_id = new_deployment(http)
    server.act(deployment_id, Status.RUNNING)
    server.add_replica(deployment_id, f"r-{deployment_id}", [LogLine(utc_now(), "stdout", "line")])
    shown = [
        http.get(path).json()
        for path in (
            f"/v2/lm/deployments/{deployment_id}",
            f"/v2/lm/deployments/{deployment_id}/logs",
            "/v2/lm/configurations",
            "/v2/lm/scenarios",
            "/v2/lm/scenarios/mooring/executables",
            "/v2/lm/scenarios/mooring/versions",
            "/v2/admin/resourceGroups",
        )
    ]
    moments = list(_moments(shown))
    assert len(moments) > 10
    assert all(MOMENT.fullmatch(moment) for moment in moments)


def test_trap_05_fields_that_clients_need_are_there(http: httpx.Client) -> None:
    shown = http.get(f"/v2/lm/deployments/{new_deployment(http)}").json()
    needed = {"configurationName", "scenarioId", "executableId", "targetStatus", "modifiedAt", "lastOperation"}
    assert needed <= shown.keys()
    assert shown["deploymentUrl"] == ""
    assert shown["details"] == {"scaling": {"backendDetails": {}}, "resources": {"backendDetails": {}}}
    assert not {"submissionTime", "startTime", "completionTime"} & shown.keys()
    parameters = http.get("/v2/lm/scenarios/mooring/executables/model-server").json()["parameters"]
    assert {parameter["type"] for parameter in parameters} == {"string"}


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/v2/lm/nothing", None, 404),
        ("GET", "/v2/lm/deployments/d000000000000000", None, 404),
        ("PUT", "/v2/lm/deployments", b"{}", 405),
        ("POST", "/v2/lm/deployments", b"{", 400),
        ("POST", "/v2/lm/deployments", b"{}", 400),
        ("POST", "/v2/admin/secrets", b"[]", 400),
        ("GET", "/v2/lm/deployments?$top=many", None, 400),
        ("PATCH", "/v2/lm/metrics", b"{}", 400),
    ],
)
def test_trap_06_no_error_has_the_form_of_the_framework(
    http: httpx.Client, method: str, path: str, content: bytes | None, status: int
) -> None:
    answer = http.request(method, path, content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json().keys()) == (status, {"error"})
    assert isinstance(answer.json()["error"]["code"], str)
    assert isinstance(answer.json()["error"]["message"], str)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/v2/lm/deployments/{deploymentId}"),
        ("PATCH", "/v2/lm/executions/{executionId}"),
        ("PATCH", "/v2/lm/executionSchedules/{executionScheduleId}"),
        ("PATCH", "/v2/admin/repositories/{repositoryName}"),
        ("PATCH", "/v2/admin/applications/{applicationName}"),
        ("PATCH", "/v2/admin/objectStoreSecrets/{objectStoreName}"),
        ("PATCH", "/v2/admin/dockerRegistrySecrets/{dockerRegistryName}"),
        ("POST", "/v2/admin/applications/{applicationName}/refresh"),
        ("DELETE", "/v2/lm/deployments/{deploymentId}"),
        ("DELETE", "/v2/lm/executions/{executionId}"),
        ("DELETE", "/v2/lm/executionSchedules/{executionScheduleId}"),
        ("DELETE", "/v2/admin/resourceGroups/{resourceGroupId}"),
        ("DELETE", "/v2/admin/repositories/{repositoryName}"),
        ("DELETE", "/v2/admin/applications/{applicationName}"),
        ("DELETE", "/v2/admin/objectStoreSecrets/{objectStoreName}"),
        ("DELETE", "/v2/admin/dockerRegistrySecrets/{dockerRegistryName}"),
    ],
)
def test_trap_07_changes_are_answered_with_id_and_message(
    http: httpx.Client, known: KnownObjects, method: str, path: str
) -> None:
    ids = known.ids_for(method.lower())
    answer = http.request(method, path.format(**ids), json=known.body(method.lower(), path))
    assert answer.status_code in (200, 202), answer.text
    name = re.findall(r"{(\w+)}", path)[0]
    assert answer.json()["id"] == ids[name]
    assert answer.json()["message"]


def test_trap_07_creates_without_an_id_and_secrets_have_a_message(http: httpx.Client, known: KnownObjects) -> None:
    for path in ("objectStoreSecrets", "dockerRegistrySecrets", "secrets"):
        body = openapi_examples.of_body("post", f"/v2/admin/{path}")
        assert http.post(f"/v2/admin/{path}", json={**(body or {}), "name": "another"}).json()["message"]
    secret = f"/v2/admin/secrets/{known.ids['secretName']}"
    assert http.patch(secret, json={"data": {"k": "dg=="}}).json() == {
        "name": known.ids["secretName"],
        "message": http.patch(secret, json={"data": {"k": "dg=="}}).json()["message"],
    }
    assert http.delete(secret).json()["message"]


def test_trap_07_only_these_successes_have_no_body(http: httpx.Client) -> None:
    empty = {
        ("patch", "/v2/lm/metrics"),
        ("patch", "/tracking/{permission}/api/v1/metrics"),
        ("delete", "/v2/lm/dataset/files/{path}"),
        ("patch", "/v2/admin/resourceGroups/{resourceGroupId}"),
        ("post", "/webhooks/git"),
        ("post", "/webhooks/mlflow"),
    }
    found = set()
    for path, operations in http.get("/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            good = next(told for status, told in operation["responses"].items() if status.startswith("2"))
            if "content" not in good:
                found.add((method, path))
    assert found == empty


def test_trap_08_statuses_are_those_that_strict_clients_check(http: httpx.Client) -> None:
    expected = {
        "201": {"POST /v2/lm/configurations", "POST /v2/lm/artifacts", "PUT /v2/lm/dataset/files/{path}"},
        "200": {
            "POST /oauth/token",
            "DELETE /v2/lm/metrics",
            "PATCH /v2/admin/resources/nodes",
            *(f"POST /v2/admin/{noun}" for noun in ("repositories", "applications", "secrets")),
            *(f"{verb} /v2/admin/repositories/{{repositoryName}}" for verb in ("PATCH", "DELETE")),
            *(f"{verb} /v2/admin/applications/{{applicationName}}" for verb in ("PATCH", "DELETE")),
            *(f"{verb} /v2/admin/secrets/{{secretName}}" for verb in ("PATCH", "DELETE")),
        },
        "204": {
            "PATCH /v2/lm/metrics",
            "PATCH /tracking/{permission}/api/v1/metrics",
            "DELETE /v2/lm/dataset/files/{path}",
            "POST /webhooks/git",
            "POST /webhooks/mlflow",
        },
    }
    seen: dict[str, set[str]] = {}
    for path, operations in http.get("/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            (status,) = (status for status in operation["responses"] if status.startswith("2"))
            if method != "get":
                seen.setdefault(status, set()).add(f"{method.upper()} {path}")
            else:
                assert status == "200", path
    accepted = seen.pop("202")
    assert seen == expected
    assert len(accepted) > 15


def test_trap_08_what_is_made_has_a_location(http: httpx.Client, known: KnownObjects) -> None:
    made = http.post("/v2/lm/deployments", json={"configurationId": known.next_configuration, "ttl": "1D"})
    assert (made.json()["status"], made.json()["ttl"]) == ("UNKNOWN", "1D")
    for path in ("configurations", "artifacts", "executions", "executionSchedules"):
        answer = http.post(f"/v2/lm/{path}", json=known.body("post", f"/v2/lm/{path}"))
        assert answer.headers["location"] == f"/v2/lm/{path}/{answer.json()['id']}"
        assert http.get(answer.headers["location"]).status_code == 200
    artifact = http.post("/v2/lm/artifacts", json=known.body("post", "/v2/lm/artifacts"))
    assert artifact.headers["content-location"] == artifact.headers["location"]


def test_trap_09_both_spellings_of_parameters(http: httpx.Client) -> None:
    ids = [new_deployment(http) for _ in range(3)]
    newest_first = ids[::-1]
    for query in ("$top=1&$skip=1", "top=1&skip=1", "%24top=1&%24skip=1", "$top=1&skip=1", "top=3&$top=1&skip=1"):
        shown = http.get(f"/v2/lm/deployments?{query}").json()
        assert (shown["count"], [item["id"] for item in shown["resources"]]) == (1, newest_first[1:2]), query
    counted = http.get("/v2/lm/deployments/$count")
    assert (counted.text, counted.headers["content-type"]) == ("3", "text/plain; charset=utf-8")
    assert http.get("/v2/lm/deployments/%24count").text == "3"
    for search in ("$search=WINE", "search=WINE"):
        assert http.get(f"/v2/lm/configurations?{search}").json()["count"] == 0
        insensitive = http.get(f"/v2/lm/configurations?{search}&searchCaseInsensitive=True")
        assert insensitive.json()["count"] == 3


def test_trap_10_a_resource_group_can_be_made_again_and_used_at_once(
    http: httpx.Client, server: Server, group: str
) -> None:
    name = f"{group}.again"
    body = {"resourceGroupId": name}
    first, second = (http.post("/v2/admin/resourceGroups", json=body) for _ in range(2))
    assert [first.status_code, second.status_code] == [202, 202]
    assert first.json() == second.json() == {"resourceGroupId": name, "tenantId": "mooring", "zoneId": "mooring"}
    with server.http(name) as in_new_group:
        assert new_configuration(in_new_group)
    shown = http.get(f"/v2/admin/resourceGroups/{name}").json()
    assert shown["status"] == "PROVISIONED"
    assert None not in shown.values()


def test_trap_11_a_refresh_wants_an_application_and_is_not_synced_at_once(
    http: httpx.Client, known: KnownObjects
) -> None:
    assert http.post("/v2/admin/applications/no-such-application/refresh").status_code == 404
    path = f"/v2/admin/applications/{known.ids['applicationName']}"
    answer = http.post(f"{path}/refresh")
    assert (answer.status_code, answer.json()["id"]) == (202, known.ids["applicationName"])
    assert http.get(f"{path}/status").json()["syncStatus"] != "Synced"


def test_trap_12_status_only_answers_have_no_further_keys(http: httpx.Client) -> None:
    deployment_id = new_deployment(http)
    allowed = {"id", "configurationId", "status", "createdAt", "modifiedAt", "statusDetails", "details"}
    single = http.get(f"/v2/lm/deployments/{deployment_id}?$select=status").json()
    listed = http.get("/v2/lm/deployments?$select=status").json()["resources"][0]
    assert single.keys() == allowed
    assert listed.keys() <= allowed


def test_trap_13_the_group_header_in_any_case_or_absent(server: Server, http: httpx.Client, group: str) -> None:
    configuration_id = new_configuration(http)
    path = f"/v2/lm/configurations/{configuration_id}"
    with server.http() as without_group:
        for name in ("AI-Resource-Group", "ai-resource-group", "Ai-ResourCe-GROUP"):
            assert without_group.get(path, headers={name: group}).status_code == 200
        assert without_group.get(path).status_code == 404
        in_default = new_configuration(without_group)
    with server.http("default") as in_group_default:
        assert in_group_default.get(f"/v2/lm/configurations/{in_default}").status_code == 200


def test_trap_13_two_different_groups_are_refused(server: Server, group: str) -> None:
    with server.http() as raw:
        headers = [("AI-Resource-Group", group), ("ai-resource-group", "default")]
        assert raw.get("/v2/lm/configurations", headers=headers).status_code == 400


def test_trap_14_statuses_are_the_seven(http: httpx.Client) -> None:
    answer = http.get("/v2/lm/deployments?status=DELETING")
    assert answer.status_code == 400
    for status in Status:
        assert http.get(f"/v2/lm/deployments?status={status.value}").status_code == 200


def test_trap_15_a_patch_is_pending_at_once_and_keeps_what_ran(http: httpx.Client, server: Server) -> None:
    first = new_configuration(http)
    second = new_configuration(http, "models:/wine/2", name="second")
    deployment_id = new_deployment(http, first)
    path = f"/v2/lm/deployments/{deployment_id}"
    server.act(deployment_id, Status.RUNNING)
    before = http.get(path).json()
    http.patch(path, json={"configurationId": second})
    after = http.get(path).json()
    assert after["status"] == "PENDING"
    assert (after["configurationId"], after["configurationName"]) == (second, "second")
    assert (after["lastOperation"], after["targetStatus"]) == ("UPDATE", "RUNNING")
    assert after["latestRunningConfigurationId"] == first
    assert after["deploymentUrl"] == before["deploymentUrl"] != ""
    assert [revision["number"] for revision in after["statusDetails"]["revisions"]] == [1, 2]

    server.act(deployment_id, Status.DEAD, "x" * 300)
    dead = http.get(path).json()
    assert dead["latestRunningConfigurationId"] == first
    assert len(dead["statusMessage"]) == 256
    assert http.patch(path, json={"configurationId": first}).status_code == 202


def test_trap_16_refusals_are_errors_that_scripts_can_read(http: httpx.Client, server: Server) -> None:
    deployment_id = new_deployment(http)
    path = f"/v2/lm/deployments/{deployment_id}"
    too_early = http.patch(path, json={"targetStatus": "STOPPED"})
    server.act(deployment_id, Status.RUNNING)
    too_late = http.delete(path)
    for refused in (too_early, too_late):
        assert refused.status_code == 412
        assert refused.json()["error"]["code"] == "01010076"
        assert "has to be one of" in refused.json()["error"]["message"]


def test_trap_18_logs_are_a_list_in_ascending_order(http: httpx.Client, server: Server) -> None:
    deployment_id = new_deployment(http)
    path = f"/v2/lm/deployments/{deployment_id}/logs"
    assert http.get(path).json() == {"data": {"result": []}}
    early, late = utc_now(), utc_now()
    server.add_replica(deployment_id, f"r2-{deployment_id}", [LogLine(late, "stderr", "late\n")])
    server.add_replica(deployment_id, f"r1-{deployment_id}", [LogLine(early, "stdout", "early")])
    ascending = http.get(f"{path}?start=1990-01-01T00:00:00Z").json()["data"]["result"]
    assert [line["msg"] for line in ascending] == ["early", "late\n"]
    assert ascending[0].keys() == {"timestamp", "msg", "container", "pod", "stream"}
    assert ascending[1]["pod"] == f"r2-{deployment_id}"
    newest = http.get(f"{path}?order=desc&top=1").json()["data"]["result"]
    assert [line["msg"] for line in newest] == ["late\n"]
    for start in ("2099-01-01T00:00:00Z", "2099-01-01T00:00:00.123", "9999-12-31T23:59:59Z"):
        assert http.get(f"{path}?start={start}").json()["data"]["result"] == []
    for wrong in ("top=0", "top=5001", "order=up", "start=yesterday", "start=0001-01-01T00:00:00%2B09:00"):
        assert http.get(f"{path}?{wrong}").status_code == 400


def test_trap_21_both_content_types_on_every_patch(http: httpx.Client, server: Server) -> None:
    deployment_id = new_deployment(http)
    server.act(deployment_id, Status.RUNNING)
    body = {"deployments": [{"id": deployment_id, "targetStatus": "STOPPED"}]}
    for content_type in ("application/merge-patch+json", "application/json", "application/json; charset=utf-8"):
        headers = {"Content-Type": content_type}
        bulk = http.patch("/v2/lm/deployments", json=body, headers=headers)
        single = http.patch(f"/v2/lm/deployments/{deployment_id}", json={"targetStatus": "STOPPED"}, headers=headers)
        assert [bulk.status_code, single.status_code] == [202, 202]


@pytest.mark.parametrize(
    "path",
    [
        "/v2/admin/dockerRegistrySecrets/{dockerRegistryName}",
        "/v2/admin/objectStoreSecrets/{objectStoreName}",
        "/v2/admin/secrets/{secretName}",
        "/v2/admin/repositories/{repositoryName}",
        "/v2/admin/applications/{applicationName}",
        "/v2/admin/resourceGroups/{resourceGroupId}",
        "/v2/admin/resources/nodes",
        "/v2/lm/executionSchedules/{executionScheduleId}",
        "/v2/lm/metrics",
    ],
)
def test_trap_21_merge_patches_of_all_other_things(http: httpx.Client, known: KnownObjects, path: str) -> None:
    for content_type in ("application/merge-patch+json", "application/json"):
        body = known.body("patch", path)
        answer = http.patch(path.format(**known.ids), json=body, headers={"Content-Type": content_type})
        assert answer.status_code < 300, answer.text


def test_trap_20_secrets_are_kept_as_they_arrive(server: Server, http: httpx.Client, group: str) -> None:
    data = {"api-key": "c2VjcmV0", "apiKey": "b3RoZXI=", "hf_token": "/+8="}
    assert http.post("/v2/admin/secrets", json={"name": "keys", "data": data}).status_code == 200
    with server.database.reading() as session:
        values = generic_secrets.opened(session, server.context.vault, group, "keys")
    assert values == {"api-key": b"secret", "apiKey": b"other", "hf_token": b"\xff\xef"}
    sdk = {"AI-Tenant-Scope": "true"}  # what the Python SDK sends by default, with the group's header
    name = f"of-all-{group}"
    assert http.post("/v2/admin/secrets", json={"name": name, "data": data}, headers=sdk).status_code == 200
    assert http.get(f"/v2/admin/secrets/{name}", headers=sdk).status_code == 200
    assert http.get(f"/v2/admin/secrets/{name}").status_code == 404
    assert http.post("/v2/admin/secrets", json={"name": "raw", "data": {"k": "no base64"}}).status_code == 400


def test_trap_22_output_artifacts_are_whole_objects(
    server: Server, http: httpx.Client, known: KnownObjects, group: str
) -> None:
    execution = known.ids["executionId"]
    made = known.ids["artifactId"]
    with server.database.transaction() as session:
        session.get_one(Artifact, made).execution_id = execution
    whole = http.get(f"/v2/lm/artifacts/{made}").json()
    assert whole.keys() >= {"id", "name", "kind", "url", "scenarioId", "createdAt", "modifiedAt", "executionId"}
    assert http.get(f"/v2/lm/executions/{execution}").json()["outputArtifacts"] == [whole]
    listed = {item["id"]: item for item in http.get("/v2/lm/executions").json()["resources"]}
    assert listed[execution]["outputArtifacts"] == [whole]
    assert http.get(f"/v2/lm/artifacts?executionId={execution}").json()["resources"] == [whole]


def test_trap_23_an_object_store_secret_is_found_with_and_without_the_suffix(
    http: httpx.Client, known: KnownObjects
) -> None:
    name = known.ids["objectStoreName"]
    plain, suffixed = (
        http.get(f"/v2/admin/objectStoreSecrets/{each}") for each in (name, f"{name}-object-store-secret")
    )
    assert plain.status_code == suffixed.status_code == 200
    assert plain.json() == suffixed.json()
    assert plain.json()["name"] in (name, f"{name}-object-store-secret")


@pytest.mark.parametrize(("environment", "distribution"), [("sdk2", "ai-core-sdk"), ("sdk3", "sap-ai-sdk-core")])
def test_trap_25_each_generation_of_the_sdk_has_an_environment_of_its_own(environment: str, distribution: str) -> None:
    program = (
        "import ai_core_sdk, ai_api_client_sdk; from importlib.metadata import packages_distributions as all_of;"
        "print(*all_of()['ai_core_sdk'])"
    )
    done = subprocess.run([python_with(environment), "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == [distribution], done.stderr


def test_trap_27_metrics_from_inside_need_no_token(server: Server, known: KnownObjects, group: str) -> None:
    execution = TrackedExecution(known.ids["executionId"], group)
    endpoint = tracking_endpoint(server.url, execution, server.context.vault)
    body = {"executionId": execution.id, "metrics": [{"name": "loss", "value": 1, "timestamp": None}]}
    inside = httpx.patch(f"{endpoint}/api/v1/metrics", json=body, headers={"Authorization": ""})
    assert (inside.status_code, inside.content) == (204, b"")
    with server.http(group) as http:
        found = http.get(f"/v2/lm/metrics?executionIds={execution.id}").json()["resources"]
    assert found[0]["metrics"][0]["value"] == 1


def test_trap_28_messages_are_those_that_scripts_compare(http: httpx.Client, known: KnownObjects) -> None:
    def message(method: str, path: str, **change: object) -> str:
        ids = known.ids_for(method)
        body = {**(known.body(method, path) or {}), **change}
        said: str = http.request(method, path.format(**ids), json=body).json()["message"]
        return said

    assert message("post", "/v2/lm/artifacts") == "Artifact acknowledged"
    assert message("post", "/v2/lm/configurations") == "Configuration created"
    assert message("post", "/v2/lm/executions") == "Execution scheduled"
    assert message("post", "/v2/lm/deployments") == "Deployment scheduled."
    assert message("patch", "/v2/lm/deployments/{deploymentId}") == "Deployment modification scheduled"
    assert message("patch", "/v2/lm/executions/{executionId}") == "Execution modification scheduled"
    assert message("delete", "/v2/lm/deployments/{deploymentId}") == "Deletion scheduled"
    assert message("delete", "/v2/lm/executions/{executionId}") == "Deletion scheduled"


def _moments(shown: Any) -> Any:
    if isinstance(shown, dict):
        for key, value in shown.items():
            if key.endswith(("At", "Time")) or key == "timestamp":
                yield value
            else:
                yield from _moments(value)
    elif isinstance(shown, list):
        for item in shown:
            yield from _moments(item)
