"""A change that the server is to watch: asked for where it can be had, and waited for until it is over."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from mooring.pipeline.editor_schema import editor_schema
from mooring.pipeline.outcome import ExitCode, Verdict
from mooring.pipeline.plan import plan
from mooring.pipeline.refused import Refused
from mooring.pipeline.words import lines
from tests.pipeline.deploying import Pipeline, server
from tests.pipeline.project_files import document, project
from tests.pipeline.project_server import Answer, Object, ProjectServer
from tests.pipeline.test_pipeline_plans import ALL

ROLLOUT = {"on_failure": "return", "window_seconds": 30, "max_error_rate": 0.1, "min_requests": 5}
HEADER = "return; window=30.0; max-error-rate=0.1; min-requests=5"
WATCHED = {"rollout": {"state": "watched"}}


class WatchingServer(ProjectServer):
    """A deployment that runs is watched for the next `looks` questions; then it is kept, or `fails` with a reason."""

    def __init__(self) -> None:
        super().__init__()
        self.extensions: Object = {"rollout": {"version": "1.0.0"}}
        self.looks = 3
        self.fails = ""

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Object) -> Answer:
        if path.endswith("/lm/meta"):
            return 200, {"extensions": self.extensions}
        with self.lock:
            parts = path.strip("/").split("/")
            if method == "GET" and len(parts) == 4 and parts[2] == "deployments" and parts[3] in self.deployments:
                self._watch(self.deployments[parts[3]])
        return super().answer(method, path, query, body)

    def _watch(self, deployment: Object) -> None:
        if deployment["status"] != "RUNNING":
            deployment["statusDetails"] = WATCHED
            return
        self.looks -= 1
        if self.looks > 0:
            return
        deployment["statusDetails"] = {"rollout": {"state": "kept"}}
        if self.fails:
            facts = {"fromConfigurationId": deployment["configurationId"], "reason": self.fails}
            good = next(iter(self.configurations))
            deployment |= {"configurationId": good, "latestRunningConfigurationId": good, "statusMessage": self.fails}
            deployment["statusDetails"] = {"returned": facts}

    @property
    def asked(self) -> list[str | None]:
        """What each deployment that was made or changed was asked with."""
        return [
            headers.get("mooring-rollout")
            for (method, path), headers in zip(self.requests, self.headers, strict=True)
            if method in ("POST", "PATCH") and path.startswith("/v2/lm/deployments")
        ]


@pytest.fixture
def pipeline(tmp_path: Path) -> Iterator[Pipeline]:
    with WatchingServer() as api:
        yield Pipeline(api, tmp_path)


def api_of(pipeline: Pipeline) -> WatchingServer:
    assert isinstance(pipeline.api, WatchingServer)
    return pipeline.api


def test_it_is_reached_only_when_the_window_is_over(pipeline: Pipeline) -> None:
    pipeline.deploy(document(rollout=ROLLOUT))
    api_of(pipeline).looks = 10
    result = pipeline.deploy(document(greeting="salve", rollout=ROLLOUT))
    assert (server(result).verdict, server(result).did) == (Verdict.REACHED, "changed")
    assert api_of(pipeline).looks <= 0, "it was asked until nobody watched any more"
    assert api_of(pipeline).asked == [HEADER, HEADER]


def test_one_that_is_taken_back_has_failed_with_the_reason(pipeline: Pipeline) -> None:
    pipeline.deploy(document(rollout=ROLLOUT))
    api = api_of(pipeline)
    api.looks, api.fails = 3, "7 of 20 requests were answered with 500"
    result = pipeline.deploy(document(greeting="salve", rollout=ROLLOUT))
    assert result.exit_code == ExitCode.FAILED
    assert (server(result).verdict, server(result).status) == (Verdict.FAILED, "RUNNING")
    assert "7 of 20 requests" in server(result).message


def test_a_run_after_one_that_was_broken_off_waits_for_the_end_of_the_window(pipeline: Pipeline) -> None:
    pipeline.deploy(document(rollout=ROLLOUT))
    (deployment,) = api_of(pipeline).deployments.values()
    deployment["statusDetails"], api_of(pipeline).looks = WATCHED, 5
    result = pipeline.deploy(document(rollout=ROLLOUT))
    assert (server(result).verdict, server(result).did) == (Verdict.REACHED, "kept")
    assert api_of(pipeline).looks <= 0


def test_a_server_that_does_not_know_of_it_is_not_asked_and_not_waited_for(pipeline: Pipeline) -> None:
    api_of(pipeline).extensions = {"analytics": {"version": "1.0.0"}}
    result = pipeline.deploy(document(rollout=ROLLOUT))
    assert server(result).verdict is Verdict.REACHED
    assert api_of(pipeline).asked == [None]


@pytest.mark.parametrize(
    ("shared", "own", "asked"),
    [
        (ROLLOUT, None, [HEADER]),
        (None, ROLLOUT, [HEADER]),
        (ROLLOUT, {"on_failure": "stay"}, [None]),
        ({"on_failure": "stay"}, ROLLOUT, [HEADER]),
        (None, None, [None]),
    ],
)
def test_a_deployment_s_own_wins_over_the_shared_one(
    pipeline: Pipeline, shared: object, own: object, asked: list[str | None]
) -> None:
    content = document(rollout=shared)
    content["deployments"][0]["rollout"] = own
    pipeline.deploy(content)
    assert api_of(pipeline).asked == asked


def test_the_plan_says_it(tmp_path: Path) -> None:
    content = document(greeting="salve", rollout=ROLLOUT)
    for knows in (True, False):
        found = plan(project(tmp_path, content), replace(ALL, watches_rollouts=knows))
        (detail,) = [why for verb, kind, _, why in lines(found) if (verb, kind) == ("change", "deployment")]
        assert ("back to what serves now" in detail and "30 s" in detail) is knows
        assert any("cannot take a change back" in each for each in found.warnings) is not knows


@pytest.mark.parametrize(
    "wrong",
    [{"on_failure": "return", "window": 3}, {"on_failure": "hope"}, {}, {"on_failure": "return", "max_error_rate": 2}],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, wrong: object) -> None:
    with pytest.raises(Refused, match="rollout"):
        project(tmp_path, document(rollout=wrong))


def test_editors_know_of_it() -> None:
    schema = editor_schema()
    assert "rollout" in schema["$defs"]["Whole"]["properties"]
    assert schema["$defs"]["RolloutEntry"]["required"] == ["on_failure"]
    assert "required" not in schema["$defs"]["PartialRolloutEntry"]
