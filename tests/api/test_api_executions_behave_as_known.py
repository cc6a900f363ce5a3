"""Executions over HTTP: answers, filters, refusals, as clients of the AI API know them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from mooring.domain.lifecycle import Status
from mooring.runtimes.base import LogLine
from mooring.store.tables import Job
from tests.api.api_server import (
    Server,
    new_configuration,
    new_execution,
    new_workflow_configuration,
    workflow_executable,
)

PATH = "/v2/lm/executions"


@pytest.fixture
def configuration_id(http: httpx.Client, server: Server) -> str:
    return new_workflow_configuration(http, server)


@pytest.fixture
def execution_id(http: httpx.Client, configuration_id: str) -> str:
    return new_execution(http, configuration_id)


def test_answers_are_exact(http: httpx.Client, server: Server, configuration_id: str) -> None:
    wakes = len(server.wakes)
    made = http.post(PATH, json={"configurationId": configuration_id})
    one = f"{PATH}/{made.json()['id']}"
    assert made.json() == {
        "id": made.json()["id"],
        "message": "Execution scheduled",
        "status": "UNKNOWN",
        "targetStatus": "COMPLETED",
    }
    assert made.headers["location"] == one
    server.act_on_execution(made.json()["id"], Status.RUNNING)
    stopped = http.patch(one, json={"targetStatus": "STOPPED"})
    assert http.get(one).json()["targetStatus"] == "STOPPED"
    server.act_on_execution(made.json()["id"], Status.STOPPED)
    deleted = http.delete(one)
    assert stopped.json() == {"id": made.json()["id"], "message": "Execution modification scheduled"}
    assert deleted.json() == {"id": made.json()["id"], "message": "Deletion scheduled", "targetStatus": "DELETED"}
    assert [answer.status_code for answer in (made, stopped, deleted)] == [202, 202, 202]
    assert len(server.wakes) == wakes + 3


def test_what_is_not_known_yet_is_left_out(http: httpx.Client, execution_id: str, configuration_id: str) -> None:
    single = http.get(f"{PATH}/{execution_id}").json()
    (listed,) = http.get(PATH).json()["resources"]
    assert single == {**listed, "statusDetails": {}}
    assert {name: value for name, value in listed.items() if not name.endswith("At")} == {
        "id": execution_id,
        "configurationId": configuration_id,
        "configurationName": "training",
        "executableId": "train",
        "scenarioId": "workflows",
        "status": "UNKNOWN",
        "statusMessage": "",
        "targetStatus": "COMPLETED",
        "outputArtifacts": [],
    }


def test_trap_12_status_only_answers_have_no_further_keys(http: httpx.Client, execution_id: str) -> None:
    common = {"id", "configurationId", "status", "createdAt", "modifiedAt"}
    for select in ("$select", "select"):
        assert http.get(f"{PATH}/{execution_id}?{select}=status").json().keys() == common | {"statusDetails"}
        (listed,) = http.get(f"{PATH}?{select}=status").json()["resources"]
        assert listed.keys() == common
    assert http.get(f"{PATH}?$select=id").status_code == 400


def test_trap_14_statuses_are_the_seven(http: httpx.Client, server: Server, execution_id: str) -> None:
    for status in Status:
        server.act_on_execution(execution_id, status)
        assert http.get(f"{PATH}?status={status.value}").json()["count"] == 1
    assert http.get(f"{PATH}?status=DELETING").status_code == 400


def test_trap_16_refusals_are_errors_that_scripts_can_read(
    http: httpx.Client, server: Server, execution_id: str
) -> None:
    too_early = http.patch(f"{PATH}/{execution_id}", json={"targetStatus": "STOPPED"})
    server.act_on_execution(execution_id, Status.RUNNING)
    too_late = http.delete(f"{PATH}/{execution_id}")
    for refused in (too_early, too_late):
        assert refused.status_code == 412
        assert refused.json()["error"]["code"] == "01010076"
        assert "has to be one of" in refused.json()["error"]["message"]


def test_trap_18_no_lines_are_an_empty_list(http: httpx.Client, execution_id: str) -> None:
    path = f"{PATH}/{execution_id}/logs"
    for query in ("", "?start=1990-01-01T00:00:00Z", "?start=2024-05-01T10:00:00", "?order=desc&top=1"):
        assert http.get(path + query).json() == {"data": {"result": []}}
    for wrong in ("top=0", "top=5001", "order=up", "start=yesterday", "end=0001-01-01T00:00:00%2B09:00"):
        refused = http.get(f"{path}?{wrong}")
        assert refused.status_code == 400
        assert wrong.partition("=")[0] in refused.json()["error"]["message"]
    assert http.get(f"{PATH}/e-never-was/logs").status_code == 404


def test_logs_are_those_of_all_jobs_by_time_and_name_their_step(
    http: httpx.Client, server: Server, execution_id: str
) -> None:
    """A job that was tried again counts from 1, as Argo's pods do."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    jobs = {"main[0].a": ("jaaa1", 0), "main[0].b": ("jbbb1", 1)}
    with server.database.transaction() as session:
        for second, (node, (job_id, attempt)) in enumerate(jobs.items()):
            facts = {"execution_id": execution_id, "node": node, "attempt": attempt, "order": {}, "state": "running"}
            session.add(Job(id=job_id, **facts))
            moments = (start + timedelta(seconds=second), start + timedelta(seconds=second + 2))
            server.logs.lines[job_id] = [LogLine(moment, "stdout", job_id) for moment in moments]
    found = http.get(f"{PATH}/{execution_id}/logs", params={"start": "2025-12-31T00:00:00Z"}).json()["data"]["result"]
    pods = (f"{execution_id}-main[0].a", f"{execution_id}-main[0].b(1)")
    assert [(line["msg"], line["pod"], line["container"]) for line in found] == [
        ("jaaa1", pods[0], "main"),
        ("jbbb1", pods[1], "main"),
        ("jaaa1", pods[0], "main"),
        ("jbbb1", pods[1], "main"),
    ]


