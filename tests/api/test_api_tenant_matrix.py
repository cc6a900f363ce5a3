"""Tenant × object × verb: who gets what from whom, as a table."""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum, auto

import httpx
import pytest

from mooring.domain.roles import ALL_GROUPS, Role
from tests.api.api_server import Server, new_deployment, new_execution, new_workflow_configuration
from tests.api.tenant_objects import KINDS, Kind, Verb

OURS, OTHERS = "matrix-ours", "matrix-others"


class Sees(Enum):
    """What there is for a caller."""

    IT = auto()
    ANOTHER_GROUP = auto()
    NO_GROUP = auto()
    """The group of the header does not exist for him."""
    NOTHING = auto()


@dataclass(frozen=True)
class Caller:
    """Who asks: his role, which groups he is bound to, and which one he names in the header."""

    role: Role | None
    bound_to: tuple[str, ...]
    names: str
    sees: Sees


CALLERS = {
    "own admin": Caller(Role.ADMIN, (OURS,), OURS, Sees.IT),
    "own editor": Caller(Role.EDITOR, (OURS,), OURS, Sees.IT),
    "own viewer": Caller(Role.VIEWER, (OURS,), OURS, Sees.IT),
    "admin of both": Caller(Role.ADMIN, (OTHERS, OURS), OURS, Sees.IT),
    "unbound admin": Caller(Role.ADMIN, (ALL_GROUPS,), OURS, Sees.IT),
    "unbound viewer": Caller(Role.VIEWER, (ALL_GROUPS,), OURS, Sees.IT),
    "unbound admin in the other group": Caller(Role.ADMIN, (ALL_GROUPS,), OTHERS, Sees.ANOTHER_GROUP),
    "other group's admin": Caller(Role.ADMIN, (OTHERS,), OTHERS, Sees.ANOTHER_GROUP),
    "other group's viewer": Caller(Role.VIEWER, (OTHERS,), OTHERS, Sees.ANOTHER_GROUP),
    "other group's admin who names ours": Caller(Role.ADMIN, (OTHERS,), OURS, Sees.NO_GROUP),
    "other group's viewer who names ours": Caller(Role.VIEWER, (OTHERS,), OURS, Sees.NO_GROUP),
    "admin of nothing": Caller(Role.ADMIN, (), OURS, Sees.NO_GROUP),
    "nobody": Caller(None, (), OURS, Sees.NOTHING),
}


def expected(caller: Caller, verb: Verb) -> int:
    """The status: first the token, then the role, then the group, then the object."""
    if caller.role is None:
        return 401
    if not caller.role.includes(verb.role):
        return 403
    return {Sees.IT: verb.own, Sees.ANOTHER_GROUP: verb.foreign, Sees.NO_GROUP: 400}[caller.sees]


@pytest.fixture(scope="module")
def callers(server: Server) -> Iterator[Mapping[str, httpx.Client]]:
    with server.http() as operator, ExitStack() as stack:
        for group in (OURS, OTHERS):
            operator.post("/v2/admin/resourceGroups", json={"resourceGroupId": group}).raise_for_status()
        yield {
            name: stack.enter_context(
                server.http(caller.names, token=False)
                if caller.role is None
                else server.http_as(caller.role, caller.bound_to, group=caller.names)
            )
            for name, caller in CALLERS.items()
        }


@pytest.mark.parametrize("name", CALLERS)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_the_matrix(server: Server, callers: Mapping[str, httpx.Client], kind: Kind, name: str) -> None:
    caller, http = CALLERS[name], callers[name]
    object_id = kind.make(server, callers["own admin"])
    got = {verb.name: _ask(http, verb, object_id) for verb in kind.verbs}
    assert {verb: answer.status_code for verb, answer in got.items()} == {
        verb.name: expected(caller, verb) for verb in kind.verbs
    }
    for verb in kind.verbs:
        if verb.shows and got[verb.name].status_code == 200:
            assert (object_id in got[verb.name].text) is (caller.sees is Sees.IT), verb
        if verb.name == "count" and got["count"].status_code == 200:
            assert (int(got["count"].text) > 0) is (caller.sees is Sees.IT)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_another_groups_is_answered_in_the_words_for_what_never_was(
    server: Server, callers: Mapping[str, httpx.Client], kind: Kind
) -> None:
    there = kind.make(server, callers["own admin"])
    nowhere = "0" * len(there)
    for verb in kind.verbs:
        if verb.foreign >= 400:
            others, never = (_ask(callers["other group's admin"], verb, each) for each in (there, nowhere))
            if "metrics" not in verb.path:  # what is tracked need not be an execution of ours: nothing has to be there
                assert others.status_code == never.status_code == verb.foreign, verb
                assert _words(others, there) == _words(never, nowhere), verb


