"""An execution's journey, on a real store: queued, prepared, run, stored, registered."""

import json

import pytest

from mooring.artifacts.errors import SourceAway
from mooring.runtimes import room
from mooring.runtimes.base import ContainerSpec, ImageAway, ImageError, ImageRequest
from mooring.services import artifacts, executions, logs
from mooring.services.artifacts import NewArtifact
from tests.controllers.job_yard import GROUP, Played, Yard

TRAIN = """
spec:
  entrypoint: main
  arguments: {parameters: [{name: epochs, default: 3}]}
  templates:
    - name: main
      outputs: {artifacts: [{name: m, path: /app/model, globalName: model, archive: {none: {}}}]}
      container:
        image: example/demo:1
        command: [python, train.py]
        args: ["{{workflow.parameters.epochs}}"]
"""
READ = """
spec:
  entrypoint: main
  templates:
    - name: main
      inputs: {{artifacts: [{{name: rows, path: {path}}}]}}
      container: {{image: a, command: [ls]}}
"""
STEPS = """
spec:
  entrypoint: main
  templates:
    - name: main
      steps:
        - - {name: ask, template: ask}
        - - name: use
            template: use
            arguments:
              parameters:
                - {name: said, value: "{{steps.ask.outputs.result}}"}
                - {name: size, value: "{{steps.ask.outputs.parameters.size}}"}
              artifacts: [{name: rows, from: "{{steps.ask.outputs.artifacts.rows}}"}]
    - name: ask
      outputs:
        parameters: [{name: size, valueFrom: {path: /tmp/size}}]
        artifacts: [{name: rows, path: /tmp/rows, archive: {none: {}}}]
      script: {image: a, command: [python], source: "print('hello')"}
    - name: use
      inputs: {parameters: [{name: said}, {name: size}], artifacts: [{name: rows, path: /in/rows}]}
      container: {image: a, command: [use], args: ["{{inputs.parameters.said}}", "{{inputs.parameters.size}}"]}
"""


def test_what_it_makes_is_registered_with_its_completion(yard: Yard) -> None:
    yard.template(TRAIN)
    specs: list[ContainerSpec] = []

    def train(spec: ContainerSpec) -> Played:
        specs.append(spec)
        return Played(files={"/app/model": "weights"}, prints=("done",))

    yard.runtime.plays = train
    execution_id = yard.run(epochs="5")
    row = yard.until_status(execution_id, "COMPLETED")
    assert (row.status_message, row.target_status) == ("", "COMPLETED")
    assert row.created_at <= row.submission_time <= row.start_time <= row.completion_time  # type: ignore[operator]
    (spec,) = specs
    assert (spec.image, spec.command, spec.args) == ("image:example/demo:1", ("python", "train.py"), ("5",))
    with yard.database.reading() as session:
        (made,) = executions.outputs_of(session, GROUP, [execution_id])[execution_id]
    assert (made.name, made.kind, made.scenario_id) == ("model", "model", "greetings")
    assert made.url == f"ai://default/{execution_id}/model"
    assert (made.execution_id, made.configuration_id) == (execution_id, row.configuration_id)
    assert made.labels == [{"key": "ext.ai.sap.com/by", "value": "us"}]
    assert (yard.transfers.folder / GROUP / execution_id / "model").read_text() == "weights"


def test_two_at_once_that_make_the_same_output_each_have_their_own(yard: Yard) -> None:
    yard.template(TRAIN)
    yard.runtime.plays = lambda spec: Played(files={"/app/model": f"weights {(spec.args or ())[0]}"})
    raced = {yard.run(epochs=epochs): epochs for epochs in ("1", "2")}
    for execution_id in raced:
        yard.until_status(execution_id, "COMPLETED")
    with yard.database.reading() as session:
        made = executions.outputs_of(session, GROUP, list(raced))
    for execution_id, epochs in raced.items():
        (artifact,) = made[execution_id]
        assert artifact.url == f"ai://default/{execution_id}/model"
        assert (yard.transfers.folder / GROUP / execution_id / "model").read_text() == f"weights {epochs}"


def test_nothing_is_left_of_it_but_its_logs(yard: Yard) -> None:
    yard.template(TRAIN)
    yard.runtime.plays = lambda _spec: Played(files={"/app/model": "weights"}, prints=("one", "two"))
    execution_id = yard.run()
    yard.until_status(execution_id, "COMPLETED")
    assert (yard.runtime.runs, list((yard.folder / "jobs").iterdir()), yard.controller.all_ids()) == ({}, [], [])
    with yard.database.reading() as session:
        pods = logs.jobs_of(session, GROUP, execution_id)
    assert list(pods.values()) == [f"{execution_id}-main"]
    assert [line.message for line in yard.runtime.lines[next(iter(pods))]] == ["one", "two"]