def test_trap_21_both_content_types_on_every_patch(http: httpx.Client, server: Server, execution_id: str) -> None:
    server.act_on_execution(execution_id, Status.RUNNING)
    body = {"executions": [{"id": execution_id, "targetStatus": "STOPPED"}]}
    for content_type in ("application/merge-patch+json", "application/json"):
        headers = {"Content-Type": content_type}
        bulk = http.patch(PATH, json=body, headers=headers)
        single = http.patch(f"{PATH}/{execution_id}", json={"targetStatus": "STOPPED"}, headers=headers)
        assert [bulk.status_code, single.status_code] == [202, 202]


def test_trap_22_output_artifacts_are_complete(http: httpx.Client, server: Server, configuration_id: str) -> None:
    with_outputs, without = (new_execution(http, configuration_id) for _ in range(2))
    made = server.act_on_execution(with_outputs, Status.COMPLETED, ["model", "report"])
    single = http.get(f"{PATH}/{with_outputs}").json()
    listed = {item["id"]: item for item in http.get(PATH).json()["resources"]}
    complete = [http.get(f"/v2/lm/artifacts/{artifact_id}").json() for artifact_id in made]
    assert sorted(single["outputArtifacts"], key=lambda item: made.index(item["id"])) == complete
    assert listed[with_outputs]["outputArtifacts"] == single["outputArtifacts"]
    assert listed[without]["outputArtifacts"] == []
    assert complete[0]["url"] == f"ai://default/{with_outputs}/model"
    assert complete[0]["executionId"] == with_outputs
    assert http.get(f"/v2/lm/artifacts?executionId={with_outputs}").json()["count"] == 2


