"""`mooring ls` and `mooring logs` against a server with the whole API in it."""

import json
import socket
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from mooring.cli.main import app, main
from mooring.client.errors import NotFound
from mooring.domain.lifecycle import Status
from mooring.runtimes.base import LogLine
from mooring.store.types import utc_now
from tests.api.api_server import (
    Server,
    new_configuration,
    new_deployment,
    new_execution,
    new_workflow_configuration,
    running_server,
)

GROUP = "team-a"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with running_server(tmp_path) as started:
        with started.http() as http:
            http.post("/v2/admin/resourceGroups", json={"resourceGroupId": GROUP}).raise_for_status()
        yield started


@pytest.fixture
def execution_id(server: Server) -> str:
    with server.http(GROUP) as http:
        return new_execution(http, new_workflow_configuration(http, server))


@pytest.fixture
def deployment_id(server: Server) -> str:
    with server.http(GROUP) as http:
        return new_deployment(http, new_configuration(http, name="a [/] b"))


@pytest.fixture
def unused_url() -> Iterator[str]:
    """Nobody listens there: the port is taken, and that is all."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def mooring(server: Server, *arguments: str, group: str = GROUP) -> Result:
    """What a person gets who has the variables of AI Core set."""
    variables = {
        "AICORE_BASE_URL": f"{server.url}/v2",
        "AICORE_AUTH_URL": f"{server.url}/oauth/token",
        "AICORE_CLIENT_ID": server.client.id,
        "AICORE_CLIENT_SECRET": server.client.secret,
        "AICORE_RESOURCE_GROUP": group,
    }
    return CliRunner().invoke(app, arguments, env=variables)


def test_executions_are_listed_on_request(server: Server, execution_id: str, deployment_id: str) -> None:
    server.act_on_execution(execution_id, Status.COMPLETED)
    shown = mooring(server, "ls", "--executions")
    assert shown.exit_code == 0
    assert [word in shown.stdout for word in (execution_id, "COMPLETED", "training", deployment_id)] == [
        True,
        True,
        True,
        False,
    ]
    (listed,) = json.loads(mooring(server, "ls", "--executions", "--json").stdout)
    assert (listed["id"], listed["status"], listed["executableId"]) == (execution_id, "COMPLETED", "train")


def test_names_are_shown_as_they_are(server: Server, deployment_id: str) -> None:
    shown = mooring(server, "ls")
    assert (shown.exit_code, deployment_id in shown.stdout, "a [/] b" in shown.stdout) == (0, True, True)


def test_the_option_wins_over_the_variable(server: Server, deployment_id: str) -> None:
    assert deployment_id in mooring(server, "ls", "-g", GROUP, group="default").stdout
    assert deployment_id not in mooring(server, "ls", "-g", "default").stdout


def test_logs_of_both(server: Server, execution_id: str, deployment_id: str) -> None:
    lines = [LogLine(utc_now() - timedelta(seconds=1), "stdout", "ready")]
    server.add_replica(deployment_id, "r000000000000001", lines)
    assert "r000000000000001 ready" in mooring(server, "logs", deployment_id).stdout
    assert mooring(server, "logs", execution_id).exit_code == 0
    server.act_on_execution(execution_id, Status.COMPLETED)
    assert mooring(server, "logs", execution_id, "--follow").exit_code == 0


@pytest.mark.parametrize("group", ["ä", "a\nb"])
def test_a_group_that_no_header_can_name_is_refused(server: Server, group: str) -> None:
    shown = mooring(server, "ls", group=group)
    assert (shown.exit_code, "is no resource group" in shown.stderr) == (2, True), shown.output


def test_what_is_not_there_is_called_what_it_would_be(server: Server) -> None:
    for identifier, noun in (("e000000000000000", "execution"), ("d000000000000000", "deployment")):
        failure = mooring(server, "logs", identifier).exception
        assert isinstance(failure, NotFound)
        assert f"no {noun} '{identifier}'" in str(failure)


def test_whoever_has_started_nothing_reads_how_to(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], unused_url: str
) -> None:
    for name, value in {
        "BASE_URL": f"{unused_url}/v2",
        "AUTH_URL": unused_url,
        "CLIENT_ID": "ci",
        "CLIENT_SECRET": "any",
        "RESOURCE_GROUP": GROUP,
    }.items():
        monkeypatch.setenv(f"AICORE_{name}", value)
    monkeypatch.setattr(sys, "argv", ["mooring", "ls"])
    with pytest.raises(SystemExit, match="1"):
        main()
    told = capsys.readouterr().err
    assert told.startswith(f"mooring: no complete answer to POST {unused_url}/oauth/token: ConnectError")
    assert "`mooring up` starts it" in told
    assert "status 0" not in told


def test_a_wrong_setting_is_named_without_what_it_holds(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MOORING_PORT", "a-password-by-mistake")
    monkeypatch.setattr(sys, "argv", ["mooring", "status"])
    with pytest.raises(SystemExit, match="1"):
        main()
    told = capsys.readouterr().err
    assert told.startswith("mooring: MOORING_PORT: ")
    assert "integer" in told
    assert "a-password-by-mistake" not in told