@pytest.mark.parametrize("kind", ["deployments", "executions"])
def test_many_at_once(server: Server, callers: Mapping[str, httpx.Client], kind: str) -> None:
    own = callers["own admin"]
    theirs = callers["other group's admin"]
    object_id, foreign_id = (
        new_deployment(http) if kind == "deployments" else new_execution(http, new_workflow_configuration(http, server))
        for http in (own, theirs)
    )
    body = {kind: [{"id": each, "targetStatus": "STOPPED"} for each in (object_id, foreign_id)]}
    answer = own.patch(f"/v2/lm/{kind}", json=body)
    assert answer.status_code == 202
    (mine, another) = answer.json()[kind]
    assert mine.get("error", {}).get("code") in (None, "01010076")
    assert another["error"]["code"] == "01000404"
    assert callers["own viewer"].patch(f"/v2/lm/{kind}", json=body).status_code == 403
    assert theirs.get(f"/v2/lm/{kind}/{foreign_id}").json()["status"] == "UNKNOWN"


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        (
            "POST",
            "/v2/admin/repositories",
            {"name": "r", "url": "https://git.test/r", "username": "u", "password": "p"},
        ),
        ("POST", "/v2/admin/applications", {"repositoryUrl": "https://git.test/r", "revision": "HEAD", "path": "."}),
        ("POST", "/v2/admin/dockerRegistrySecrets", {"name": "d", "data": {".dockerconfigjson": "{}"}}),
        ("DELETE", "/v2/admin/repositories/r", None),
        ("DELETE", "/v2/admin/applications/app", None),
        ("DELETE", "/v2/admin/dockerRegistrySecrets/d1", None),
        ("DELETE", f"/v2/admin/resourceGroups/{OURS}", None),
        ("POST", "/v2/admin/resourceGroups", {"resourceGroupId": "matrix-new"}),
    ],
    ids=str,
)
def test_what_belongs_to_all_is_changed_by_unbound_admins_only(
    callers: Mapping[str, httpx.Client], method: str, path: str, body: dict[str, object] | None
) -> None:
    for name in ("own admin", "admin of both", "admin of nothing", "own editor", "unbound viewer"):
        assert callers[name].request(method, path, json=body).status_code == 403, name
    assert callers["nobody"].request(method, path, json=body).status_code == 401


def test_resource_groups_show_themselves_to_their_own(callers: Mapping[str, httpx.Client]) -> None:
    path = "/v2/admin/resourceGroups"
    seen = {
        name: {row["resourceGroupId"] for row in callers[name].get(path).json()["resources"]} & {OURS, OTHERS}
        for name in CALLERS
        if name != "nobody"
    }
    assert seen["own admin"] == seen["own viewer"] == {OURS}
    assert seen["other group's admin who names ours"] == {OTHERS}
    assert seen["unbound viewer"] == seen["admin of both"] == {OURS, OTHERS}
    assert seen["admin of nothing"] == set()
    for name, status in (("own viewer", 200), ("other group's admin", 404), ("admin of nothing", 404)):
        assert callers[name].get(f"{path}/{OURS}").status_code == status, name
    assert callers["other group's admin"].patch(f"{path}/{OURS}", json={"labels": []}).status_code == 404
    assert callers["own editor"].patch(f"{path}/{OURS}", json={"labels": []}).status_code == 403


def _ask(http: httpx.Client, verb: Verb, object_id: str) -> httpx.Response:
    body = None if verb.body is None else json.loads(json.dumps(verb.body).replace("{id}", object_id))
    return http.request(verb.method, verb.path.replace("{id}", object_id), json=body)


def _words(answer: httpx.Response, object_id: str) -> str:
    return str(answer.json()["error"]["message"]).replace(object_id, "ID")