def test_a_list_costs_one_query_more_for_all_output_artifacts(
    http: httpx.Client, server: Server, configuration_id: str
) -> None:
    for _ in range(3):
        server.act_on_execution(new_execution(http, configuration_id), Status.COMPLETED, ["model"])
    tables: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        tables.extend(table for table in ("FROM executions", "FROM artifacts") if table in statement)

    event.listen(server.database.engine, "before_cursor_execute", note)
    try:
        shown = http.get(PATH).json()["resources"]
    finally:
        event.remove(server.database.engine, "before_cursor_execute", note)
    assert [len(item["outputArtifacts"]) for item in shown] == [1, 1, 1]
    assert tables == ["FROM executions", "FROM artifacts"]


def test_filters_and_pages_in_both_spellings(http: httpx.Client, server: Server, configuration_id: str) -> None:
    other = new_workflow_configuration(http, server, "score")
    first, second = (new_execution(http, each) for each in (configuration_id, other))
    found = {
        "": [second, first],
        f"configurationId={configuration_id}": [first],
        "executableIds=train,score": [second, first],
        "executableIds=score": [second],
        "scenarioId=workflows": [second, first],
        "scenarioId=mooring": [],
        "executionScheduleId=never-was": [],
        "status=RUNNING": [],
        "$top=1": [second],
        "top=1&skip=1": [first],
    }
    for query, ids in found.items():
        shown = http.get(f"{PATH}?{query}").json()
        assert [item["id"] for item in shown["resources"]] == ids, query
        assert shown["count"] == len(ids)
        if "top" not in query:
            assert http.get(f"{PATH}/$count?{query}").text == str(len(ids))


def test_bulk_accepts_and_refuses_item_by_item(http: httpx.Client, server: Server, configuration_id: str) -> None:
    running, unknown = (new_execution(http, configuration_id) for _ in range(2))
    server.act_on_execution(running, Status.RUNNING)
    items = [
        {"id": running, "targetStatus": "STOPPED"},
        {"id": unknown, "targetStatus": "DELETED"},
        {"id": "e-never-was", "targetStatus": "DELETED"},
    ]
    answer = http.patch(PATH, json={"executions": items})
    assert answer.status_code == 202
    stopped, deleted, refused = answer.json()["executions"]
    assert stopped == {"id": running, "message": "Execution modification scheduled"}
    assert deleted == {"id": unknown, "message": "Deletion scheduled"}
    assert refused.keys() == {"id", "error"}
    assert {"code", "message", "requestId", "target", "details"} <= refused["error"].keys()
    assert refused["error"]["target"] == f"{PATH}/e-never-was"


@pytest.mark.parametrize(
    "items",
    [
        [],
        None,
        [{"id": "e-0001", "targetStatus": "STOPPED"}] * 2,
        [{"id": f"e-{number:04}", "targetStatus": "STOPPED"} for number in range(101)],
        [{"id": "e-0001", "targetStatus": "COMPLETED"}],
        [{"id": "e-0001"}],
        [{"id": "\0" * 8, "targetStatus": "STOPPED"}],
    ],
    ids=["empty", "null", "twice", "too many", "wrong target", "no target", "NUL"],
)
def test_a_bulk_request_that_is_wrong_as_a_whole_is_refused(http: httpx.Client, items: object) -> None:
    refused = http.patch(PATH, json={"executions": items})
    assert refused.status_code == 400
    assert "executions" in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"configurationId": None},
        {"configurationId": 5},
        {"configurationId": ""},
        {"configurationId": "a\0bcdef"},
        {"configurationId": "x" * 65},
        {"configurationId": "never-was"},
    ],
)
def test_a_wrong_body_is_refused_with_the_field(http: httpx.Client, body: Any) -> None:
    refused = http.post(PATH, json=body)
    assert refused.status_code == 400
    assert isinstance(body, list) or "configurationId" in refused.json()["error"]["message"]


