"""A plan is carried out: what is waited for, what is done when something goes wrong, and what is never done."""

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mooring.pipeline.outcome import ExitCode, Verdict
from tests.pipeline.deploying import Pipeline, server, verdicts, with_destination
from tests.pipeline.project_files import document
from tests.pipeline.project_server import ProjectServer


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    with ProjectServer() as api:
        yield Pipeline(api, tmp_path)


def test_everything_is_made_and_the_second_time_nothing_is_written(pipeline: Pipeline) -> None:
    result = pipeline.deploy()
    assert (result.exit_code, verdicts(result)) == (0, {"training": Verdict.REACHED, "server": Verdict.REACHED})
    (made,) = pipeline.api.deployments.values()
    bound = pipeline.api.configurations[made["configurationId"]]["inputArtifactBindings"][0]["artifactId"]
    assert pipeline.api.artifacts[bound]["url"].endswith("/weights")
    written = len(pipeline.api.writes)
    again = pipeline.deploy()
    assert (again.exit_code, again.made) == (0, [])
    assert len(pipeline.api.writes) == written
    assert [each.did for each in again.outcomes] == ["reused", "kept"]


def test_what_was_made_before_is_found_also_behind_the_first_page(pipeline: Pipeline) -> None:
    pipeline.deploy()
    bindings = [{"key": "greeting", "value": "x"}]
    for number in range(1500):
        body = {"name": "server", "scenarioId": "demo-scenario", "executableId": "serve", "parameterBindings": bindings}
        pipeline.api._create_configuration({**body, "name": f"server {number}"})
    assert pipeline.deploy().made == []


def test_a_changed_value_changes_the_deployment_and_not_its_url(pipeline: Pipeline) -> None:
    before = server(pipeline.deploy())
    after = server(pipeline.deploy(document(greeting="salve")))
    assert (after.did, after.id, after.url) == ("changed", before.id, before.url)
    assert len(pipeline.api.executions) == 1


def test_logs_of_all_are_followed_once(pipeline: Pipeline) -> None:
    pipeline.api.lines = {"training": ["learns", "ends"], "server": ["serves"]}
    pipeline.deploy()
    assert pipeline.heard.lines == [("training", "learns"), ("training", "ends"), ("server", "serves")]
    pipeline.heard.lines.clear()
    pipeline.deploy()
    assert pipeline.heard.lines == [], "what has run before is told by `mooring logs`"


def test_a_training_that_fails_ends_it_there(pipeline: Pipeline) -> None:
    pipeline.api.run = lambda _: "DEAD"
    result = pipeline.deploy()
    assert (result.exit_code, verdicts(result)) == (
        ExitCode.FAILED,
        {"training": Verdict.FAILED, "server": Verdict.NOT_BEGUN},
    )
    assert result.outcomes[0].message == "no rows"
    assert not pipeline.api.deployments


def test_a_broken_server_is_told_and_tried_again(pipeline: Pipeline) -> None:
    pipeline.deploy()
    for _ in range(2):
        result = pipeline.deploy(document(greeting="broken"))
        assert (result.exit_code, server(result).status, server(result).did) == (ExitCode.FAILED, "DEAD", "changed")
    assert pipeline.deploy().exit_code == 0


def test_what_takes_too_long_is_left_and_found_again(pipeline: Pipeline) -> None:
    pipeline.api.run = lambda _: "RUNNING"
    late = pipeline.deploy(seconds=0.3)
    assert (late.exit_code, verdicts(late)["server"]) == (ExitCode.TIMED_OUT, Verdict.NOT_BEGUN)
    assert "still RUNNING" in late.outcomes[0].message
    pipeline.api.run = lambda _: "COMPLETED"
    again = pipeline.deploy()
    assert (again.exit_code, again.outcomes[0].did, again.outcomes[0].id) == (0, "followed", late.outcomes[0].id)


# --- faults ---


def test_a_server_that_does_not_know_yet_what_it_has_made_is_waited_for(pipeline: Pipeline) -> None:
    pipeline.api.unknown_for = 3
    assert pipeline.deploy().exit_code == 0
    assert any("not yet" in each for each in pipeline.heard.troubles)


