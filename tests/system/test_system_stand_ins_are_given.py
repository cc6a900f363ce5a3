"""Stand-ins are given on the command line, in the environment or in a file, and mistakes are named."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from mooring.cli.up import _environment
from mooring.domain.stand_ins import StandIn
from mooring.home import Home
from mooring.settings import Settings
from mooring.system.errors import CannotStart
from mooring.system.stand_ins import stand_ins
from tests.system.running_mooring import RunningMooring


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def test_all_of_it_can_be_said_in_the_environment(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"folder": str(project), "path": "/srv", "requirements": "r.txt", "command": ["python"], "python": "3.12"}
    monkeypatch.setenv("MOORING_STAND_INS", json.dumps({"team/model": given}))
    found = stand_ins(Settings()).find("team/model:3")
    assert found == StandIn(project, "/srv", "r.txt", ("python",), "3.12")


@pytest.mark.parametrize(
    "wrong", ['{"a": {}}', '{"a": {"folder": 1}}', '{"a": {"folder": "/x", "command": "one"}}', "[]"]
)
def test_what_makes_no_sense_in_the_environment_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORING_STAND_INS", wrong)
    with pytest.raises(ValidationError, match="stand_ins"):
        Settings()


def test_folders_in_a_file_are_relative_to_it(project: Path) -> None:
    file = project.parent / "stand-ins.yaml"
    file.write_text("team/train: {folder: project}\nteam/serve: {folder: project, path: /srv}\n")
    direct = {"team/serve": StandIn(project, "/app")}
    found = stand_ins(Settings(stand_ins_file=file, stand_ins=direct))
    assert found.find("team/train") == StandIn(project)
    assert found.find("team/serve") == StandIn(project, "/app")


@pytest.mark.parametrize(
    ("content", "words"),
    [("team/train: {path: /x}", "team/train.folder"), ("a: b: c", "cannot be read"), ("[1]", "make no sense")],
)
def test_a_file_that_makes_no_sense_is_named(project: Path, content: str, words: str) -> None:
    file = project / "stand-ins.yaml"
    file.write_text(content)
    with pytest.raises(CannotStart, match=words) as raised:
        stand_ins(Settings(stand_ins_file=file))
    assert str(file) in str(raised.value)


def test_they_reach_a_control_plane_in_the_background(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = Settings(stand_ins={"team/model": StandIn(project, command=("python", "x.py"))})
    for name, value in _environment(settings).items():
        if name.startswith("MOORING_"):
            monkeypatch.setenv(name, value)
    assert Settings().stand_ins == settings.stand_ins


def test_a_folder_that_is_not_there_is_refused_at_once(empty_home: Path) -> None:
    refused = RunningMooring(empty_home).run("up", "--stand-in", "team/model=/no/such", "--detach", accepted=(2,))
    assert "IMAGE=FOLDER" in refused.stderr


@pytest.mark.slow
def test_mooring_starts_with_them_and_containers_can_reach_its_gateway(empty_home: Path, project: Path) -> None:
    with RunningMooring(empty_home, None, "--stand-in", f"team/model={project}") as mooring:
        assert mooring.status()["ready"]
        assert (Home(empty_home).sockets / "gateway" / "gateway.sock").is_socket()