@pytest.mark.parametrize(
    ("played", "problem"),
    [
        (
            Played(files={"/tmp/size": "a\0b", "/tmp/rows": "1"}),
            "the output parameter 'size' at /tmp/size holds a zero",
        ),
        (Played(files={"/tmp/size": "1", "/tmp/rows": "1"}, prints=("a\0b",)), "what it has printed, which others use"),
    ],
)
def test_a_value_with_a_zero_byte_is_refused_in_words(yard: Yard, played: Played, problem: str) -> None:
    yard.template(STEPS)
    yard.runtime.plays = lambda _spec: played
    row = yard.until_status(yard.run(), "DEAD")
    assert problem in row.status_message
    assert "write text, or hand over an artifact instead" in row.status_message


@pytest.mark.parametrize("as_reason", [False, True])
def test_last_words_with_a_zero_byte_are_kept_without_it(yard: Yard, *, as_reason: bool) -> None:
    yard.template(TRAIN)
    yard.runtime.plays = lambda _spec: Played(1, prints=("a\0b",), reason="a\0b" if as_reason else "")
    row = yard.until_status(yard.run(), "DEAD")
    assert "a\N{REPLACEMENT CHARACTER}b" in row.status_message


@pytest.mark.parametrize("as_reason", [False, True])
def test_every_job_knows_whom_it_tracks_and_its_address_is_written_nowhere(
    yard: Yard, caplog: pytest.LogCaptureFixture, *, as_reason: bool
) -> None:
    yard.template(TRAIN)
    caplog.set_level("DEBUG")
    endpoints: list[str] = []

    def train(spec: ContainerSpec) -> Played:
        assert spec.env["AICORE_ARTIFACT_SIGNATURES"] == "{}"
        endpoints.append(spec.env["AICORE_TRACKING_ENDPOINT"])
        words = f"cannot reach {endpoints[-1]}/api/v1/metrics"
        return Played(1, prints=(words,), reason=words if as_reason else "")

    yard.runtime.plays = train
    execution_id = yard.run()
    row = yard.until_status(execution_id, "DEAD")
    assert endpoints[0].startswith(f"http://inside/tracking/{execution_id}~{GROUP}~")
    told = json.dumps([row.status_message, row.status_details, caplog.text])
    assert "cannot reach http://inside/tracking/…/api" in row.status_message
    assert endpoints[0].rpartition("~")[2] not in told


def test_a_template_changed_later_changes_nothing(yard: Yard) -> None:
    yard.template(TRAIN)
    args: list[object] = []

    def train(spec: ContainerSpec) -> Played:
        args.append((*(spec.command or ()), *(spec.args or ())))
        return Played(files={"/app/model": "w"})

    yard.runtime.plays = train
    execution_id = yard.run()
    yard.template(TRAIN.replace("train.py", "other.py").replace("default: 3", "default: 9"))
    yard.until_status(execution_id, "COMPLETED")
    assert args == [("python", "train.py", "3")]


def test_steps_hand_over_values_and_files(yard: Yard) -> None:
    yard.template(STEPS)
    seen: list[ContainerSpec] = []

    def play(spec: ContainerSpec) -> Played:
        seen.append(spec)
        if spec.command == ("python",):
            script = next(mount for mount in spec.mounts if (mount.target,) == spec.args)
            assert (script.source.read_text(), script.read_only) == ("print('hello')", True)
            return Played(files={"/tmp/size": "12\n", "/tmp/rows": "a,b"}, prints=("noise", "hello"))
        rows = next(mount for mount in spec.mounts if mount.target == "/in/rows")
        assert (rows.source.read_text(), rows.read_only) == ("a,b", False)
        assert rows.source.stat().st_mode & 0o666 == 0o666
        return Played()

    yard.runtime.plays = play
    execution_id = yard.run()
    row = yard.until_status(execution_id, "COMPLETED")
    assert seen[1].args == ("noise\nhello", "12")
    phases = {node["node"]: node["phase"] for node in row.status_details["nodes"]}
    assert phases == {"main": "Succeeded", "main[0].ask": "Succeeded", "main[1].use": "Succeeded"}


@pytest.mark.parametrize(
    ("key", "path", "place"),
    [
        ("cicd/example.txt", "/app/data", "example.txt"),  # the AI API's own example, which lists /app/data
        ("cicd/example.txt", "/app/data/rows.txt", ""),
        ("cicd/example", "/app/data", ""),
    ],
)
def test_a_single_object_lies_where_its_name_and_the_path_say(yard: Yard, key: str, path: str, place: str) -> None:
    yard.template(READ.format(path=path))
    yard.transfers.put(key, "hi")
    with yard.database.transaction() as session:
        new = NewArtifact("rows", "dataset", f"ai://default/{key}", "greetings")
        artifact_id = artifacts.create(session, GROUP, new).id
    found: list[str] = []

    def read(spec: ContainerSpec) -> Played:
        (mount,) = spec.mounts
        assert mount.target == path
        found.append((mount.source / place).read_text())
        return Played()

    yard.runtime.plays = read
    yard.until_status(yard.run(inputs={"rows": artifact_id}), "COMPLETED")
    assert found == ["hi"]


