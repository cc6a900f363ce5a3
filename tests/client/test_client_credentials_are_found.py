"""Where credentials are looked for, and which of them win."""

import json
from pathlib import Path

import pytest

from mooring.client.credentials import find

KEY = {"clientid": "of-key", "clientsecret": "hunter2", "url": "http://a", "serviceurls": {"AI_API_URL": "http://b"}}
VARIABLES = {
    "AICORE_BASE_URL": "http://b",
    "AICORE_AUTH_URL": "http://a",
    "AICORE_CLIENT_ID": "of-env",
    "AICORE_CLIENT_SECRET": "hunter2",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As the SDK keeps its profiles."""
    (tmp_path / "config.json").write_text(json.dumps({**VARIABLES, "AICORE_CLIENT_ID": "of-default"}))
    team = {**VARIABLES, "AICORE_CLIENT_ID": "of-team", "AICORE_RESOURCE_GROUP": "team-a"}
    (tmp_path / "config_team.json").write_text(json.dumps(team))
    (tmp_path / "key.json").write_text(json.dumps(KEY))
    return tmp_path


ENVIRONMENTS: dict[str, tuple[dict[str, str], str]] = {
    "variables": (VARIABLES, "of-env"),
    "variables before a key": ({**VARIABLES, "AICORE_SERVICE_KEY": json.dumps(KEY)}, "of-env"),
    "key in a variable": ({"AICORE_SERVICE_KEY": json.dumps(KEY)}, "of-key"),
    "profile in a variable": ({"AICORE_PROFILE": "team"}, "of-team"),
    "default profile by name": ({"AICORE_PROFILE": "default"}, "of-default"),
    "nothing": ({}, "of-default"),
}


@pytest.mark.parametrize("case", ENVIRONMENTS)
def test_the_first_place_that_has_them_wins(folder: Path, case: str) -> None:
    env, client = ENVIRONMENTS[case]
    found = find(env={"AICORE_HOME": str(folder), **env})
    assert found
    assert (found.client_id, found.base_url, found.auth_url) == (client, "http://b/v2", "http://a/oauth/token")


def test_what_is_asked_for_wins(folder: Path) -> None:
    env = {**VARIABLES, "AICORE_HOME": str(folder)}
    by_key = find(service_key=folder / "key.json", env=env)
    by_profile = find(profile="team", env=env)
    assert by_key
    assert by_profile
    assert (by_key.client_id, by_profile.client_id, by_profile.resource_group) == ("of-key", "of-team", "team-a")


def test_a_config_file_may_lie_anywhere(folder: Path) -> None:
    found = find(env={"AICORE_CONFIG": str(folder / "config_team.json"), "AICORE_HOME": "/nothing"})
    assert found
    assert found.client_id == "of-team"


def test_the_resource_group_of_the_environment_wins(folder: Path) -> None:
    found = find(profile="team", env={"AICORE_HOME": str(folder), "AICORE_RESOURCE_GROUP": "team-b"})
    assert found
    assert found.resource_group == "team-b"


def test_nowhere_is_none(tmp_path: Path) -> None:
    assert find(env={"AICORE_HOME": str(tmp_path)}) is None


@pytest.mark.parametrize(
    ("env", "word"),
    [
        ({"AICORE_PROFILE": "nobody"}, "config_nobody.json"),
        ({"AICORE_CLIENT_ID": "x"}, "AICORE_BASE_URL"),
        ({"AICORE_SERVICE_KEY": '{"clientsecret": "hunter2'}, "not JSON"),
        ({"AICORE_SERVICE_KEY": '{"clientsecret": "hunter2"}'}, "serviceurls"),
    ],
    ids=["profile", "variables", "broken key", "incomplete key"],
)
def test_what_is_wrong_is_said_without_secrets(tmp_path: Path, env: dict[str, str], word: str) -> None:
    with pytest.raises(ValueError, match=word) as raised:
        find(env={"AICORE_HOME": str(tmp_path), **env})
    assert "hunter2" not in str(raised.value)
