"""A long list is sent while it is read: complete, in order, in little memory, and in nobody's way."""

import logging
import time
import tracemalloc
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import Any

import httpx
import pytest
from sqlalchemy import event, insert

from mooring.api.long_lists import PIECE
from mooring.services import configurations
from mooring.store.tables import Artifact, Configuration, Deployment
from tests.api.api_server import Server, new_configuration

LIST = "/v2/lm/configurations"
MANY = 5 * PIECE + 300
AT_ONE_MOMENT = 7
"""So many have the same `createdAt`: only their ids order them."""
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


def _row(group: str, number: int) -> dict[str, Any]:
    return {
        "id": f"{group}-{number:05}",
        "resource_group": group,
        "name": f"Käpt'n {number}",
        "scenario_id": "mooring" if number % 2 else "unknown",
        "executable_id": "model-server",
        "created_at": _BEGINNING + timedelta(seconds=number // AT_ONE_MOMENT, microseconds=500 * (number % 14 // 7)),
    }


def _insert(server: Server, group: str, text: str = "“quoted” \\ \u2028 ☸") -> list[str]:
    """Configurations, in bulk; their ids, newest first."""
    bindings = [{"key": "greeting", "value": text}]
    rows = [{**_row(group, number), "parameter_bindings": bindings} for number in range(MANY)]
    with server.database.transaction() as session:
        session.execute(insert(Configuration), rows)
    newest_first = sorted(rows, key=lambda row: (row["created_at"], row["id"]), reverse=True)
    return [row["id"] for row in newest_first]


@pytest.fixture
def expected(server: Server, group: str) -> list[str]:
    return _insert(server, group)


def _ids(answer: httpx.Response) -> list[str]:
    content = answer.raise_for_status().json()
    assert set(content) == {"count", "resources"}
    ids = [item["id"] for item in content["resources"]]
    assert content["count"] == len(ids)
    return ids


def test_the_whole_list_has_everything_once_and_in_order(http: httpx.Client, expected: list[str]) -> None:
    answer = http.get(LIST)
    assert _ids(answer) == expected
    assert answer.headers["content-type"] == "application/json"
    assert "content-length" not in answer.headers
    assert int(http.get(f"{LIST}/$count").text) == len(expected)


def test_the_whole_list_is_what_its_pages_are(http: httpx.Client, expected: list[str]) -> None:
    whole = http.get(LIST).json()["resources"]
    paged: list[dict[str, Any]] = []
    while page := http.get(LIST, params={"$top": 130, "$skip": len(paged)}).json()["resources"]:
        paged += page
    assert paged == whole
    for item in (whole[0], whole[PIECE], whole[-1]):
        assert http.get(f"{LIST}/{item['id']}").json() == item


@pytest.mark.parametrize("skip", [0, 1, PIECE, MANY - 1, MANY, MANY + 1])
@pytest.mark.parametrize("top", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, MANY - 1, MANY, MANY + 1])
def test_any_part_is_exact(shared: tuple[httpx.Client, list[str]], top: int, skip: int) -> None:
    http, expected = shared
    assert _ids(http.get(LIST, params={"$top": top, "$skip": skip})) == expected[skip : skip + top]


@pytest.fixture(scope="session")
def shared(server: Server) -> Iterator[tuple[httpx.Client, list[str]]]:
    """Objects that are only looked at."""
    with server.http("long-lists") as http:
        http.post("/v2/admin/resourceGroups", json={"resourceGroupId": "long-lists"}).raise_for_status()
        yield http, _insert(server, "long-lists")


def test_filter_search_and_expansion_go_through_all_pieces(shared: tuple[httpx.Client, list[str]]) -> None:
    http, expected = shared
    odd = [found for found in expected if int(found[-5:]) % 2]
    assert _ids(http.get(LIST, params={"scenarioId": "mooring"})) == odd
    matching = [found for found in expected if "1" in str(int(found[-5:]))]
    found = http.get(LIST, params={"$search": "KÄPT'N 1", "searchCaseInsensitive": True})
    assert _ids(found) == [known for known in matching if str(int(known[-5:])).startswith("1")]
    for item in http.get(LIST, params={"$expand": "scenario"}).json()["resources"]:
        assert (item["scenario"] or {}).get("id") == (item["scenarioId"] if item["scenarioId"] == "mooring" else None)


