"""GitHub and GitLab tell of a push: what reads from that repository is synced, once, and nobody else can ask for it."""

import hashlib
import hmac
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest

from mooring.services.applications import PUSH_PAUSE
from mooring.store.tables import Application
from mooring.store.types import utc_now
from tests.api.api_server import GIT_WEBHOOK_SECRET, Server

HOOK = "/webhooks/git"
NewApplication = Callable[[str], str]


@pytest.fixture
def stranger(server: Server) -> Iterator[httpx.Client]:
    with server.http(token=False) as client:
        yield client


@pytest.fixture
def name() -> str:
    return f"t{uuid.uuid4().hex[:12]}"


@pytest.fixture
def new_application(http: httpx.Client, server: Server) -> NewApplication:
    """Of a repository at this url, synced a minute ago."""

    def make(url: str) -> str:
        name = f"a{uuid.uuid4().hex[:12]}"
        repository = {"url": url, "username": "u", "password": "p", "name": name}
        assert http.post("/v2/admin/repositories", json=repository).status_code == 200
        application = {"repositoryUrl": url, "revision": "main", "path": ".", "applicationName": name}
        assert http.post("/v2/admin/applications", json=application).status_code == 200
        _pretend_sync(server, name)
        return name

    return make


def _pretend_sync(server: Server, name: str, *, asked: timedelta = timedelta(minutes=2)) -> None:
    with server.database.transaction() as session:
        row = session.get_one(Application, name)
        row.refresh_requested_at, row.sync_started_at = utc_now() - asked, utc_now() - asked / 2
        row.sync_status = "Synced"


def _is_asked_for(server: Server, name: str) -> bool:
    with server.database.reading() as session:
        row = session.get_one(Application, name)
        assert row.refresh_requested_at
        assert row.sync_started_at
        assert (row.sync_status == "OutOfSync") is (row.refresh_requested_at > row.sync_started_at)
        return row.sync_status == "OutOfSync"


def _from_github(body: bytes, secret: str = GIT_WEBHOOK_SECRET, event: str = "push") -> dict[str, str]:
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {"X-GitHub-Event": event, "X-Hub-Signature-256": f"sha256={signature}", "Content-Type": "application/json"}


def _from_gitlab(token: str = GIT_WEBHOOK_SECRET) -> dict[str, str]:
    return {"X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": token, "Content-Type": "application/json"}


def _github(place: str) -> bytes:
    host, _, path = place.partition("/")
    urls = {
        "html_url": f"https://{place}",
        "clone_url": f"https://{place}.git",
        "git_url": f"git://{place}.git",
        "ssh_url": f"git@{host}:{path}.git",
    }
    return json.dumps({"ref": "refs/heads/main", "repository": urls, "commits": []}).encode()


def _gitlab(place: str) -> bytes:
    host, _, path = place.partition("/")
    urls = {"web_url": f"https://{place}", "git_http_url": f"https://{place}.git", "git_ssh_url": f"git@{host}:{path}"}
    return json.dumps({"object_kind": "push", "project": urls, "repository": {"homepage": f"https://{place}"}}).encode()


SPELLINGS = (
    "https://git.example/Org/{}.git",
    "https://git.example/org/{}/",
    "https://git.example:8443/org/{}",
    "ssh://git@git.example:2222/org/{}.git",
    "git@git.example:org/{}.git",
)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_what_reads_from_the_pushed_repository_is_synced_and_nothing_else(
    server: Server, stranger: httpx.Client, new_application: NewApplication, name: str, spelling: str
) -> None:
    mine, other = new_application(spelling.format(name)), new_application(spelling.format(f"{name}2"))
    bodies = (_github(f"git.example/org/{name}"), _gitlab(f"git.example/org/{name}"))
    for body, headers in zip(bodies, (_from_github(bodies[0]), _from_gitlab()), strict=True):
        _pretend_sync(server, mine)
        wakes = len(server.wakes)
        answer = stranger.post(HOOK, content=body, headers=headers)
        assert (answer.status_code, answer.content) == (204, b"")
        assert (_is_asked_for(server, mine), _is_asked_for(server, other)) == (True, False)
        assert len(server.wakes) > wakes


def test_the_older_form_of_github(
    server: Server, stranger: httpx.Client, new_application: NewApplication, name: str
) -> None:
    mine = new_application(f"https://git.example/org/{name}")
    body = urlencode({"payload": _github(f"git.example/org/{name}").decode()}).encode()
    headers = _from_github(body) | {"Content-Type": "application/x-www-form-urlencoded"}
    assert stranger.post(HOOK, content=body, headers=headers).status_code == 204
    assert _is_asked_for(server, mine)


