"""`mooring plan` and `mooring deploy`: words, JSON, exit codes, and what GitHub Actions reads."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from mooring.cli.main import app
from tests.pipeline.project_files import document
from tests.pipeline.project_server import ProjectServer

Run = Callable[..., Result]


@pytest.fixture
def api() -> Iterator[ProjectServer]:
    with ProjectServer() as started:
        yield started


@pytest.fixture
def run(api: ProjectServer, tmp_path: Path) -> Run:
    """The command, as a CI job with the variables of AI Core runs it."""
    file = tmp_path / "config.json"

    def mooring(command: str, *arguments: str, content: Any = None, **env: str | None) -> Result:
        file.write_text(json.dumps(content or document(), indent=2))
        variables: dict[str, str | None] = {
            "AICORE_BASE_URL": api.url,
            "AICORE_AUTH_URL": api.url,
            "AICORE_CLIENT_ID": api.client_id,
            "AICORE_CLIENT_SECRET": api.client_secret,
            "AICORE_HOME": str(tmp_path / "aicore"),
            "MOORING_HOME": None,
            "GITHUB_ACTIONS": None,
            "GITHUB_STEP_SUMMARY": None,
        }
        return CliRunner().invoke(app, [command, str(file), *arguments], env={**variables, **env})

    return mooring


def test_a_plan_says_what_there_is_to_do_and_writes_nothing(run: Run, api: ProjectServer) -> None:
    done = run("plan")
    assert done.exit_code == 2
    assert [line.split()[:4] for line in done.stdout.splitlines()[:3]] == [
        ["+", "create", "artifact", "rows"],
        ["+", "create", "configuration", "training"],
        ["+", "create", "execution", "training"],
    ]
    assert not api.writes


def test_what_is_so_already_is_left_alone(run: Run) -> None:
    first = run("deploy")
    assert (first.exit_code, "reached" in first.stdout) == (0, True), first.output
    plan = run("plan", "--json")
    assert (plan.exit_code, json.loads(plan.stdout)["changes"]) == (0, False)
    assert "Nothing was changed." in run("deploy").stdout


def test_json_stands_alone_on_standard_output(run: Run) -> None:
    done = json.loads(run("deploy", "--json").stdout)
    assert (done["exitCode"], [each["verdict"] for each in done["results"]]) == (0, ["reached", "reached"])
    assert done["results"][1]["url"].endswith(done["results"][1]["id"])


def test_lines_of_the_platform_are_hidden_unless_asked_for(run: Run, api: ProjectServer) -> None:
    api.lines = {"training": ['time="2025" level=info msg=platform', "learns\n"]}
    told = run("deploy").stderr
    assert "training | learns" in told
    assert "platform" not in told
    rerun = document()
    rerun["executions"][0]["rerun"] = True
    assert "platform" in run("deploy", "--platform-logs", content=rerun).stderr
    assert "learns" not in run("deploy", "--no-logs", content=rerun).stderr


def test_a_log_can_steer_neither_the_terminal_nor_github(run: Run, api: ProjectServer) -> None:
    api.lines = {"training": ["one\n::error::forged\x1b[2J"]}
    told = run("deploy", GITHUB_ACTIONS="true").stderr
    assert "training | ::error::forged[2J" in told
    assert not any(line.startswith("::error") for line in told.splitlines())


@pytest.mark.parametrize("command", ["plan", "deploy"])
@pytest.mark.parametrize(
    ("arguments", "content", "word"),
    [
        (["--bogus"], None, "No such option"),
        (["--stage", "prd"], None, "no stage prd"),
        ([], {"deployments": [{}]}, "Field required"),
        (["--service-key", "/nothing"], None, "/nothing"),
        (["--profile", "nobody"], None, "config_nobody.json"),
        (["--resource-group", "ä"], None, "'ä' is no resource group"),
        (["--resource-group", ".."], None, "'..' is no resource group"),
    ],
    ids=["option", "stage", "file", "key", "profile", "group that cannot be sent", "group that is a path"],
)
def test_input_that_is_refused_ends_with_3(
    run: Run, api: ProjectServer, command: str, arguments: list[str], content: Any, word: str
) -> None:
    done = run(command, *arguments, content=content)
    assert (done.exit_code, word in done.stderr) == (3, True), done.output
    assert not api.writes


def test_without_credentials_it_says_where_they_may_come_from(run: Run, tmp_path: Path) -> None:
    nobody = {"AICORE_BASE_URL": None, "AICORE_CLIENT_ID": None}
    done = run("plan", HOME=str(tmp_path), **nobody)
    assert (done.exit_code, "--service-key" in done.stderr) == (3, True)


def test_destinations_need_their_service(run: Run) -> None:
    content = document()
    content["deployments"][0]["destination_name"] = "CHURN"
    done = run("plan", content=content, DESTINATION_BASE_URL=None, DESTINATION_CLIENT_ID="x")
    assert (done.exit_code, "DESTINATION_BASE_URL" in done.stderr) == (3, True)


@pytest.mark.parametrize("command", ["plan", "deploy"])
def test_ctrl_c_before_anything_is_made_ends_with_130(
    run: Run, api: ProjectServer, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    main, answer = threading.main_thread().ident, api.answer
    assert main is not None

    def pressed(*asked: Any) -> Any:
        signal.pthread_kill(main, signal.SIGINT)
        return answer(*asked)

    monkeypatch.setattr(api, "answer", pressed)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that began us with & has it ignored
    try:
        done = run(command)
    finally:
        signal.signal(signal.SIGINT, before)
    assert (done.exit_code, "before anything was made" in done.stderr) == (130, True), done.output
    assert not api.writes


def test_a_secret_that_is_wrong_fails(run: Run) -> None:
    done = run("deploy", AICORE_CLIENT_SECRET="hunter2")
    assert done.exit_code == 1
    assert "no token" in done.stderr
    assert "hunter2" not in done.output


def test_a_failure_ends_with_1_and_a_timeout_with_4(run: Run, api: ProjectServer) -> None:
    broken = run("deploy", content=document(greeting="broken"))
    assert (broken.exit_code, "server failed" in broken.stderr) == (1, True)
    api.run = lambda _: "RUNNING"
    late = run("deploy", "--timeout", "1", content=document(epochs="9"))
    assert (late.exit_code, "still RUNNING" in late.stdout) == (4, True)


def test_github_gets_annotations_and_a_page(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "summary.md"
    github = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(page)}
    run("plan", **github)
    run("deploy", content=document(greeting="broken"), **github)
    told = page.read_text()
    assert "### mooring plan" in told
    assert "| failed | deployment | server | DEAD |" in told
    refused = run("plan", content={"clean_up": 1}, **github)
    (annotation,) = [line for line in refused.stderr.splitlines() if line.startswith("::error ")]
    assert annotation == f"::error file={tmp_path}/config.json,line=2::clean_up: Input should be a valid boolean"


def test_a_page_that_cannot_be_written_is_told_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    done = run("deploy", GITHUB_STEP_SUMMARY=str(tmp_path / "nowhere" / "summary.md"))
    assert done.exit_code == 0
    assert "could not be written: No such file or directory" in done.stderr


def test_the_schema_is_printed() -> None:
    done = CliRunner().invoke(app, ["plan", "--schema"])
    assert json.loads(done.stdout)["$defs"]["Stage"]


def test_a_command_loads_nothing_that_it_does_not_need() -> None:
    """The store alone takes longer to load than all the rest of a command."""
    said = "import sys; sys.argv = ['mooring', 'plan', '--schema']\n"
    said += "from mooring.cli.main import main\n"
    said += (
        "try: main()\nfinally: print(sorted({'sqlalchemy', 'fastapi', 'mlflow'} & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "[]"