def test_artifacts_and_deployments_come_in_pieces_as_well(server: Server, http: httpx.Client, group: str) -> None:
    configuration_id = new_configuration(http)
    numbers, label = range(2 * PIECE + 1), {"key": "ext.ai.sap.com/colour", "value": "grün"}
    run = {
        "configuration_id": configuration_id,
        "configuration_name": "n",
        "status": "STOPPED",
        "target_status": "STOPPED",
        "last_operation": "UPDATE",
    }
    with server.database.transaction() as session:
        artifact = {"kind": "model", "url": "ai://default/x", "labels": [label]}
        session.execute(insert(Artifact), [{**_row(group, number), **artifact} for number in numbers])
        rows = [{**_row(group, number), **run} for number in numbers]
        session.execute(insert(Deployment), [{k: v for k, v in row.items() if k != "name"} for row in rows])
    artifacts = http.get("/v2/lm/artifacts").json()
    assert artifacts["count"] == len({item["id"] for item in artifacts["resources"]}) == len(numbers)
    assert all(item["labels"] == [label] for item in artifacts["resources"])
    deployments = http.get("/v2/lm/deployments?$select=status").json()
    assert deployments["count"] == len({item["id"] for item in deployments["resources"]}) == len(numbers)
    keys = {"id", "configurationId", "status", "details", "createdAt", "modifiedAt"}
    assert all(set(item) == keys for item in deployments["resources"])


def test_a_short_list_is_an_ordinary_answer(shared: tuple[httpx.Client, list[str]]) -> None:
    http, _ = shared
    answer = http.get(LIST, params={"$top": PIECE})
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.content.startswith(b'{"count":')


def test_memory_does_not_grow_with_the_list(server: Server, http: httpx.Client, group: str) -> None:
    _insert(server, group, "x" * 5_000)
    tracemalloc.start()
    try:
        with http.stream("GET", LIST) as answer:
            read = sum(len(part) for part in answer.iter_raw(65_536))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read > MANY * 5_000
    assert peak < read * 0.7, f"{peak:,} bytes to send {read:,}"


def test_who_reads_slowly_holds_no_transaction(server: Server, http: httpx.Client, group: str) -> None:
    _insert(server, group, "x" * 5_000)
    with server.http(group) as slow, slow.stream("GET", LIST) as answer:
        next(answer.iter_raw(1_000))
        _wait_until(lambda: _connections_in_use(server) == 0)
        new_configuration(http)
        removed = http.delete(f"/v2/admin/resourceGroups/{group}")
        assert removed.status_code == 202, removed.text


def _wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not come to this"
        time.sleep(0.01)


def _connections_in_use(server: Server) -> int:
    in_use: int = server.database.engine.pool.checkedout()  # type: ignore[attr-defined]
    return in_use


def test_who_goes_away_is_not_read_for(server: Server, group: str, caplog: pytest.LogCaptureFixture) -> None:
    _insert(server, group, "x" * 5_000)
    caplog.set_level(logging.INFO, "mooring.access")
    pieces: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "FROM configurations" in statement:
            pieces.append(statement)

    event.listen(server.database.engine, "before_cursor_execute", note)
    try:
        with server.http(group) as client, client.stream("GET", LIST) as answer:
            next(answer.iter_raw(1_000))
        _wait_until(lambda: any(LIST in record.getMessage() for record in caplog.records))
    finally:
        event.remove(server.database.engine, "before_cursor_execute", note)
    assert len(pieces) < MANY / PIECE


def test_of_items_of_unknown_length_few_are_read_at_first(
    server: Server, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, tops = configurations.list_of, list[int]()

    def noted(session: Any, group: str, wanted: Any, page: Any) -> Any:
        tops.append(page.top)
        return real(session, group, wanted, page)

    _insert(server, group, "x" * 5_000)
    monkeypatch.setattr(configurations, "list_of", noted)
    with server.http(group) as http:
        assert http.get(LIST).json()["count"] == MANY
    assert tops[0] == 25
    assert max(tops) < 250, "a piece of items of 5,000 characters should not have more than 1 MiB"


def test_what_fails_at_once_is_answered(
    shared: tuple[httpx.Client, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail_from(1, monkeypatch)
    answer = shared[0].get(LIST)
    assert answer.status_code == 500
    assert answer.json()["error"]["requestId"] == answer.headers["x-request-id"]


def test_what_fails_later_cuts_the_connection(
    shared: tuple[httpx.Client, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _fail_from(5, monkeypatch)
    with pytest.raises(httpx.RemoteProtocolError):
        shared[0].get(LIST)


def _fail_from(first_to_fail: int, monkeypatch: pytest.MonkeyPatch) -> None:
    calls, real = 0, configurations.list_of

    def failing(*arguments: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls >= first_to_fail:
            raise LookupError("the store is broken")
        return real(*arguments)

    monkeypatch.setattr(configurations, "list_of", failing)


def test_one_piece_at_a_time_is_made_for_all(
    shared: tuple[httpx.Client, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    http, expected = shared
    real, lock, under_way, most = configurations.list_of, Lock(), 0, 0

    def counted(session: Any, group: str, wanted: Any, page: Any) -> Any:
        nonlocal under_way, most
        if page.top < PIECE:  # of the beginning, which the handler makes
            return real(session, group, wanted, page)
        with lock:
            under_way += 1
            most = max(most, under_way)
        try:
            return real(session, group, wanted, page)
        finally:
            with lock:
                under_way -= 1

    monkeypatch.setattr(configurations, "list_of", counted)
    with ThreadPoolExecutor(6) as pool:
        for ids in pool.map(lambda _: _ids(http.get(LIST)), range(6)):
            assert ids == expected
    assert most == 1