def test_who_does_not_know_the_secret_asks_for_nothing(
    server: Server, stranger: httpx.Client, new_application: NewApplication, name: str
) -> None:
    mine = new_application(f"https://git.example/org/{name}")
    body = _github(f"git.example/org/{name}")
    right = _from_github(body)["X-Hub-Signature-256"]
    wrong: Sequence[dict[str, Any]] = [
        {},
        {**_from_github(body, "another secret")},
        {**_from_github(b"another body")},
        {"X-Hub-Signature-256": right.removeprefix("sha256=")},
        {"X-Hub-Signature-256": right.upper()},
        {"X-Hub-Signature-256": ""},
        {"X-Hub-Signature-256": "sha256=ü".encode()},
        {"X-Hub-Signature": right},
        {**_from_gitlab("another secret")},
        {**_from_gitlab("")},
        {"X-Gitlab-Token": "ü".encode()},
        {"X-Gitlab-Token": right},
        {**_from_gitlab(), "X-Hub-Signature-256": "sha256=0"},
    ]
    for headers in wrong:
        answer = stranger.post(HOOK, content=body, headers=headers)
        assert answer.status_code == 401, headers
        assert GIT_WEBHOOK_SECRET not in answer.text
    assert not _is_asked_for(server, mine)


def test_the_signature_is_checked_before_anything_is_read(stranger: httpx.Client) -> None:
    for body in (b"", b"{", b"[" * 60_000):
        assert stranger.post(HOOK, content=body, headers=_from_gitlab("wrong")).status_code == 401
    assert stranger.post(HOOK, content=b"x" * 70_000, headers=_from_gitlab()).status_code == 413


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"1", b"\xff", b"[" * 60_000, b"payload=", b"payload=%7B"])
def test_a_signed_body_that_is_none_is_told(stranger: httpx.Client, body: bytes) -> None:
    answer = stranger.post(HOOK, content=body, headers=_from_github(body))
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"repository": None},
        {"repository": "https://git.example/x"},
        {"repository": {"clone_url": 1, "ssh_url": [], "html_url": {}, "git_url": None}},
        {"project": {"web_url": "\x00", "git_http_url": "ext::sh -c id", "git_ssh_url": "\ud800"}},
        {"repository": {"clone_url": "https://git.example/" + "x" * 50_000}},
        {"repository": {"clone_url": "https://git.example/' OR 1=1 --"}},
        {"zen": "x", "repository": {"clone_url": "https://git.example/nobody/reads"}},
    ],
)
def test_whatever_repository_it_names_nothing_breaks(
    stranger: httpx.Client, server: Server, payload: Any, new_application: NewApplication, name: str
) -> None:
    mine = new_application(f"https://git.example/org/{name}")
    body = json.dumps(payload).encode()
    assert stranger.post(HOOK, content=body, headers=_from_github(body)).status_code == 204
    assert not _is_asked_for(server, mine)


@pytest.mark.parametrize("event", ["ping", "issues"])
def test_other_events_are_taken_and_change_nothing(
    server: Server, stranger: httpx.Client, new_application: NewApplication, name: str, event: str
) -> None:
    mine = new_application(f"https://git.example/org/{name}")
    body = _github(f"git.example/org/{name}")
    assert stranger.post(HOOK, content=body, headers=_from_github(body, event=event)).status_code == 204
    assert not _is_asked_for(server, mine)


def test_pushes_told_of_again_and_again_are_synced_every_two_seconds_at_most(
    server: Server, stranger: httpx.Client, new_application: NewApplication, name: str
) -> None:
    mine = new_application(f"https://git.example/org/{name}")
    body = _github(f"git.example/org/{name}")

    def push(_: int = 0) -> int:
        return stranger.post(HOOK, content=body, headers=_from_github(body)).status_code

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(push, range(8))) == {204}
    first = _asked_at(server, mine)
    with server.database.transaction() as session:
        session.get_one(Application, mine).sync_started_at = first + timedelta(microseconds=1)
        session.get_one(Application, mine).sync_status = "Synced"
    for _ in range(3):
        assert push() == 204
    second = _asked_at(server, mine)
    assert second - first >= PUSH_PAUSE
    assert second <= utc_now() + PUSH_PAUSE
    assert _is_asked_for(server, mine)


def _asked_at(server: Server, name: str) -> Any:
    with server.database.reading() as session:
        return session.get_one(Application, name).refresh_requested_at