def test_a_busy_server_is_asked_again(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = pipeline.api.answer
    refused: set[tuple[str, str]] = set()

    def busy_once(method: str, path: str, *rest: Any) -> Any:
        if method != "GET" and (method, path) not in refused:
            refused.add((method, path))
            return 429, {"error": {"code": "429", "message": "too many"}}
        return answer(method, path, *rest)

    monkeypatch.setattr(pipeline.api, "answer", busy_once)
    assert pipeline.deploy().exit_code == 0
    assert len(refused) == 4
    assert (len(pipeline.api.executions), len(pipeline.api.deployments)) == (1, 1)


def test_a_token_that_ends_in_the_middle_is_renewed(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    moved = pipeline.heard.moved

    def revoke(name: str, status: str, message: str) -> None:
        pipeline.api.revoke_tokens()
        moved(name, status, message)

    monkeypatch.setattr(pipeline.heard, "moved", revoke)
    assert pipeline.deploy().exit_code == 0


def test_a_server_that_is_away_meanwhile_is_waited_for(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    moved, back = pipeline.heard.moved, threading.Event()

    def break_off(name: str, status: str, message: str) -> None:
        moved(name, status, message)
        if (name, status) == ("training", "RUNNING"):
            pipeline.api.stop()

    def trouble(text: str) -> None:
        if not back.is_set():
            back.set()
            pipeline.api.start()

    monkeypatch.setattr(pipeline.heard, "moved", break_off)
    monkeypatch.setattr(pipeline.heard, "trouble", trouble)
    assert pipeline.deploy().exit_code == 0
    assert back.is_set()


def test_a_refused_step_fails_in_the_servers_words(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = pipeline.api.answer

    def refuse(method: str, path: str, *rest: Any) -> Any:
        if (method, path) == ("POST", "/v2/lm/deployments"):
            return 400, {"error": {"code": "400", "message": "no quota is left"}}
        return answer(method, path, *rest)

    monkeypatch.setattr(pipeline.api, "answer", refuse)
    result = pipeline.deploy()
    assert (result.exit_code, server(result).verdict) == (ExitCode.FAILED, Verdict.FAILED)
    assert "no quota is left" in server(result).message


def test_ctrl_c_tells_what_is_left_and_the_next_run_goes_on(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(name: str, status: str, message: str) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pipeline.heard, "moved", interrupt)
        result = pipeline.deploy()
    assert result.exit_code == ExitCode.BROKEN_OFF
    assert verdicts(result) == {"training": Verdict.LEFT, "server": Verdict.NOT_BEGUN}
    again = pipeline.deploy()
    assert (again.exit_code, again.outcomes[0].id) == (0, result.outcomes[0].id)
    assert len(pipeline.api.executions) == 1


# --- destinations and cleaning up ---


def test_a_destination_leads_to_what_runs(pipeline: Pipeline) -> None:
    pipeline.api.destinations["CHURN"] = {"Name": "CHURN", "URL": "http://old", "URL.headers.X": "kept"}
    result = pipeline.deploy(with_destination())
    found = pipeline.api.destinations["CHURN"]
    assert (found["URL"], found["clientSecret"]) == (server(result).url, pipeline.api.client_secret)
    assert (found["URL.headers.X"], found["URL.headers.AI-Resource-Group"]) == ("kept", "default")
    assert pipeline.deploy(with_destination()).made == []


def test_a_destination_stays_when_what_it_is_for_does_not_run(pipeline: Pipeline) -> None:
    result = pipeline.deploy(with_destination("broken"))
    assert result.exit_code == ExitCode.FAILED
    assert not pipeline.api.destinations
    assert any("CHURN is left" in each for each in pipeline.heard.troubles)


def test_a_destination_that_is_refused_is_named_and_keeps_nothing_but_the_clean_up(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline.deploy(document(epochs="4"))
    content = with_destination(clean_up=True)
    other = json.loads(json.dumps(content["deployments"][0]))
    other["configuration"]["name"], other["destination_name"] = "other", "WINE"
    content["deployments"].append(other)
    answer = pipeline.api.answer

    def refuse(method: str, path: str, query: Mapping[str, str], body: dict[str, Any]) -> tuple[int, object]:
        if method in ("POST", "PUT") and body.get("Name") == "CHURN":
            return 400, {"ErrorMessage": "mooring.mirror.URL: must be a deployment"}
        return answer(method, path, query, body)

    monkeypatch.setattr(pipeline.api, "answer", refuse)
    result = pipeline.deploy(content)
    assert result.exit_code == ExitCode.FAILED
    (error,) = result.errors
    assert error.startswith("destination CHURN: mooring.mirror.URL")
    assert list(pipeline.api.destinations) == ["WINE"], "the others are set"
    assert len(pipeline.api.executions) == 2, "what the destination leads to may still be needed"


def test_only_what_this_pipeline_has_made_is_removed_and_only_at_the_end(pipeline: Pipeline) -> None:
    pipeline.deploy()
    other = pipeline.api.add_configuration("of somebody else", {})
    kept = pipeline.api.add_deployment(other, status="RUNNING")
    content = document(epochs="4", clean_up=True)
    broken = document(epochs="5", greeting="broken", clean_up=True)
    assert pipeline.deploy(broken).exit_code == ExitCode.FAILED
    assert len(pipeline.api.executions) == 2, "nothing is removed before all is reached"
    result = pipeline.deploy(content)
    assert result.exit_code == 0
    assert list(pipeline.api.executions) == [result.outcomes[0].id]
    assert set(pipeline.api.deployments) == {kept, server(result).id}
    assert pipeline.deploy(content).made == []