def test_two_that_make_the_same_do_not_meet(yard: Yard) -> None:
    yard.template(TRAIN)
    made = iter(("first", "second"))
    yard.runtime.plays = lambda _spec: Played(files={"/app/model": next(made)})
    ids = [yard.run(), yard.run()]
    for each in ids:
        yard.until_status(each, "COMPLETED")
    stored = {(yard.transfers.folder / GROUP / each / "model").read_text() for each in ids}
    assert stored == {"first", "second"}


# --- what goes wrong --------------------------------------------------------------------------------------------------


def test_a_failure_names_the_step_the_exit_code_and_its_last_words(yard: Yard) -> None:
    yard.template(TRAIN)
    yard.runtime.plays = lambda _spec: Played(3, prints=("reading", "ValueError: no rows", ""))
    row = yard.until_status(yard.run(), "DEAD")
    assert row.status_message == "main: ended by itself with exit code 3: ValueError: no rows"
    (node,) = row.status_details["nodes"]
    assert (node["node"], node["template"], node["phase"], node["exitCode"]) == ("main", "main", "Failed", 3)
    assert "no rows" in node["message"]
    assert row.completion_time


def test_a_promise_that_is_not_kept_is_a_failure(yard: Yard) -> None:
    yard.template(TRAIN)
    row = yard.until_status(yard.run(), "DEAD")
    assert row.status_message == "main: has left nothing at /app/model, where the output artifact 'm' should lie"


def test_an_image_that_cannot_be_had_is_a_failure(yard: Yard) -> None:
    yard.template(TRAIN)

    def refuse(request: ImageRequest) -> str:
        raise ImageError(f"there is no image {request.image}")

    yard.runtime.prepares = refuse
    row = yard.until_status(yard.run(), "DEAD")
    assert row.status_message == "main: there is no image example/demo:1"
    assert row.status_details["nodes"][0]["phase"] == "Error"
    assert row.start_time is None


def test_a_job_does_not_begin_on_a_disk_that_is_nearly_full(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_TO_BEGIN_BYTES", 1 << 60)
    yard.template(TRAIN)
    yard.runtime.plays = lambda _spec: Played(files={"/app/model": "w"})
    execution_id = yard.run()
    yard.until("told", lambda: yard.status(execution_id)[1].startswith("waits for room on the disk: "))
    monkeypatch.setattr(room, "_TO_BEGIN_BYTES", 0)
    yard.until_status(execution_id, "COMPLETED")


@pytest.mark.parametrize("trouble", [SourceAway("the store is away"), ImageAway("the registry is away")])
def test_trouble_that_passes_is_waited_for_and_told(yard: Yard, trouble: Exception) -> None:
    yard.template(TRAIN)
    troubles = [trouble]

    def prepare(request: ImageRequest) -> str:
        if troubles:
            raise troubles.pop()
        return request.image

    yard.runtime.prepares = prepare
    yard.runtime.plays = lambda _spec: Played(files={"/app/model": "w"})
    execution_id = yard.run()
    yard.until("told", lambda: yard.status(execution_id) == ("PENDING", str(trouble)))
    yard.until_status(execution_id, "COMPLETED")


def test_storing_is_tried_again(yard: Yard) -> None:
    yard.template(TRAIN)
    yard.transfers.trouble = [SourceAway("the store is away")]
    yard.runtime.plays = lambda _spec: Played(files={"/app/model": "w"})
    execution_id = yard.run()
    yard.until("told", lambda: "the store is away" in yard.status(execution_id)[1])
    yard.until_status(execution_id, "COMPLETED")
    assert len(yard.runtime.started) == 1, "what has run well does not run again"


@pytest.mark.parametrize("url", ["s3://bucket/rows", "ai://nowhere/rows", "ai://default/not/there"])
def test_an_input_that_cannot_be_had_is_named(yard: Yard, url: str) -> None:
    yard.template(READ.format(path="/in"))
    with yard.database.transaction() as session:
        artifact_id = artifacts.create(session, GROUP, NewArtifact("rows", "dataset", url, "greetings")).id
    row = yard.until_status(yard.run(inputs={"rows": artifact_id}), "DEAD")
    assert row.status_message.startswith("main: ")
    assert any(word in row.status_message for word in (url, "object store secret"))


def test_a_step_is_tried_again_when_its_template_says_so(yard: Yard) -> None:
    yard.template(TRAIN.replace("      outputs:", "      retryStrategy: {limit: 2}\n      outputs:"))
    tries = iter((1, 1, 0))
    yard.runtime.plays = lambda _spec: Played(next(tries), files={"/app/model": "w"})
    execution_id = yard.run()
    yard.until_status(execution_id, "COMPLETED")
    with yard.database.reading() as session:
        pods = logs.jobs_of(session, GROUP, execution_id)
    assert list(pods.values()) == [f"{execution_id}-main{which}" for which in ("", "(1)", "(2)")]
