"""Resource groups: paged, made again without harm, and nothing to a client that is bound to others."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.api_server import Server, running_server
from tests.api.test_api_errors_have_one_shape import error_of

PATH = "/v2/admin/resourceGroups"


@pytest.fixture
def bound(server: Server, group: str) -> Iterator[httpx.Client]:
    """An admin of the test's group only (and of one that does not exist)."""
    token = server.context.tokens.issue(server.client.id, groups=[group, f"{group}-never-made"]).value
    with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=30) as client:
        yield client


def _make(http: httpx.Client, *names: str, **more: Any) -> None:
    for name in names:
        answer = http.post(PATH, json={"resourceGroupId": name, **more})
        assert answer.status_code == 202, answer.text
        assert answer.json() == {"resourceGroupId": name, "tenantId": "mooring", "zoneId": "mooring"}


def _names(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["resourceGroupId"] for item in answer.json()["resources"]]


def _page(http: httpx.Client, group: str, size: int, token: str | None = None) -> httpx.Response:
    query = {"$search": f"{group}.", **({"continueToken": token} if token else {})}
    return http.get(PATH, params=query, headers={"Prefer": f"maxpagesize={size}"})


def test_pages_are_stable_while_groups_are_made(http: httpx.Client, group: str) -> None:
    names = [f"{group}.{number}" for number in range(5)]
    _make(http, *names)
    first = _page(http, group, 2)
    assert _names(first) == [names[4], names[3]]
    _make(http, f"{group}.new")
    second = _page(http, group, 2, first.json()["continueToken"])
    assert _names(second) == [names[2], names[1]]
    http.delete(f"{PATH}/{names[1]}").raise_for_status()
    third = _page(http, group, 2, second.json()["continueToken"])
    assert _names(third) == [names[0]]
    assert "continueToken" not in third.json()


def test_a_last_page_that_is_full_leads_nowhere(http: httpx.Client, group: str) -> None:
    _make(http, f"{group}.1", f"{group}.2")
    assert "continueToken" not in _page(http, group, 2).json()
    assert "continueToken" in _page(http, group, 1).json()
    assert "continueToken" not in http.get(PATH, params={"$search": group, "$top": 0}).json()


def test_a_page_may_also_be_asked_for_by_top(http: httpx.Client, group: str) -> None:
    names = [f"{group}.{number}" for number in range(3)]
    _make(http, *names)
    query: dict[str, Any] = {"$search": f"{group}.", "$top": 1, "$count": "true"}
    answer = http.get(PATH, params=query)
    assert answer.json()["count"] == 3
    following = http.get(PATH, params={**query, "continueToken": answer.json()["continueToken"]})
    assert _names(following) == [names[1]]


@pytest.mark.parametrize("preference", ["", "maxpagesize=0", "maxpagesize=x", "maxpagesize=-1", "respond-async", ";,="])
def test_a_preference_that_cannot_be_read_is_not_looked_at(http: httpx.Client, group: str, preference: str) -> None:
    _make(http, f"{group}.1", f"{group}.2")
    assert len(_names(http.get(PATH, params={"$search": f"{group}."}, headers={"Prefer": preference}))) == 2


@pytest.mark.parametrize("preference", ["respond-async, maxpagesize=1", 'MaxPageSize="1"; x=y', "odata.maxpagesize=1"])
def test_a_preference_in_other_words(http: httpx.Client, group: str, preference: str) -> None:
    _make(http, f"{group}.1", f"{group}.2")
    assert len(_names(http.get(PATH, params={"$search": f"{group}."}, headers={"Prefer": preference}))) == 1


@pytest.mark.parametrize("token", ["x", "%00", "AAAA", "é", "MjAyNA==", "x" * 1001, "OTk5OTk5"])
def test_tokens_that_are_none_of_ours(http: httpx.Client, token: str) -> None:
    assert "continueToken" in error_of(http.get(PATH, params={"continueToken": token}), 400)["message"]


def test_making_one_again_changes_nothing(http: httpx.Client, group: str) -> None:
    label = {"key": "ext.ai.sap.com/team", "value": "red"}
    _make(http, f"{group}.1", labels=[label])
    before = http.get(f"{PATH}/{group}.1").json()
    _make(http, f"{group}.1", labels=[])
    assert http.get(f"{PATH}/{group}.1").json() == before
    assert before["labels"] == [label]
    assert before["createdAt"]
    assert before["status"] == "PROVISIONED"


def test_many_make_the_same_one_at_once(server: Server, http: httpx.Client, group: str) -> None:
    def make(_: int) -> int:
        with server.http() as client:
            return client.post(PATH, json={"resourceGroupId": f"{group}.1"}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(make, range(16))) == {202}
    assert _names(_page(http, group, 9)) == [f"{group}.1"]


