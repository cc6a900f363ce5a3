"""An application is refreshed, and its templates are there before anything is planned."""

from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from mooring.client.client import AIClient
from mooring.client.errors import NotFound
from mooring.client.logs import LogLine
from mooring.http_session import Repeats
from mooring.pipeline.patience import Patience
from mooring.pipeline.sync import NotSynced, sync

OLD = {"syncStatus": "Synced", "syncFinishedAt": "2025-01-02T03:04:05Z"}
LATER = "2025-01-02T03:05:00Z"
BROKEN = {"name": "serve.yaml", "kind": "ServingTemplate", "status": "OutOfSync", "message": "no image"}


class Quiet:
    """A listener that notes what was done."""

    def __init__(self) -> None:
        self.done: list[str] = []

    def did(self, text: str) -> None:
        self.done.append(text)

    def moved(self, name: str, status: str, message: str) -> None:
        raise AssertionError((name, status, message))

    def logged(self, name: str, line: LogLine) -> None:
        raise AssertionError((name, line))

    def trouble(self, text: str) -> None:
        raise AssertionError(text)


def client(*statuses: Mapping[str, Any] | None) -> AIClient:
    """Of a server whose application says this, one after the other, the last for ever."""
    left = list(statuses)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 43199})
        if request.method == "POST":
            return httpx.Response(202, json={"id": "taxi", "message": "refreshed"})
        status = left.pop(0) if len(left) > 1 else left[0]
        return httpx.Response(200, json=status) if status else httpx.Response(404, json={})

    transport = httpx.MockTransport(answer)
    return AIClient("http://x/v2", "http://x/oauth/token", "i", "s", transport=transport, repeats=Repeats(count=0))


@pytest.mark.parametrize("moment", ["syncFinishedAt", "reconciledAt"])
def test_what_was_synced_before_the_refresh_does_not_count(moment: str) -> None:
    heard = Quiet()
    with client(OLD, OLD, {**OLD, "syncStatus": "OutOfSync"}, {**OLD, moment: LATER}) as api:
        sync("taxi", api, heard, Patience(), seconds=10, quiet_seconds=10)
    assert heard.done == ["application taxi is synced"]


def test_a_server_that_says_no_more_is_believed_after_a_while() -> None:
    with client(OLD) as api:
        sync("taxi", api, Quiet(), Patience(), seconds=10, quiet_seconds=0.1)


def test_a_broken_template_is_told_at_once() -> None:
    broken = {"syncStatus": "OutOfSync", "syncFinishedAt": LATER, "syncResourcesStatus": [BROKEN]}
    with client(OLD, broken) as api, pytest.raises(NotSynced, match=r"serve\.yaml: no image"):
        sync("taxi", api, Quiet(), Patience(), seconds=600)


def test_a_sync_that_does_not_end_is_told() -> None:
    away = client({"syncStatus": "OutOfSync", "message": "the host is away"})
    with away as api, pytest.raises(NotSynced, match="the host is away"):
        sync("taxi", api, Quiet(), Patience(), seconds=0.5)


def test_an_application_that_is_not_there_is_told() -> None:
    with client(None) as api, pytest.raises(NotFound):
        sync("taxi", api, Quiet(), Patience())
