"""A team with a store of its own: real S3, which fails and dawdles; and a control plane that is killed at each step."""

import json
import shutil
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from ai_api_client_sdk.models.status import Status

from mooring.home import Home
from tests.artifacts.s3_server import access_to, s3_server
from tests.artifacts.stumbling_server import Stumbling, stumbling_before
from tests.prober import Prober
from tests.system import serving
from tests.system.counting_house import PROGRAM, CountingHouse, counting_house
from tests.system.running_mooring import RunningMooring, wait_until
from tests.system.team import SCENARIO, Team, repository, workflow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is missing: apt-get install bubblewrap"),
]
PIPELINE = """
spec:
  entrypoint: main
  arguments: {parameters: [{name: house}]}
  templates:
    - name: main
      inputs: {artifacts: [{name: rows, path: /work/rows}]}
      steps:
        - - name: first
            template: job
            arguments:
              parameters: [{name: step, value: first}]
              artifacts: [{name: given, from: "{{inputs.artifacts.rows}}"}]
        - - name: second
            template: last
            arguments:
              parameters: [{name: step, value: second}]
              artifacts: [{name: given, from: "{{steps.first.outputs.artifacts.made}}"}]
    - name: job
      inputs: {parameters: [{name: step}], artifacts: [{name: given, path: /work/given}]}
      outputs: {artifacts: [{name: made, path: /work/made}]}
      container: &container
        image: team/job:1
        command: [/bin/sh, -c]
        args: ["python /app/src/job.py && cp -r /work/given /work/made && echo $STEP > /work/made/$STEP"]
        env:
          - {name: HOUSE, value: "{{workflow.parameters.house}}"}
          - {name: STEP, value: "{{inputs.parameters.step}}"}
    - name: last
      inputs: {parameters: [{name: step}], artifacts: [{name: given, path: /work/given}]}
      outputs: {artifacts: [{name: made, path: /work/made, globalName: model, archive: {none: {}}}]}
      container: *container
"""
SERVER = serving.TEMPLATE.replace(serving.SCENARIO, SCENARIO).replace("key: api-key", "key: apikey")
"""The SDK would make `apiKey` of the key's name."""


@dataclass
class Gate:
    """Holds up calls of the store of this method, with this in the object's name."""

    method: str = ""
    part: str = ""
    opened: threading.Event = field(default_factory=threading.Event)
    waiting: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.opened.set()

    def close(self, method: str, part: str) -> None:
        self.method, self.part = method, part
        self.waiting.clear()
        self.opened.clear()

    def pass_by(self, method: str, path: str, _: Mapping[str, str]) -> None:
        if method == self.method and self.part in urlsplit(path).path and not self.opened.is_set():
            self.waiting.set()
            assert self.opened.wait(120)

    def wait(self) -> None:
        """Until somebody is held up."""
        assert self.waiting.wait(60), f"nobody came to {self.method} {self.part}"

    def open(self) -> None:
        self.opened.set()


@dataclass
class Place:
    """All that there is."""

    team: Team
    bucket: Path
    store: Stumbling
    gate: Gate
    house: CountingHouse

    def start(self) -> str:
        rows = self.team.artifact("ai://default/rows")
        return self.team.start("pipeline", {"house": self.house.url}, {"rows": rows})

    def phases(self, execution_id: str) -> dict[str, str]:
        """The phases of its steps."""
        nodes = (self.team.sdk.execution.get(execution_id).status_details or {}).get("nodes", [])
        return {node["node"].rpartition(".")[2]: node["phase"] for node in nodes}

    def made(self, execution_id: str) -> dict[str, str]:
        folder = self.bucket / execution_id / "model"
        return {path.name: path.read_text().strip() for path in folder.iterdir()}

    def kill(self) -> None:
        self.team.mooring.kill("control-plane")

    def check_that_each_step_ran_once(self, execution_id: str) -> None:
        counts = {who: count for who, count in self.house.begun.items() if who.startswith(execution_id)}
        assert counts == {f"{execution_id}-first": 1, f"{execution_id}-second": 1}
        assert self.made(execution_id) == {"rows.txt": "some rows", "first": "first", "second": "second"}

    def check_that_nothing_is_left(self) -> None:
        home = Home(self.team.mooring.home)
        wait_until(lambda: not list(home.jobs.iterdir()), what="the end of the jobs' folders")
        assert not [path for path in Path("/proc").glob("[0-9]*/cwd") if _is_below(path, home.path / "replicas")]


def _is_below(link: Path, folder: Path) -> bool:
    try:
        return link.resolve().is_relative_to(folder) and b"bwrap" in (link.parent / "cmdline").read_bytes()
    except OSError:
        return False


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("s3")
    (folder / "job").mkdir()
    (folder / "job" / "job.py").write_text(PROGRAM)
    images = {"team/job:1": {"folder": str(folder / "job")}}
    images[serving.IMAGE] = {"folder": str(serving.program(folder / "src"))}
    settings = {
        "MOORING_GIT_FOLDERS": json.dumps([str(folder / "git")]),
        "MOORING_STAND_INS": json.dumps(images),
        "MOORING_OBJECT_STORE_HOSTS": '["127.0.0.1"]',
        "MOORING_SANDBOX_JOBS_NETWORK": "host",
        "MOORING_JOBS_AT_ONCE": "1",
    }
    repo = repository(folder / "git" / "templates")
    repo.commit({"pipeline.yaml": workflow("pipeline", PIPELINE, model_kind="model"), "server.yaml": SERVER})
    gate = Gate()
    with (
        s3_server(folder / "s3") as access,
        stumbling_before(str(access.properties["endpoint"])) as store,
        counting_house() as house,
        RunningMooring(folder / "home", settings) as running,
    ):
        store.before = gate.pass_by
        team = Team(running, repo)
        team.onboard()
        given = access_to(store.address)
        kept = given.properties
        team.sdk.object_store_secrets.create(
            name="default",
            type="S3",
            data=dict(given.data),
            bucket=kept["bucket"],
            endpoint=kept["endpoint"],
            path_prefix=kept["pathPrefix"],
            usehttps="0",
        )
        team.file("rows/rows.txt", b"some rows").raise_for_status()
        yield Place(team, folder / "s3" / "wine" / "cellar", store, gate, house)
        gate.open()


