"""A token is worth what its client may do now: rights that were taken away are gone within two seconds."""

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import event

from mooring.api.app import create_app
from mooring.api.authorisation import role_needed
from mooring.api.standings import Standings
from mooring.api.tokens import Principal
from mooring.domain.roles import Role
from mooring.errors import Unauthorized
from mooring.services import clients
from mooring.services.clients import NewClient
from mooring.store.types import utc_now
from tests.api.api_server import Server

PROMISED_SECONDS = 2.0
GET, POST = "/v2/lm/deployments", "/v2/lm/configurations"


@pytest.fixture
def made(server: Server) -> NewClient:
    with server.database.transaction() as session:
        return clients.create(session)


def _token(server: Server, client: NewClient) -> httpx.Response:
    form = {"grant_type": "client_credentials", "client_id": client.id, "client_secret": client.secret}
    return httpx.post(f"{server.url}/oauth/token", data=form)


@pytest.fixture
def http(server: Server, made: NewClient, group: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {_token(server, made).json()['access_token']}", "AI-Resource-Group": group}
    with httpx.Client(base_url=server.url, headers=headers, timeout=30) as client:
        assert client.get(GET).status_code == 200
        yield client


def _becomes(status: int, ask: Callable[[], httpx.Response]) -> httpx.Response:
    """The first answer with this status, which has to come in the promised time."""
    deadline = time.monotonic() + PROMISED_SECONDS
    while (answer := ask()).status_code != status:
        assert time.monotonic() < deadline, answer.text
    return answer


def test_a_deleted_client_is_refused(server: Server, http: httpx.Client, made: NewClient) -> None:
    with server.database.transaction() as session:
        clients.remove(session, made.id)
    refused = _becomes(401, lambda: http.get(GET))
    assert "does not exist any more" in refused.json()["error"]["message"]
    assert refused.headers["www-authenticate"] == "Bearer"
    assert _token(server, made).status_code == 401


def test_a_client_that_never_was_is_refused(server: Server) -> None:
    token = server.context.tokens.issue("never-was").value
    assert httpx.get(server.url + GET, headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_lower_role_counts_at_once_and_a_higher_one_with_the_next_token(
    server: Server, http: httpx.Client, made: NewClient
) -> None:
    with server.database.transaction() as session:
        clients.change(session, made.id, role=Role.VIEWER)
    _becomes(403, lambda: http.post(POST, json={}))
    assert http.get(GET).status_code == 200
    low = _token(server, made).json()["access_token"]
    with server.database.transaction() as session:
        clients.change(session, made.id, role=Role.ADMIN)
    _becomes(400, lambda: http.post(POST, json={}))
    headers = {"Authorization": f"Bearer {low}"}
    assert http.post(POST, json={}, headers=headers).status_code == 403


def test_a_group_that_is_taken_away_is_gone(server: Server, http: httpx.Client, made: NewClient, group: str) -> None:
    with server.database.transaction() as session:
        clients.change(session, made.id, groups=["default"], keep_tokens=True)
    _becomes(400, lambda: http.get(GET))
    assert http.get(GET, headers={"AI-Resource-Group": "default"}).status_code == 200
    with server.database.transaction() as session:
        clients.change(session, made.id, groups=[group])
    refused = _becomes(401, lambda: http.get(GET, headers={"AI-Resource-Group": "default"}))
    assert "get a new token" in refused.json()["error"]["message"]


def test_a_rotation_takes_old_tokens_back_and_new_ones_work_at_once(
    server: Server, http: httpx.Client, made: NewClient
) -> None:
    with server.database.transaction() as session:
        renewed = clients.rotate(session, made.id)
    fresh = _token(server, renewed).json()["access_token"]
    for _ in range(3):
        assert httpx.get(server.url + GET, headers={"Authorization": f"Bearer {fresh}"}).status_code == 200
    _becomes(401, lambda: http.get(GET))
    assert _token(server, made).status_code == 401


def test_with_a_grace_nothing_breaks_until_it_is_over(server: Server, http: httpx.Client, made: NewClient) -> None:
    with server.database.transaction() as session:
        renewed = clients.rotate(session, made.id, grace=timedelta(hours=1))
    assert [_token(server, each).status_code for each in (made, renewed)] == [200, 200]
    with server.database.transaction() as session:
        clients.get(session, made.id).previous_secret_until = utc_now()
    assert [_token(server, each).status_code for each in (made, renewed)] == [401, 200]
    assert http.get(GET).status_code == 200


def test_a_client_that_is_made_again_gets_in_and_its_former_tokens_do_not(
    server: Server, http: httpx.Client, made: NewClient
) -> None:
    with server.database.transaction() as session:
        clients.remove(session, made.id)
    _becomes(401, lambda: http.get(GET))
    with server.database.transaction() as session:
        again = clients.create(session, made.id, role=Role.VIEWER)
    fresh = _token(server, again).json()["access_token"]
    assert httpx.get(server.url + GET, headers={"Authorization": f"Bearer {fresh}"}).status_code == 200
    assert http.get(GET).status_code == 401


def test_at_rest_the_store_is_asked_once_a_second(server: Server, made: NewClient) -> None:
    """However many requests come."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    async def ask_often() -> float:
        standings, caller = Standings(server.database), Principal(made.id, issued_at=int(time.time()) - 60)
        started = time.monotonic()
        await asyncio.gather(*(standings.narrow(caller) for _ in range(1000)))
        for _ in range(1000):
            await standings.narrow(caller)
        return time.monotonic() - started

    engine = server.database.engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        seconds = asyncio.run(ask_often())
    finally:
        event.remove(engine, "before_cursor_execute", note)
    about_it = [statement for statement in asked if "FROM clients" in statement]
    assert 1 <= len(about_it) <= 1 + seconds


def test_what_is_remembered_is_bounded(server: Server) -> None:
    async def ask_for_many() -> int:
        standings = Standings(server.database)
        for number in range(1010):
            with pytest.raises(Unauthorized):
                await standings.narrow(Principal(f"nobody-{number}"))
        return len(standings._looks)

    assert asyncio.run(ask_for_many()) == 1000


def test_a_refusal_names_the_role_needed_and_the_role_held_and_reads_no_body(server: Server) -> None:
    with server.http_as(Role.VIEWER) as viewer, server.http_as(Role.EDITOR) as editor:
        # Longer than any body may be: whoever reads it answers 413.
        refused = viewer.post(POST, content=b"x" * (server.context.max_request_bytes + 1))
        tenant = editor.post("/v2/admin/resourceGroups", json={"resourceGroupId": "mine"})
    for answer, needed, held in ((refused, "editor", "viewer"), (tenant, "admin", "editor")):
        error = answer.json()["error"]
        assert (answer.status_code, error["code"]) == (403, "01000403")
        assert f"role {needed}" in error["message"]
        assert f"role {held}" in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/v2/lm/deployments", Role.VIEWER),
        ("HEAD", "/v2/admin/secrets", Role.VIEWER),
        ("get", "/v2/lm/deployments", Role.EDITOR),
        ("POST", "/v2/lm/deployments", Role.EDITOR),
        ("BREW", "/v2/lm", Role.EDITOR),
        ("POST", "/v2/lmx", Role.ADMIN),
        ("POST", "/v2//lm/x", Role.ADMIN),
        ("DELETE", "/v2/admin/applications/a", Role.ADMIN),
        ("PUT", "/destination-configuration/v1/subaccountDestinations", Role.DESTINATIONS),
        ("GET", "/destination-configuration/v1/subaccountDestinations", Role.DESTINATIONS),
        ("GET", "/destination-configurations", Role.VIEWER),
        ("POST", "/nowhere", Role.ADMIN),
    ],
)
def test_the_table_of_roles(method: str, path: str, role: Role) -> None:
    assert role_needed(method, path) is role


def test_every_route_that_changes_something_is_closed_to_viewers(server: Server) -> None:
    closed = 0
    with server.http_as(Role.VIEWER) as viewer:
        for path, operations in create_app(server.context).openapi()["paths"].items():
            for method in set(operations) - {"get", "head"}:
                if path.startswith("/v2/"):
                    answer = viewer.request(method.upper(), path.replace("{", "").replace("}", ""), content=b"{}")
                    assert answer.status_code == 403, (method, path)
                    closed += 1
    assert closed >= 8
