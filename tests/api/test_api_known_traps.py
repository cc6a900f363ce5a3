"""The traps of the AI API on which clients trip (section 10 of the reference), as far as they are served by now."""

import re
from typing import Any

import httpx
import pytest

from mooring.domain.lifecycle import Status
from mooring.runtimes.base import LogLine
from mooring.store.types import utc_now
from tests.api.api_server import Server, new_configuration, new_deployment

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")


def test_trap_1_a_token_lives_for_longer_than_an_hour(server: Server) -> None:
    form = {
        "grant_type": "client_credentials",
        "client_id": server.client.id,
        "client_secret": server.client.secret,
    }
    assert httpx.post(f"{server.url}/oauth/token", data=form).json()["expires_in"] > 3600


def test_trap_3_binding_lists_are_always_there_and_in_order(http: httpx.Client) -> None:
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


def test_trap_4_moments_can_be_parsed(http: httpx.Client, server: Server) -> None:
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


def test_trap_5_fields_that_clients_need_are_there(http: httpx.Client) -> None:
    shown = http.get(f"/v2/lm/deployments/{new_deployment(http)}").json()
    needed = {"configurationName", "scenarioId", "executableId", "targetStatus", "modifiedAt", "lastOperation"}
    assert needed <= shown.keys()
    assert shown["deploymentUrl"] == ""
    assert shown["details"] == {"scaling": {"backendDetails": {}}, "resources": {"backendDetails": {}}}
    assert not {"submissionTime", "startTime", "completionTime"} & shown.keys()
    parameters = http.get("/v2/lm/scenarios/mooring/executables/model-server").json()["parameters"]
    assert {parameter["type"] for parameter in parameters} == {"string"}


def test_traps_7_8_and_28_answers_are_exact(http: httpx.Client, server: Server) -> None:
    configuration_id = new_configuration(http)
    artifact = http.post(
        "/v2/lm/artifacts",
        json={"name": "a", "kind": "model", "url": "ai://default/x", "scenarioId": "mooring"},
    )
    made = http.post("/v2/lm/deployments", json={"configurationId": configuration_id, "ttl": "1D"})
    path = f"/v2/lm/deployments/{made.json()['id']}"
    server.act(made.json()["id"], Status.RUNNING)
    other = new_configuration(http, "models:/wine/2")
    patched = http.patch(path, json={"configurationId": other})
    stopped = http.patch(path, json={"targetStatus": "STOPPED"})
    server.act(made.json()["id"], Status.STOPPED)
    deleted = http.delete(path)
    answers = (artifact, made, patched, stopped, deleted)
    assert [answer.status_code for answer in answers] == [201, 202, 202, 202, 202]
    assert [answer.json()["message"] for answer in answers] == [
        "Artifact acknowledged",
        "Deployment scheduled.",
        "Deployment modification scheduled",
        "Deployment modification scheduled",
        "Deletion scheduled",
    ]
    assert made.json()["status"] == "UNKNOWN"
    assert made.json()["ttl"] == "1D"
    assert made.headers["location"] == path
    assert artifact.headers["content-location"] == f"/v2/lm/artifacts/{artifact.json()['id']}"
    assert http.get(made.headers["location"]).status_code == 200


def test_trap_9_both_spellings_of_parameters(http: httpx.Client) -> None:
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


@pytest.mark.parametrize("ttl", ["10m", "2h", "7D", "3650d"])
def test_a_ttl_is_kept_as_it_was_given(http: httpx.Client, ttl: str) -> None:
    assert http.get(f"/v2/lm/deployments/{new_deployment(http, ttl=ttl)}").json()["ttl"] == ttl


@pytest.mark.parametrize("ttl", ["9m", "2", "h", "2w", "-1h", "3651d", "1,", "99999999999999999d", "", 5])
def test_a_ttl_out_of_range_is_refused(http: httpx.Client, ttl: object) -> None:
    body = {"configurationId": new_configuration(http), "ttl": ttl}
    answer = http.post("/v2/lm/deployments", json=body)
    assert answer.status_code == 400
    assert "ttl" in answer.json()["error"]["message"]
