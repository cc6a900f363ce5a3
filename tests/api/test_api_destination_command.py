"""`mooring destination` and `mooring rollback` against the API: what is not said stays, a move ends what was tried."""

import json
import uuid
from collections.abc import Callable, Iterator

import httpx
import pytest
from typer.testing import CliRunner

from mooring.cli.main import app
from mooring.client.destinations import DestinationClient
from mooring.client.errors import ApiError, BadRequest, NotFound
from mooring.domain.roles import Role
from mooring.services import clients
from mooring.store.tables import Deployment
from tests.api.api_server import Server, new_deployment


@pytest.fixture
def environment(server: Server, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    with server.database.transaction() as session:
        made = clients.create(session, role=Role.DESTINATIONS)
    names = {
        "DESTINATION_BASE_URL": server.url,
        "DESTINATION_AUTH_URL": server.url,
        "DESTINATION_CLIENT_ID": made.id,
        "DESTINATION_CLIENT_SECRET": made.secret,
    }
    monkeypatch.delenv("MOORING_HOME", raising=False)
    for name, value in names.items():
        monkeypatch.setenv(name, value)
    return names


@pytest.fixture
def mooring(environment: dict[str, str]) -> Callable[..., str]:
    def run(*arguments: str, expected: int = 0) -> str:
        done = CliRunner().invoke(app, [*arguments])
        assert done.exit_code == expected, (done.output, done.exception)
        return str(done.output)

    return run


@pytest.fixture
def service(environment: dict[str, str]) -> Iterator[DestinationClient]:
    with DestinationClient.from_env(environment) as client:
        yield client


@pytest.fixture
def name() -> str:
    return f"wine-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def urls(server: Server, http: httpx.Client) -> list[str]:
    """Of three deployments that serve."""
    found = [new_deployment(http) for _ in range(3)]
    with server.database.transaction() as session:
        for each in found:
            row = session.get_one(Deployment, each)
            row.serving_revision_id = row.revisions[0].id
    return [f"{server.url}/v2/inference/deployments/{each}" for each in found]


def test_from_the_first_set_to_the_last_rollback(
    mooring: Callable[..., str], service: DestinationClient, name: str, urls: list[str]
) -> None:
    one, two, three = urls
    mooring("destination", "set", name, "--url", one, "--property", "apiSecret=opensesame")
    mooring("destination", "set", name, "--canary", two, "--percent", "10", "--mirror", three)
    shown = json.loads(mooring("destination", "show", name, "--json"))
    assert (shown["URL"], shown["mooring.canary.percent"], shown["apiSecret"]) == (one, "10", "(hidden)")
    assert service.get(name)["apiSecret"] == "opensesame"
    assert name in mooring("destination", "ls")
    mooring("destination", "set", name, "--canary", "")
    assert "mooring.canary.percent" not in service.get(name)
    assert service.get(name)["mooring.mirror.URL"] == three
    mooring("destination", "set", name, "--canary", two, "--percent", "50")
    mooring("destination", "set", name, "--url", two)
    assert {key for key in service.get(name) if key.startswith("mooring.")} == set(), "the canary is the target now"
    assert one in mooring("rollback", name)
    assert two in mooring("destination", "rollback", name)
    assert [move.url for move in service.history(name)] == [two, one, two, one]
    assert two in mooring("destination", "show", name)
    mooring("destination", "delete", name, "--yes")
    with pytest.raises(NotFound):
        service.get(name)


def test_what_goes_wrong_is_told_in_the_services_words(
    mooring: Callable[..., str], service: DestinationClient, name: str
) -> None:
    mooring("destination", "set", name, "--property", "nothing", "--url", "https://host.example", expected=2)
    with pytest.raises(BadRequest, match="URL: must be a URL"):
        service.set({"Name": name, "Type": "HTTP", "URL": "x", "ProxyType": "Internet", "Authentication": "None"})
    for wrong in (lambda: service.roll_back(name), lambda: service.check(name), lambda: service.history(name)):
        with pytest.raises(ApiError, match=name):
            wrong()
    mooring("destination", "set", name, "--url", "http://no-such-host.invalid")
    assert "failed  connect" in mooring("destination", "check", name, expected=1)


def test_missing_variables_are_named() -> None:
    with pytest.raises(ValueError, match="DESTINATION_AUTH_URL, DESTINATION_CLIENT_ID, DESTINATION_CLIENT_SECRET"):
        DestinationClient.from_env({"DESTINATION_BASE_URL": "x"})
