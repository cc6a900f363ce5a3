"""Tracking a thousand metrics is one insert, and reading them is a query per piece."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
from sqlalchemy import event

from mooring.api.long_lists import PIECE
from tests.api.api_server import Server

PATH = "/v2/lm/metrics"
EXECUTIONS = [f"e00000000000000{number}" for number in range(10)]


@contextmanager
def _statements(server: Server) -> Iterator[list[tuple[str, bool]]]:
    """What is executed meanwhile: the statement, and whether it is for many rows at once."""
    seen: list[tuple[str, bool]] = []

    def note(_connection: object, _cursor: object, text: str, _values: object, _context: object, many: bool) -> None:
        seen.append((text, many))

    event.listen(server.database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(server.database.engine, "before_cursor_execute", note)


def _metrics(number: int) -> list[dict[str, object]]:
    label = {"name": "unit", "value": "s"}
    return [{"name": f"m{index % 10}", "value": index, "step": index, "labels": [label]} for index in range(number)]


def test_ten_executions_with_ten_thousand_metrics(server: Server, http: httpx.Client) -> None:
    for execution_id in EXECUTIONS:
        tags = [{"name": "id", "value": execution_id}]
        with _statements(server) as seen:
            answer = http.patch(PATH, json={"executionId": execution_id, "metrics": _metrics(1000), "tags": tags})
        assert answer.status_code == 204
        inserts = [many for text, many in seen if text.startswith("INSERT INTO metrics ")]
        assert inserts == [True]
        assert len(seen) < 15, seen
    with _statements(server) as seen:
        found = http.get(f"{PATH}?executionIds={','.join(EXECUTIONS)}").json()["resources"]
    pieces = len(EXECUTIONS) * (1000 // PIECE + 1)
    assert len([text for text, _ in seen if "FROM metrics" in text]) <= pieces + 1, seen
    assert len([text for text, _ in seen if "FROM metric_texts" in text]) == len(EXECUTIONS)
    assert len([text for text, _ in seen if "FROM metric_resources" in text]) == 1
    assert [resource["executionId"] for resource in found] == EXECUTIONS[::-1]
    for resource in found:
        assert [metric["step"] for metric in resource["metrics"]] == list(range(1000))
        assert resource["tags"] == [{"name": "id", "value": resource["executionId"]}]


def test_what_was_not_asked_for_is_not_read(server: Server, http: httpx.Client) -> None:
    http.patch(PATH, json={"executionId": EXECUTIONS[0], "metrics": _metrics(10)})
    with _statements(server) as seen:
        http.get(f"{PATH}?executionIds={EXECUTIONS[0]}&$select=tags").raise_for_status()
    assert not [text for text, _ in seen if "FROM metrics" in text]


def test_many_at_once_add_to_one_execution(server: Server, http: httpx.Client, group: str) -> None:
    """Each adds its own metrics and tag, and all want to be the first; none is lost."""

    def track(number: int) -> int:
        tags = [{"name": f"t{number}", "value": "v"}, {"name": "last", "value": str(number)}]
        info = [{"name": "info", "value": "x" * (1000 + number)}]
        metrics = [{"name": "m", "value": number}] * 10
        body = {"executionId": EXECUTIONS[0], "metrics": metrics, "tags": tags, "customInfo": info}
        with server.http(group) as client:
            return client.patch(PATH, json=body).status_code

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(track, range(24))) == {204}
    (resource,) = http.get(f"{PATH}?executionIds={EXECUTIONS[0]}").json()["resources"]
    assert len(resource["metrics"]) == 240
    assert {tag["name"] for tag in resource["tags"]} == {"last", *(f"t{number}" for number in range(24))}
    assert len(resource["customInfo"]) == 1