@pytest.mark.parametrize("target", ["COMPLETED", "DELETED", "RUNNING", "", None, 1])
def test_only_a_stop_can_be_asked_for(http: httpx.Client, execution_id: str, target: object) -> None:
    refused = http.patch(f"{PATH}/{execution_id}", json={"targetStatus": target})
    assert refused.status_code == 400
    assert "targetStatus" in refused.json()["error"]["message"]


def test_what_cannot_run_is_refused_with_the_way_out(http: httpx.Client, server: Server) -> None:
    workflow_executable(server, "picky", parameters=[{"name": "epochs"}], input_artifacts=["rows"])
    bound = [{"key": "epochs", "value": ""}]
    cases = {
        new_configuration(http): "POST /v2/lm/deployments",
        new_workflow_configuration(http, server, "picky"): "'epochs'",
        new_workflow_configuration(http, server, "picky", parameterBindings=bound): "'rows'",
    }
    for configuration_id, words in cases.items():
        refused = http.post(PATH, json={"configurationId": configuration_id})
        assert refused.status_code == 400
        assert words in refused.json()["error"]["message"]


def test_executions_of_another_group_are_like_ones_that_never_were(
    server: Server, http: httpx.Client, execution_id: str, configuration_id: str
) -> None:
    with server.http("default") as elsewhere:
        for path in (f"{PATH}/{execution_id}", f"{PATH}/{execution_id}/logs"):
            assert elsewhere.get(path).status_code == 404
        assert elsewhere.patch(f"{PATH}/{execution_id}", json={"targetStatus": "STOPPED"}).status_code == 404
        assert elsewhere.delete(f"{PATH}/{execution_id}").status_code == 404
        assert elsewhere.post(PATH, json={"configurationId": configuration_id}).status_code == 400
        bulk = elsewhere.patch(PATH, json={"executions": [{"id": execution_id, "targetStatus": "DELETED"}]})
        assert "there is no execution" in bulk.json()["executions"][0]["error"]["message"]
        assert execution_id not in elsewhere.get(PATH).text
    assert http.get(f"{PATH}/{execution_id}").json()["targetStatus"] == "COMPLETED"


def test_changes_at_the_same_moment_are_accepted_or_refused_and_never_a_fault_of_ours(
    http: httpx.Client, server: Server, configuration_id: str
) -> None:
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _: new_execution(http, configuration_id), range(8)))
        one = f"{PATH}/{ids[0]}"
        server.act_on_execution(ids[0], Status.PENDING)
        bulk = {"executions": [{"id": each, "targetStatus": "DELETED"} for each in ids]}
        asks = [
            lambda: http.patch(one, json={"targetStatus": "STOPPED"}),
            lambda: http.delete(one),
            lambda: http.patch(PATH, json=bulk),
            lambda: http.get(one),
        ]
        answers = list(pool.map(lambda number: asks[number % len(asks)]().status_code, range(16)))
    assert set(answers) == {200, 202, 412}
    assert len(set(ids)) == 8
    shown = {item["id"]: item["targetStatus"] for item in http.get(PATH).json()["resources"]}
    assert shown == {each: "STOPPED" if each == ids[0] else "DELETED" for each in ids}


def test_what_the_server_can_do_is_said_in_full(http: httpx.Client) -> None:
    meta = http.get("/v2/lm/meta").json()
    capabilities = meta["aiApi"]["capabilities"]
    assert capabilities["userExecutions"] is capabilities["executionSchedules"] is True
    assert capabilities["logs"] == capabilities["bulkUpdates"] == {"executions": True, "deployments": True}
    assert meta["aiApi"]["limits"]["executions"] == {"maxRunningCount": -1}
    assert meta["extensions"].keys() == {"analytics", "resourceGroups", "dataset", "metrics", "rollout"}
    assert meta["extensions"]["dataset"]["limits"]["maxUploadFileSize"] == 104857600