def test_the_body_of_sdk_2_is_taken(http: httpx.Client, group: str) -> None:
    body = {"resourceGroupId": group, "labels": [{"key": "ext.ai.sap.com/a", "value": "b"}]}
    assert http.patch(f"{PATH}/{group}", json=body).status_code == 202
    assert http.get(f"{PATH}/{group}").json()["labels"] == body["labels"]


@pytest.mark.parametrize(
    "label",
    [
        {"key": "ext.ai.sap.com/", "value": "v"},
        {"key": "ext.ai.sap.com/-a", "value": "v"},
        {"key": "ext.ai.sap.com/a-", "value": "v"},
        {"key": "ext.ai.sap.com/" + "a" * 49, "value": "v"},
        {"key": "extXai.sap.com/a", "value": "v"},
        {"key": "other/a", "value": "v"},
        {"key": "ext.ai.sap.com/a", "value": "x" * 5001},
        {"key": "ext.ai.sap.com/a", "value": "\0"},
        {"key": "ext.ai.sap.com/a"},
    ],
)
def test_labels_are_checked(http: httpx.Client, group: str, label: dict[str, str]) -> None:
    error_of(http.post(PATH, json={"resourceGroupId": f"{group}.1", "labels": [label]}), 400)
    error_of(http.patch(f"{PATH}/{group}", json={"labels": [label]}), 400)
    error_of(http.get(f"{PATH}/{group}.1"), 404)


def test_a_bound_client_sees_its_own_only(http: httpx.Client, bound: httpx.Client, group: str) -> None:
    other = f"{group}.other"
    _make(http, other)
    assert _names(bound.get(PATH)) == [group]
    assert bound.get(f"{PATH}?$count=true&$top=0").json()["count"] == 1
    assert bound.get(f"{PATH}/{group}").status_code == 200
    never_was = f"{group}.never"
    for method, body in (("GET", None), ("PATCH", {"labels": []})):
        hidden = error_of(bound.request(method, f"{PATH}/{other}", json=body), 404)
        missing = error_of(bound.request(method, f"{PATH}/{never_was}", json=body), 404)
        assert hidden["message"].replace(other, never_was) == missing["message"]
    error_of(bound.get(f"{PATH}/default"), 404)


def test_a_bound_client_makes_and_removes_none(http: httpx.Client, bound: httpx.Client, group: str) -> None:
    _make(bound, group)
    other = f"{group}.other"
    _make(http, other)
    refusals = {name: bound.post(PATH, json={"resourceGroupId": name}) for name in (other, f"{group}.never", "default")}
    words = {error_of(answer, 403)["message"].replace(name, "NAME") for name, answer in refusals.items()}
    assert len(words) == 1
    error_of(bound.post(PATH, json={"resourceGroupId": f"{group}-never-made"}), 403)
    for name in (group, other, f"{group}.never"):
        error_of(bound.delete(f"{PATH}/{name}"), 403)
    assert http.get(f"{PATH}/{group}").status_code == 200


def test_a_bound_client_labels_its_own(bound: httpx.Client, group: str) -> None:
    label = {"key": "ext.ai.sap.com/team", "value": "red"}
    answer = bound.patch(f"{PATH}/{group}", json={"labels": [label]})
    assert (answer.status_code, answer.content, answer.headers["location"]) == (202, b"", f"{PATH}/{group}")
    assert bound.get(f"{PATH}/{group}").json()["labels"] == [label]


def test_no_more_than_the_setting_allows(tmp_path: Path) -> None:
    with running_server(tmp_path, max_resource_groups=3) as server, server.http() as http:
        _make(http, "one", "two")
        refused = error_of(http.post(PATH, json={"resourceGroupId": "three"}), 400)
        assert "max_resource_groups" in refused["message"]
        _make(http, "one")
        assert http.get("/v2/admin/resourceQuota/resourceGroups").json() == {
            "usage": {"count": 3},
            "quota": {"maxCount": 3},
        }
        http.delete(f"{PATH}/two").raise_for_status()
        _make(http, "three")


def test_a_bound_client_without_the_header_reads_that_it_is_missing(bound: httpx.Client) -> None:
    missing = error_of(bound.get("/v2/lm/scenarios"), 400)["message"]
    named = error_of(bound.get("/v2/lm/scenarios", headers={"AI-Resource-Group": "default"}), 400)["message"]
    assert missing == "the resource group 'default' (taken because there is no header AI-Resource-Group) does not exist"
    assert named == "the resource group 'default' of the header AI-Resource-Group does not exist"
