"""Executions in a whole installation: from POST to registered artifacts, with real programs in real sandboxes."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from ai_api_client_sdk.models.artifact import Artifact
from ai_api_client_sdk.models.input_artifact_binding import InputArtifactBinding
from ai_api_client_sdk.models.parameter_binding import ParameterBinding
from ai_api_client_sdk.models.status import Status
from ai_api_client_sdk.models.target_status import TargetStatus
from ai_core_sdk.ai_core_v2_client import AICoreV2Client

from mooring.home import Home
from tests.system import training
from tests.system.running_mooring import RunningMooring, wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is missing: apt-get install bubblewrap"),
]
OVER = (Status.COMPLETED, Status.DEAD, Status.STOPPED)


@pytest.fixture(scope="module")
def mooring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMooring]:
    folder = tmp_path_factory.mktemp("training")
    with RunningMooring(folder / "home", training.stand_ins(folder / "src")) as running:
        training.install(
            running.home,
            train=training.TRAIN,
            graph=training.GRAPH,
            fail=training.RUN.format(program="fail.py"),
            sleep=training.RUN.format(program="sleep.py"),
            track=training.RUN.format(program="track.py"),
        )
        yield running


@pytest.fixture
def sdk(mooring: RunningMooring) -> Any:
    """The official Python client."""
    key = mooring.key
    return AICoreV2Client(
        base_url=f"{mooring.url}/v2",
        auth_url=f"{key['url']}/oauth/token",
        client_id=key["clientid"],
        client_secret=key["clientsecret"],
        resource_group="default",
    )


def start(sdk: Any, executable: str, *, rows: str | None = None, **parameters: str) -> str:
    configuration = sdk.configuration.create(
        name=executable,
        scenario_id="demo-scenario",
        executable_id=executable,
        parameter_bindings=[ParameterBinding(key, value) for key, value in parameters.items()],
        input_artifact_bindings=[InputArtifactBinding("rows", rows)] if rows else [],
    )
    return str(sdk.execution.create(configuration_id=configuration.id).id)


def finish(sdk: Any, execution_id: str) -> Any:
    wait_until(lambda: sdk.execution.get(execution_id).status in OVER, what=f"the end of {execution_id}")
    return sdk.execution.get(execution_id)


def messages(sdk: Any, execution_id: str) -> list[str]:
    return [line.msg.rstrip("\n") for line in sdk.execution.query_logs(execution_id).data.result]


def dataset(mooring: RunningMooring, path: str) -> httpx.Response:
    url = f"{mooring.url}/v2/lm/dataset/files/default/{path}"
    return httpx.get(url, headers={**mooring.headers(), "AI-Resource-Group": "default"})


def test_a_training_ends_with_a_model(mooring: RunningMooring, sdk: Any) -> None:
    headers = {**mooring.headers(), "AI-Resource-Group": "default"}
    url = f"{mooring.url}/v2/lm/dataset/files/default/cicd/example.txt"
    httpx.put(url, content=b"some rows", headers=headers).raise_for_status()
    rows = sdk.artifact.create(
        name="rows", kind=Artifact.Kind.DATASET, url="ai://default/cicd/example.txt", scenario_id="demo-scenario"
    )
    execution_id = start(sdk, "train", rows=rows.id, epochs="5")
    done = finish(sdk, execution_id)
    assert (done.status, done.status_message) == (Status.COMPLETED, ""), messages(sdk, execution_id)
    (made,) = done.output_artifacts
    assert (made.name, made.kind.value, made.url) == ("trained", "model", f"ai://default/{execution_id}/trained")
    assert [each.id for each in sdk.artifact.query(execution_id=execution_id).resources] == [made.id]
    assert messages(sdk, execution_id) == ["found ['example.txt']", "as user 65534"]
    assert dataset(mooring, f"{execution_id}/trained/weights.txt").text == "some rows x 5"
    assert done.submission_time <= done.start_time <= done.completion_time


def test_tasks_hand_over_what_they_have(mooring: RunningMooring, sdk: Any) -> None:
    execution_id = start(sdk, "graph")
    done = finish(sdk, execution_id)
    assert (done.status, done.status_message) == (Status.COMPLETED, ""), messages(sdk, execution_id)
    assert dataset(mooring, f"{execution_id}/result").text == "49 a b c"


def test_a_program_tracks_itself_with_the_sdk(sdk: Any) -> None:
    execution_id = start(sdk, "track")
    done = finish(sdk, execution_id)
    assert (done.status, messages(sdk, execution_id)) == (Status.COMPLETED, ["tracked"]), done.status_message
    (resource,) = sdk.metrics.query(execution_ids=[execution_id]).resources
    assert [(metric.name, metric.value) for metric in resource.metrics] == [("loss", 0.25)]
    assert [(tag.name, tag.value) for tag in resource.tags] == [("by", "the job itself")]


def test_a_failure_says_why(mooring: RunningMooring, sdk: Any) -> None:
    execution_id = start(sdk, "fail")
    done = finish(sdk, execution_id)
    assert done.status is Status.DEAD
    assert done.status_message == "main: exit code 1: no rows were given"
    url = f"{mooring.url}/v2/lm/executions/{execution_id}"
    (node,) = httpx.get(url, headers=mooring.headers()).json()["statusDetails"]["nodes"]
    assert (node["node"], node["phase"], node["exitCode"]) == ("main", "Failed", 1)


def test_a_stop_ends_it_and_a_deletion_removes_it(mooring: RunningMooring, sdk: Any) -> None:
    execution_id = start(sdk, "sleep")
    wait_until(lambda: messages(sdk, execution_id) == ["going on"], what="its logs while it runs")
    assert sdk.execution.get(execution_id).status is Status.RUNNING
    sdk.execution.modify(execution_id, target_status=TargetStatus.STOPPED)
    assert finish(sdk, execution_id).status is Status.STOPPED
    assert messages(sdk, execution_id) == ["going on"], "afterwards, too"
    assert jobs_on(mooring.home) == []
    sdk.execution.delete(execution_id)
    headers, url = mooring.headers(), f"{mooring.url}/v2/lm/executions/{execution_id}"
    wait_until(lambda: httpx.get(url, headers=headers).status_code == 404, what="the removal")


def test_what_runs_outlives_the_control_plane(mooring: RunningMooring, sdk: Any) -> None:
    execution_id = start(sdk, "sleep")
    wait_until(lambda: messages(sdk, execution_id) == ["going on"], what="its start")
    before = jobs_on(mooring.home)
    os.kill(mooring.pid_of("control-plane"), signal.SIGKILL)
    mooring.up()
    assert jobs_on(mooring.home) == before
    assert sdk.execution.get(execution_id).status is Status.RUNNING
    assert messages(sdk, execution_id) == ["going on"], "it was not begun again"
    sdk.execution.modify(execution_id, target_status=TargetStatus.STOPPED)
    assert finish(sdk, execution_id).status is Status.STOPPED


def test_what_the_operator_ends_begins_again_with_the_next_start(mooring: RunningMooring, sdk: Any) -> None:
    execution_id = start(sdk, "sleep")
    wait_until(lambda: messages(sdk, execution_id) == ["going on"], what="its start")
    mooring.down()
    mooring.up()
    wait_until(lambda: messages(sdk, execution_id) == ["going on"] * 2, what="its second start")
    assert sdk.execution.get(execution_id).status is Status.RUNNING
    sdk.execution.modify(execution_id, target_status=TargetStatus.STOPPED)
    assert finish(sdk, execution_id).status is Status.STOPPED


def jobs_on(home: Path) -> list[str]:
    """The jobs that have not been forgotten."""
    return sorted(path.name for path in Home(home).replicas.iterdir() if path.name.startswith("j"))
