"""Execution schedules over HTTP: answers, times, status, refusals."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from mooring.store.tables import Execution
from tests.api.api_server import (
    Server,
    new_configuration,
    new_execution,
    new_workflow_configuration,
)

PATH = "/v2/lm/executionSchedules"
PAST, FUTURE, LATER = "2020-01-01T00:00:00Z", "2999-01-01T00:00:00Z", "2999-06-01T00:00:00Z"


@pytest.fixture
def configuration_id(http: httpx.Client, server: Server) -> str:
    return new_workflow_configuration(http, server)


def create(http: httpx.Client, configuration_id: str, **more: object) -> httpx.Response:
    body = {"name": "nightly", "cron": "30 3 * * *", "configurationId": configuration_id, **more}
    return http.post(PATH, json=body)


@pytest.fixture
def one(http: httpx.Client, configuration_id: str) -> str:
    """The path of a schedule."""
    return str(create(http, configuration_id).headers["location"])


def test_controllers_hear_of_changes(http: httpx.Client, server: Server, one: str) -> None:
    wakes = len(server.wakes)
    http.patch(one, json={"status": "INACTIVE"}).raise_for_status()
    assert len(server.wakes) == wakes + 1
    create(http, http.get(one).json()["configurationId"]).raise_for_status()
    assert len(server.wakes) == wakes + 2


def test_answers_are_exact(http: httpx.Client, configuration_id: str) -> None:
    made = create(http, configuration_id, start=FUTURE, end=LATER)
    schedule_id = made.json()["id"]
    path = f"{PATH}/{schedule_id}"
    assert (made.status_code, made.headers["location"]) == (202, path)
    assert made.json() == {"id": schedule_id, "message": "Execution Schedule created"}
    shown = http.get(path).json()
    assert shown == {
        "id": schedule_id,
        "name": "nightly",
        "cron": "30 3 * * *",
        "configurationId": configuration_id,
        "start": FUTURE,
        "end": LATER,
        "status": "ACTIVE",
        "createdAt": shown["createdAt"],
        "modifiedAt": shown["modifiedAt"],
    }
    assert http.get(PATH).json() == {"count": 1, "resources": [shown]}
    changed, deleted = http.patch(path, json={"cron": "0 4 * * *"}), http.delete(path)
    assert [changed.status_code, deleted.status_code] == [202, 202]
    assert changed.json() == {"id": schedule_id, "message": "Execution Schedule modified"}
    assert deleted.json() == {"id": schedule_id, "message": "Execution Schedule deleted"}
    for gone in (http.get(path), http.delete(path), http.patch(path, json={"cron": "0 4 * * *"})):
        assert gone.status_code == 404


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("2030-05-01T10:00:00Z", "2030-05-01T10:00:00Z"),
        ("2030-05-01T10:00:00.987654Z", "2030-05-01T10:00:00Z"),
        ("2030-05-01T10:00:00", "2030-05-01T10:00:00Z"),
        ("2030-05-01T10:00:00+02:00", "2030-05-01T08:00:00Z"),
    ],
)
def test_times_are_whole_seconds_in_utc(http: httpx.Client, configuration_id: str, given: str, shown: str) -> None:
    path = create(http, configuration_id, start=given).headers["location"]
    assert http.get(path).json()["start"] == shown
    assert "end" not in http.get(path).json()


@pytest.mark.parametrize("field", ["start", "end"])
@pytest.mark.parametrize("wrong", ["tomorrow", "", 5, 10**30, True, [], "1714557600", "0001-01-01T00:00:00+09:00"])
def test_what_is_no_moment_is_refused(http: httpx.Client, configuration_id: str, field: str, wrong: Any) -> None:
    refused = create(http, configuration_id, **{field: wrong})
    assert refused.status_code == 400
    assert field in refused.json()["error"]["message"]


def test_an_end_has_to_be_later_than_the_start(http: httpx.Client, configuration_id: str, one: str) -> None:
    for end in (PAST, FUTURE):
        assert "later than" in create(http, configuration_id, start=FUTURE, end=end).json()["error"]["message"]
    assert http.patch(one, json={"start": FUTURE}).status_code == 202
    refused = http.patch(one, json={"end": PAST})
    assert refused.status_code == 400
    assert "end" not in http.get(one).json(), "nothing of a refused change is kept"
    assert http.patch(one, json={"start": PAST, "end": FUTURE}).status_code == 202


@pytest.mark.parametrize("cron", ["30 3 * * 1-5", "*/10 * * * *", "0 30 3 * * 1", "0 0 29 2 *", "0 9 * * MON"])
def test_cron_is_kept_as_it_was_given(http: httpx.Client, configuration_id: str, cron: str) -> None:
    assert http.get(create(http, configuration_id, cron=cron).headers["location"]).json()["cron"] == cron


@pytest.mark.parametrize("cron", ["", "daily", "* * * *", "61 * * * *", "0 0 30 2 *", "\0 * * * *", "*" * 256, 5, None])
def test_a_wrong_cron_is_refused(http: httpx.Client, configuration_id: str, one: str, cron: Any) -> None:
    for refused in (create(http, configuration_id, cron=cron), http.patch(one, json={"cron": cron})):
        assert refused.status_code == 400
        assert "cron" in refused.json()["error"]["message"]
    assert http.get(one).json()["cron"] == "30 3 * * *"


def test_the_status_follows_from_suspension_and_end(http: httpx.Client, configuration_id: str) -> None:
    active, suspended, over = (
        create(http, configuration_id, **times).headers["location"] for times in ({}, {"end": FUTURE}, {"end": PAST})
    )
    assert http.patch(suspended, json={"status": "INACTIVE"}).status_code == 202
    ids = {path: path.rpartition("/")[2] for path in (active, suspended, over)}

    def listed(query: str) -> list[str]:
        found = http.get(f"{PATH}?{query}").json()["resources"]
        assert http.get(f"{PATH}/$count?{query}").text == str(len(found))
        return [item["id"] for item in found]

    assert [http.get(path).json()["status"] for path in ids] == ["ACTIVE", "INACTIVE", "INACTIVE"]
    assert listed("status=ACTIVE") == [ids[active]]
    assert listed("status=INACTIVE") == [ids[over], ids[suspended]]
    assert http.get(f"{PATH}?status=active").status_code == 400
    refused = http.patch(over, json={"status": "ACTIVE"})
    assert refused.status_code == 400
    assert "Give a later end" in refused.json()["error"]["message"]
    assert http.patch(over, json={"end": FUTURE}).status_code == 202
    assert http.patch(suspended, json={"status": "ACTIVE"}).status_code == 202
    assert len(listed("status=ACTIVE")) == 3


def test_a_limit_can_be_taken_away(http: httpx.Client, configuration_id: str) -> None:
    path = create(http, configuration_id, start=PAST, end=PAST.replace("2020", "2021")).headers["location"]
    assert http.patch(path, json={"end": None}).status_code == 202
    shown = http.get(path).json()
    assert (shown["status"], shown["start"], "end" in shown) == ("ACTIVE", PAST, False)


@pytest.mark.parametrize("body", [{}, {"name": "other"}, {"cron": None}, {"status": None, "configurationId": None}])
def test_a_change_of_nothing_is_refused(http: httpx.Client, one: str, body: Any) -> None:
    refused = http.patch(one, json=body)
    assert refused.status_code == 400
    assert "at least one of cron" in refused.json()["error"]["message"]


def test_a_name_in_a_change_is_tolerated_and_ignored(http: httpx.Client, one: str) -> None:
    before = http.get(one).json()
    answer = http.patch(
        one, json={"name": "other", "cron": "0 4 * * *"}, headers={"Content-Type": "application/merge-patch+json"}
    )
    assert answer.status_code == 202
    after = http.get(one).json()
    assert (after["name"], after["cron"], after["status"]) == ("nightly", "0 4 * * *", "ACTIVE")
    assert after["modifiedAt"] > before["modifiedAt"]


@pytest.mark.parametrize("name", ["", "n" * 257, "a\0b", None, 5])
def test_a_wrong_name_is_refused(http: httpx.Client, configuration_id: str, name: Any) -> None:
    refused = create(http, configuration_id, name=name)
    assert refused.status_code == 400
    assert "name" in refused.json()["error"]["message"]


def test_the_configuration_is_checked_and_can_be_changed(
    http: httpx.Client, server: Server, configuration_id: str, one: str
) -> None:
    for wrong in (new_configuration(http), "never-was"):
        for refused in (create(http, wrong), http.patch(one, json={"configurationId": wrong})):
            assert refused.status_code == 400
            assert "configuration" in refused.json()["error"]["message"]
    other = new_workflow_configuration(http, server, "score")
    assert http.patch(one, json={"configurationId": other}).status_code == 202
    assert http.get(f"{PATH}?configurationId={other}").json()["count"] == 1
    assert http.get(f"{PATH}?configurationId={configuration_id}").json()["count"] == 0


def test_executions_outlive_their_schedule(http: httpx.Client, server: Server, configuration_id: str, one: str) -> None:
    schedule_id = one.rpartition("/")[2]
    execution_id = new_execution(http, configuration_id)
    with server.database.transaction() as session:
        session.get_one(Execution, execution_id).execution_schedule_id = schedule_id
    assert http.delete(one).status_code == 202
    (shown,) = http.get(f"/v2/lm/executions?executionScheduleId={schedule_id}").json()["resources"]
    assert (shown["id"], shown["executionScheduleId"]) == (execution_id, schedule_id)


def test_schedules_of_another_group_are_like_ones_that_never_were(server: Server, http: httpx.Client, one: str) -> None:
    with server.http("default") as elsewhere:
        answers = (elsewhere.get(one), elsewhere.patch(one, json={"status": "INACTIVE"}), elsewhere.delete(one))
        assert [answer.status_code for answer in answers] == [404, 404, 404]
        configuration_id = http.get(one).json()["configurationId"]
        assert create(elsewhere, configuration_id).status_code == 400
    assert http.get(one).json()["status"] == "ACTIVE"


def test_changes_and_deletions_at_the_same_moment_are_never_a_fault_of_ours(http: httpx.Client, one: str) -> None:
    def act(number: int) -> int:
        if number % 2:
            return http.patch(one, json={"status": "INACTIVE"}).status_code
        return http.delete(one).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(act, range(8)))
    assert set(statuses) <= {202, 404}
    assert http.get(one).status_code == 404


def test_pages_in_both_spellings(http: httpx.Client, configuration_id: str) -> None:
    ids = [create(http, configuration_id).json()["id"] for _ in range(3)]
    for query in ("$top=1&$skip=1", "top=1&skip=1"):
        assert [item["id"] for item in http.get(f"{PATH}?{query}").json()["resources"]] == [ids[1]]
