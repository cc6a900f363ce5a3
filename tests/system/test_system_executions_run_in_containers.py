"""The same workflows in real containers of podman: hand-overs between steps, and metrics from the inside."""

import json
from collections.abc import Iterator

import httpx
import pytest

from tests import podman
from tests.system import training
from tests.system.running_mooring import RunningMooring, wait_until

pytestmark = [pytest.mark.slow, pytest.mark.skipif(podman.client() is None, reason=podman.SKIPPED)]
TRACK = """
spec:
  entrypoint: main
  templates:
    - name: main
      script:
        image: example/demo:1
        command: [python3]
        source: |
          import json, os, urllib.request
          facts = {"executionId": os.environ["AICORE_EXECUTION_ID"], "metrics": [{"name": "loss", "value": 1}]}
          request = urllib.request.Request(
              os.environ["AICORE_TRACKING_ENDPOINT"] + "/api/v1/metrics",
              data=json.dumps(facts).encode(),
              method="PATCH",
              headers={"Content-Type": "application/json"},
          )
          print(urllib.request.urlopen(request, timeout=30).status, os.getuid())
"""


@pytest.fixture(scope="module")
def mooring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMooring]:
    options = {
        "MOORING_RUNTIME": "container",
        "MOORING_CONTAINER_ENGINE": "podman",
        "MOORING_CONTAINER_ENGINE_OPTIONS": json.dumps(podman.create_options()),
    }
    with RunningMooring(tmp_path_factory.mktemp("mooring") / "home", options) as running:
        graph = training.GRAPH.replace("[python]", "[python3]").replace("[python, -c]", "[python3, -c]")
        specs = {"graph": graph, "track": TRACK}
        training.install(
            running.home, **{name: spec.replace(training.IMAGE, podman.image()) for name, spec in specs.items()}
        )
        yield running


@pytest.fixture
def http(mooring: RunningMooring) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=mooring.url, headers=mooring.headers(), timeout=30) as client:
        yield client


def completed(http: httpx.Client, executable: str) -> str:
    """The id of an execution that has run through."""
    body = {"name": executable, "scenarioId": "demo-scenario", "executableId": executable}
    configuration_id = http.post("/v2/lm/configurations", json=body).raise_for_status().json()["id"]
    answer = http.post("/v2/lm/executions", json={"configurationId": configuration_id})
    execution_id = str(answer.raise_for_status().json()["id"])
    path = f"/v2/lm/executions/{execution_id}"
    wait_until(lambda: http.get(path).json()["status"] in ("COMPLETED", "DEAD"), what="the end")
    found = http.get(path).json()
    assert (found["status"], found["statusMessage"]) == ("COMPLETED", "")
    return execution_id


def test_tasks_hand_over_what_they_have(http: httpx.Client) -> None:
    execution_id = completed(http, "graph")
    result = http.get(f"/v2/lm/dataset/files/default/{execution_id}/result", headers={"AI-Resource-Group": "default"})
    assert result.text == "49 a b c"


def test_a_program_tracks_itself_and_is_not_root(http: httpx.Client) -> None:
    execution_id = completed(http, "track")
    (line,) = http.get(f"/v2/lm/executions/{execution_id}/logs").json()["data"]["result"]
    assert line["msg"].split() == ["204", "65534"]
    (resource,) = http.get("/v2/lm/metrics", params={"executionIds": execution_id}).json()["resources"]
    assert [metric["name"] for metric in resource["metrics"]] == ["loss"]
