"""An image that has a stand-in runs in a sandbox, any other by the engine that answers; whose it was is kept."""

from pathlib import Path

import pytest

from mooring.runtimes.base import ContainerSpec, ImageError, ImageRequest, Phase
from mooring.runtimes.choice import ChosenContainers
from mooring.runtimes.containers import Containers, Program
from tests.runtimes.harbour import Harbour
from tests.runtimes.sandboxes import IMAGE, Sandboxes


class Engine:
    """An engine whose containers print their image."""

    def __init__(self) -> None:
        self.ended: list[str] = []

    def prepare(self, request: ImageRequest) -> str:
        return f"sha256:{request.image}"

    def program(self, run_id: str, spec: ContainerSpec, folder: Path) -> Program:  # noqa: ARG002
        return Program(["/bin/echo", spec.image])

    def collect(self, run_id: str, folder: Path, path: str, target: Path) -> bool:  # noqa: ARG002
        target.write_text(f"{path} of the engine")
        return True

    def end(self, run_id: str, folder: Path) -> None:  # noqa: ARG002
        self.ended.append(run_id)

    def reason(self, run_id: str, folder: Path, exit_code: int) -> str:  # noqa: ARG002
        return f"the engine's words on {exit_code}"

    def gateway_url(self, public_url: str) -> str:
        return f"{public_url}/engine"


def _use(harbour: Harbour, containers: Containers) -> None:
    harbour.runtime = harbour.another(containers=containers)


def test_a_stand_in_comes_first(sandboxes: Sandboxes) -> None:
    engine = Engine()
    _use(sandboxes.harbour, ChosenContainers(sandboxes.containers, lambda: engine))
    ids = [sandboxes.harbour.runtime.prepare(ImageRequest(image)) for image in (IMAGE, "team/other")]
    assert ids[0].startswith(f"stand-in:{IMAGE}#")
    assert ids[1] == "image:sha256:team/other"
    sandboxes.harbour.runtime.start("job1", ContainerSpec(ids[0], command=["python", "-c", "print('sandbox')"]))
    sandboxes.harbour.runtime.start("job2", ContainerSpec(ids[1]))
    for run_id, words in (("job1", "sandbox"), ("job2", "sha256:team/other")):
        sandboxes.harbour.until(run_id, Phase.EXITED)
        assert sandboxes.harbour.messages(run_id) == [words]


def test_the_next_control_plane_knows_whose_it_was(sandboxes: Sandboxes) -> None:
    engine, out = Engine(), sandboxes.folder / "out"
    runtime = sandboxes.harbour.runtime = sandboxes.harbour.another(
        containers=ChosenContainers(sandboxes.containers, lambda: engine)
    )
    runtime.start("job1", ContainerSpec(runtime.prepare(ImageRequest("team/other"))))
    sandboxes.harbour.until("job1", Phase.EXITED)
    _use(sandboxes.harbour, ChosenContainers(sandboxes.containers, lambda: engine))
    assert sandboxes.harbour.runtime.collect("job1", "/x", out)
    assert out.read_text() == "/x of the engine"
    sandboxes.harbour.runtime.forget("job1")
    assert engine.ended == ["job1"]


def test_without_an_engine_the_way_out_is_said(sandboxes: Sandboxes) -> None:
    for engine in (None, lambda: None):
        _use(sandboxes.harbour, ChosenContainers(sandboxes.containers, engine))
        with pytest.raises(ImageError, match="--stand-in team/other=FOLDER"):
            sandboxes.harbour.runtime.prepare(ImageRequest("team/other"))
    with pytest.raises(ImageError, match="no container engine"):
        ChosenContainers(None, lambda: None).prepare(ImageRequest("team/other"))


def test_an_engine_that_went_away_is_no_reason_to_forget_its_containers(harbour: Harbour) -> None:
    engine: Engine | None = Engine()
    _use(harbour, ChosenContainers(None, lambda: engine))
    harbour.runtime.start("job1", ContainerSpec(harbour.runtime.prepare(ImageRequest("x"))))
    harbour.until("job1", Phase.EXITED)
    engine = None
    with pytest.raises(OSError, match="is not there any more"):
        harbour.runtime.forget("job1")
    assert harbour.runtime.replicas() == ["job1"]
