"""However often an execution has measured, the answer is complete, in order, in little memory, and in nobody's way."""

import math
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import insert

from mooring.api.long_lists import PIECE
from mooring.services import tracked
from mooring.store.tables import Metric, MetricResource
from tests.api.api_server import Server

PATH = "/v2/lm/metrics"
IDS = [f"execution-{number}" for number in range(10)]
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_LABELS = [{"name": "“unit”", "value": "\\ \u2028 µs"}]


def _insert(server: Server, group: str, numbers: Sequence[int], labels: list[dict[str, str]] | None = None) -> None:
    """So many metrics for each of the first executions; the first execution is the newest."""
    place = [{"resource_group": group, "execution_id": execution_id} for execution_id in IDS]
    moments = [{"created_at": _BEGINNING - timedelta(seconds=index)} for index in range(len(numbers))]
    each = {"timestamp": _BEGINNING, "labels": _LABELS if labels is None else labels}
    rows = [
        {**place[index], **each, "name": f"m{step % 10}", "value": step / 7, "step": step}
        for step in range(max(numbers))  # their ids mix with those of the others
        for index, number in enumerate(numbers)
        if step < number
    ]
    with server.database.transaction() as session:
        session.execute(insert(MetricResource), [{**p, **m} for p, m in zip(place, moments, strict=False)])
        if rows:
            session.execute(insert(Metric), rows)


def _expected(number: int) -> list[dict[str, Any]]:
    moment = "2026-01-01T00:00:00Z"
    return [
        {"name": f"m{step % 10}", "value": step / 7, "timestamp": moment, "step": step, "labels": _LABELS}
        for step in range(number)
    ]


def _get(http: httpx.Client, query: str = "", ids: Sequence[str] = IDS) -> list[dict[str, Any]]:
    answer = http.get(f"{PATH}?executionIds={','.join(ids)}{query}").raise_for_status()
    content = answer.json()
    assert set(content) == {"count", "resources"}
    assert content["count"] == len(content["resources"])
    assert answer.headers["content-type"] == "application/json"
    resources: list[dict[str, Any]] = content["resources"]
    return resources


@pytest.mark.parametrize(
    "numbers",
    [
        [0],
        [1],
        [99],
        [100],
        [101],
        [PIECE - 1],
        [PIECE],
        [PIECE + 1],
        [2 * PIECE],
        [3 * PIECE + 1],
        [PIECE, 0, PIECE, 0],
        [0, PIECE - 1, 1, 0, 1, PIECE + 1],
        [100] * 10,
        [0] * 10,
        [7 * PIECE + 3, 1, 0, 3 * PIECE],
    ],
    ids=str,
)
def test_everything_comes_once_and_in_order(
    server: Server, http: httpx.Client, group: str, numbers: Sequence[int]
) -> None:
    _insert(server, group, numbers)
    found = _get(http)
    assert [resource["executionId"] for resource in found] == IDS[: len(numbers)]
    for resource, number in zip(found, numbers, strict=True):
        assert set(resource) == {"executionId", "createdAt", "modifiedAt", "metrics", "tags", "customInfo"}
        assert resource["metrics"] == _expected(number)


def test_all_parameters_mean_the_same(server: Server, http: httpx.Client, group: str) -> None:
    numbers = [2 * PIECE, 0, PIECE + 1, 3]
    _insert(server, group, numbers)
    for execution_id in IDS[1:3]:
        texts = {"tags": [{"name": "colour", "value": "grün"}], "customInfo": [{"name": "i", "value": '{"a": 1}'}]}
        assert http.patch(PATH, json={"executionId": execution_id, **texts}).status_code == 204
    assert [one["executionId"] for one in _get(http, "&$skip=1&$top=2")] == IDS[1:3]
    assert _get(http, "&$top=0") == []
    assert [one["executionId"] for one in _get(http, "&tagFilters=colour=grün")] == IDS[1:3]
    only = _get(http, "&$select=metrics&tagFilters=colour!=grün")
    assert [(set(one), len(one["metrics"])) for one in only] == [
        ({"executionId", "createdAt", "modifiedAt", "metrics"}, number) for number in (2 * PIECE, 3)
    ]
    texts_only = _get(http, "&$select=customInfo,tags", IDS[1:2])
    assert [(one["tags"][0]["value"], one["customInfo"][0]["value"]) for one in texts_only] == [("grün", '{"a": 1}')]
    assert "metrics" not in texts_only[0]
    assert [set(one) for one in _get(http, "&$select=tags")] == [
        {"executionId", "createdAt", "modifiedAt", "tags"}
    ] * len(numbers)


def test_a_short_answer_is_an_ordinary_one(server: Server, http: httpx.Client, group: str) -> None:
    _insert(server, group, [PIECE - 1, PIECE + 1])
    short, long = (http.get(f"{PATH}?executionIds={execution_id}") for execution_id in IDS[:2])
    assert int(short.headers["content-length"]) == len(short.content)
    assert "content-length" not in long.headers


def test_labels_may_be_long(server: Server, http: httpx.Client, group: str) -> None:
    labels = [{"name": f"{number:0>256}", "value": "ä" * 256} for number in range(20)]
    _insert(server, group, [300], labels)
    (resource,) = _get(http)
    assert len(resource["metrics"]) == 300
    assert all(metric["labels"] == labels for metric in resource["metrics"])


def test_memory_does_not_grow_with_the_answer(server: Server, http: httpx.Client, group: str) -> None:
    _insert(server, group, [40 * PIECE])
    tracemalloc.start()
    try:
        with http.stream("GET", f"{PATH}?executionIds={IDS[0]}") as answer:
            read = sum(len(part) for part in answer.iter_raw(65_536))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert read > 40 * PIECE * 100
    assert peak < read * 0.7, f"{peak:,} bytes to send {read:,}"


def test_what_is_forgotten_meanwhile_ends(
    server: Server, http: httpx.Client, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _insert(server, group, [3 * PIECE, 1])
    real, calls = tracked.metrics, 0

    def forgetting(*arguments: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 4:
            with server.http(group) as other:
                other.delete(f"{PATH}?executionId={IDS[0]}").raise_for_status()
        return real(*arguments, **more)

    monkeypatch.setattr(tracked, "metrics", forgetting)
    first, second = _get(http)
    assert PIECE <= len(first["metrics"]) < 3 * PIECE
    assert first["metrics"] == _expected(3 * PIECE)[: len(first["metrics"])]
    assert second["metrics"] == _expected(1)


def test_what_fails_at_once_is_answered_and_what_fails_later_cuts_the_connection(
    server: Server, http: httpx.Client, group: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _insert(server, group, [3 * PIECE])
    real, calls, first_to_fail = tracked.metrics, 0, math.inf

    def failing(*arguments: Any, **more: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls >= first_to_fail:
            raise LookupError("the store is broken")
        return real(*arguments, **more)

    monkeypatch.setattr(tracked, "metrics", failing)
    _get(http)
    last, calls, first_to_fail = calls, 0, 1
    answer = http.get(f"{PATH}?executionIds={IDS[0]}")
    assert (answer.status_code, answer.json()["error"]["requestId"]) == (500, answer.headers["x-request-id"])
    calls, first_to_fail = 0, last
    with pytest.raises(httpx.RemoteProtocolError):
        http.get(f"{PATH}?executionIds={IDS[0]}")
