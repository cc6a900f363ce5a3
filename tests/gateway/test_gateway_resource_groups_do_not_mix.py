"""A deployment exists for callers of its own resource group only."""

import httpx
import pytest

from tests.gateway.world import World


@pytest.mark.parametrize(
    ("deployment", "group", "status"),
    [
        ("ddefault", None, 200),
        ("ddefault", "default", 200),
        ("ddefault", "", 200),
        ("ddefault", "team-a", 404),
        ("ddefault", "Default", 404),
        ("ddefault", "default,team-a", 404),
        ("dteam", "team-a", 200),
        ("dteam", None, 404),
        ("dteam", "default", 404),
        ("dteam", "team", 404),
        ("dteam", "team-a2", 404),
        ("dteam", "TEAM-A", 404),
    ],
)
@pytest.mark.parametrize("rest", ["", "/", "/v2/predict/"])
def test_the_header_decides(shared: World, deployment: str, group: str | None, status: int, rest: str) -> None:
    headers = {} if group is None else {"AI-Resource-Group": group}
    answer = shared.ask(f"/v2/inference/deployments/{deployment}{rest}", headers=headers)
    assert answer.status_code == status


@pytest.mark.parametrize("name", ["AI-Resource-Group", "ai-resource-group", "AI-RESOURCE-GROUP"])
def test_the_name_of_the_header_has_no_case(shared: World, name: str) -> None:
    assert shared.ask("/v2/inference/deployments/dteam/x", headers={name: "team-a"}).status_code == 200


@pytest.mark.parametrize(("first", "second"), [("team-a", "default"), ("default", "team-a"), ("other", "team-a")])
def test_of_two_groups_only_the_first_counts(shared: World, first: str, second: str) -> None:
    headers = [("AI-Resource-Group", first), ("ai-resource-group", second), *shared.signer.headers().items()]
    for deployment, group in (("dteam", "team-a"), ("ddefault", "default")):
        answer = httpx.get(shared.inference(deployment, "x"), headers=headers, trust_env=False)
        assert answer.status_code == (200 if first == group else 404)
        if answer.status_code == 200:
            assert [value for name, value in answer.json()["headers"] if name == "ai-resource-group"] == [first]


@pytest.mark.parametrize("group", [None, "default", "team-a", "other"])
def test_models_by_name_do_not_ask_for_a_group(shared: World, group: str | None) -> None:
    headers = {} if group is None else {"AI-Resource-Group": group}
    assert shared.ask("/models/iris/x", headers=headers).json()["name"] == "two"