def test_inputs_come_from_the_store_and_outputs_go_there(place: Place) -> None:
    done = place.team.finish(place.start())
    assert done.status is Status.COMPLETED, done.status_message
    assert (place.bucket / "rows" / "rows.txt").read_text() == "some rows"
    (made,) = done.output_artifacts
    assert made.url == f"ai://default/{done.id}/model"
    place.check_that_each_step_ran_once(done.id)


def test_a_store_that_fails_half_of_its_calls_fails_nothing(place: Place) -> None:
    place.store.fault = lambda _method, _path, number: ("error", None, "reset", None)[number % 4]
    before = len(place.store.requests)
    try:
        done = place.team.finish(place.start())
    finally:
        place.store.fault = lambda *_: None
    assert done.status is Status.COMPLETED, done.status_message
    assert len(place.store.requests) - before > 10
    place.check_that_each_step_ran_once(done.id)


def test_a_queue_outlives_the_control_plane(place: Place) -> None:
    place.house.held |= {"first", "second"}
    try:
        running = place.start()
        wait_until(lambda: place.house.begun[f"{running}-first"], what="the one that runs")
        queued = place.start()
        get = place.team.sdk.execution.get
        wait_until(lambda: get(queued).status is Status.PENDING, what="its place in the queue")
        place.kill()
    finally:
        place.house.held.clear()  # the one that runs ends while nobody looks
    place.team.mooring.up()
    for execution in (running, queued):
        done = place.team.finish(execution)
        assert done.status is Status.COMPLETED, done.status_message
        place.check_that_each_step_ran_once(execution)
    place.check_that_nothing_is_left()


def test_a_control_plane_that_is_killed_at_each_step_of_an_execution(place: Place) -> None:
    mooring, house, gate = place.team.mooring, place.house, place.gate
    gate.close("GET", "/rows")
    execution = place.start()
    gate.wait()
    place.kill()  # while it fetches an input
    gate.open()
    house.held |= {"first"}
    mooring.up()
    wait_until(lambda: house.begun[f"{execution}-first"], what="the first step")
    place.kill()  # while it runs
    gate.close("PUT", "first")
    house.held.clear()
    mooring.up()
    gate.wait()
    place.kill()  # while it stores an output
    gate.open()
    gate.close("GET", "first")
    mooring.up()
    gate.wait()
    assert place.phases(execution)["first"] == "Succeeded"
    place.kill()  # between two steps
    gate.open()
    mooring.up()
    done = place.team.finish(execution)
    assert done.status is Status.COMPLETED, done.status_message
    assert len(done.output_artifacts) == 1
    place.check_that_each_step_ran_once(execution)
    place.check_that_nothing_is_left()


def test_a_control_plane_that_is_killed_at_each_step_of_a_deployment(place: Place) -> None:
    team, mooring, gate = place.team, place.team.mooring, place.gate
    team.sdk.secrets.create("team-secret", {"apikey": "b25l"}, ai_tenant_scope=False)
    team.file("weights/weights.txt", b"w1").raise_for_status()
    weights = {"weights": team.artifact("ai://default/weights", "model")}
    gate.close("GET", "/weights.txt")
    deployment = team.sdk.deployment.create(team.configure(serving.NAME, {}, weights)).id
    gate.wait()
    place.kill()  # while it fetches its model
    gate.open()
    mooring.up()
    assert team.settle(deployment).status is Status.RUNNING, team.said(deployment, "deployments")
    before = team.ask(deployment, "v1/any")
    url = team.sdk.deployment.get(deployment).deployment_url
    with Prober(f"{url}/v2/hello/", method="POST", headers=mooring.headers(), clients=2) as prober:
        prober.wait_for(10)
        changed = team.configure(serving.NAME, {"greeting": "salve"}, weights)
        team.sdk.deployment.modify(deployment, None, changed)
        wait_until(lambda: len(mooring.replica_pids()) == 2, what="the new one beside the old one")
        place.kill()  # while it changes
        mooring.up()
        assert team.settle(deployment).status is Status.RUNNING
        wait_until(lambda: len(mooring.replica_pids()) == 1, what="the end of the old one")
        prober.wait_for(10)
    assert not prober.failures, str(prober)
    assert before == {"path": "/v1/any"}
    assert team.said(deployment, "deployments") == ["greets with hi", "greets with salve"], "each began once"
    other = team.sdk.deployment.create(team.configure(serving.NAME, {"greeting": "hey"}, weights)).id
    wait_until(lambda: len(mooring.replica_pids()) == 2, what="the start of another")
    place.kill()  # while that starts
    mooring.up()
    assert team.settle(other).status is Status.RUNNING
    assert team.said(other, "deployments") == ["greets with hey"]
    team.remove(other)
    team.remove(deployment)
    assert list(Home(mooring.home).workspaces.iterdir()) == []
