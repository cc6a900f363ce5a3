"""What `mooring init` writes is accepted as it stands, and nothing that is there is touched."""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mooring.pipeline import project
from mooring.pipeline.refused import Refused
from mooring.pipeline.skeleton.names import project_name, scenario_id
from mooring.pipeline.skeleton.writing import project_files, write_project
from mooring.templates.executable_template import ExecutableTemplate
from mooring.templates.files import read_templates

PROGRAM = str(Path(sys.executable).parent / "mooring")
STAGES = ("dev", "tst", "prd")


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write_project(tmp_path / "churn", "churn", "customer-churn")
    return tmp_path / "churn"


def _init(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PROGRAM, "init", *arguments], cwd=cwd, capture_output=True, text=True, timeout=60)


def _templates(folder: Path) -> list[ExecutableTemplate]:
    found = []
    for file in sorted((folder / "templates").iterdir()):
        for _, template in read_templates(file.read_bytes()):
            assert isinstance(template, ExecutableTemplate), template
            found.append(template)
    return found


def test_the_templates_become_executables(written: Path) -> None:
    serve, train = _templates(written)
    assert (serve.metadata.id, train.metadata.id) == ("churn-serve", "churn-train")
    assert {each.metadata.scenario_id for each in (serve, train)} == {"customer-churn"}


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_is_accepted_and_names_executables_of_the_templates(stage: str, written: Path) -> None:
    wanted = project.read(written / "cicd" / "config.json", stage, {"IMAGE": "registry/churn:1"}).wanted
    (execution,), (deployment,) = wanted.executions, wanted.deployments
    configurations = [execution.configuration, deployment.configuration]
    known = {("customer-churn", template.metadata.id) for template in _templates(written)}
    assert {each.executable for each in configurations} == known
    assert {each.parameters["image"] for each in configurations} == {"registry/churn:1"}


def test_every_parameter_and_input_is_bound(written: Path) -> None:
    wanted = project.read(written / "cicd" / "config.json", "dev", {"IMAGE": "i"}).wanted
    by_id = {template.metadata.id: template for template in _templates(written)}
    for entry in (*wanted.executions, *wanted.deployments):
        template = by_id[entry.configuration.executable_id]
        assert {each.name for each in template.parameters} == set(entry.configuration.parameters)
        assert {each.name for each in template.inputs} == set(entry.configuration.sources)


def test_no_mark_is_left_and_no_file_is_empty(written: Path) -> None:
    files = [path for path in written.rglob("*") if path.is_file()]
    assert len(files) == len(project_files("churn", "churn")) > 10
    for path in files:
        text = path.read_text()
        assert text.endswith("\n")
        assert not re.search(r"@[A-Z]+@", text), path


def test_the_code_is_python_and_the_workflows_are_yaml(written: Path) -> None:
    for path in (written / "src").glob("*.py"):
        ast.parse(path.read_text())
    jobs = [yaml.safe_load(path.read_text())["jobs"] for path in (written / ".github" / "workflows").iterdir()]
    assert {name for each in jobs for name in each} == {"image", "deploy", "plan"}
    gitlab = yaml.safe_load((written / ".gitlab-ci.yml").read_text())
    assert {f"{verb}-{stage}" for verb in ("plan", "deploy") for stage in STAGES} <= set(gitlab)
    assert gitlab["deploy-prd"]["rules"][0]["when"] == "manual"


@pytest.mark.skipif(
    importlib.util.find_spec("check_jsonschema") is None, reason="check-jsonschema is missing: pip install it"
)
@pytest.mark.parametrize(
    ("schema", "files"), [("github-workflows", ".github/workflows/*.yml"), ("gitlab-ci", ".gitlab-ci.yml")]
)
def test_the_workflows_are_what_their_systems_take(schema: str, files: str, written: Path) -> None:
    transform = ["--data-transform", "gitlab-ci"] if schema == "gitlab-ci" else []
    found = [str(path) for path in written.glob(files)]
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", *transform, *found]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert found
    assert done.returncode == 0, done.stdout


def test_the_commands_of_the_workflows_exist(written: Path) -> None:
    texts = [path.read_text() for path in (written / ".github" / "workflows").iterdir()]
    texts.append((written / ".gitlab-ci.yml").read_text())
    used = {tuple(each) for text in texts for each in re.findall(r"\bmooring (\w+) (--\w+) ", text)}
    assert used == {("plan", "--stage"), ("deploy", "--stage")}
    for command, option in used:
        told = subprocess.run([PROGRAM, command, "--help"], capture_output=True, text=True, timeout=60)
        assert told.returncode == 0, told.stderr
        assert option in told.stdout


def test_the_image_is_named_after_its_content(written: Path) -> None:
    def image(**env: str) -> str:
        script = ["sh", str(written / "cicd" / "image.sh")]
        done = subprocess.run(script, env={**os.environ, **env}, capture_output=True, text=True, check=True, timeout=10)
        return done.stdout.strip()

    first = image()
    assert re.fullmatch(r"registry\.example\.com/churn:[0-9a-f]{12}", first)
    (written / "README.md").write_text("other words")
    assert image() == first
    assert image(IMAGE_REPOSITORY="docker.io/you/churn") == first.replace("registry.example.com", "docker.io/you")
    (written / "src" / "serve.py").write_text("print('other code')")
    assert image() != first


def test_what_is_there_is_kept_and_said(tmp_path: Path) -> None:
    folder = tmp_path / "churn"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "train.py").write_text("mine")
    (folder / "Dockerfile").symlink_to("/nowhere/at/all")
    done = _init("churn", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert re.findall(r"kept  (\S+)", done.stdout) == ["Dockerfile", "src/train.py"]
    assert (folder / "src" / "train.py").read_text() == "mine"
    assert (folder / "Dockerfile").is_symlink()
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    again = _init("churn", "--name", "other", cwd=tmp_path)
    assert "new " not in again.stdout
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_it_says_what_to_fill_in(tmp_path: Path) -> None:
    said = _init("churn", cwd=tmp_path).stdout
    assert "SETUP.md" in said
    setup = (tmp_path / "churn" / "SETUP.md").read_text()
    texts = [path.read_text() for path in (tmp_path / "churn" / ".github" / "workflows").iterdir()]
    used = {name for text in texts for name in re.findall(r"(?:secrets|vars)\.(\w+)", text)}
    assert len(used) > 10
    assert {name for name in used if f"`{name}`" not in setup} == set()


@pytest.mark.parametrize(
    "arguments", [("x",), ("churn", "--name", "A b"), ("churn", "--scenario", "a/b"), ("churn", "--name", "a--bc"),
                  ("a-file",)],
)  # fmt: skip
def test_what_cannot_be_is_refused_and_leaves_nothing(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("mine")
    done = _init(*arguments, cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.startswith("mooring: ")
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a-file"]


def test_names_come_from_the_folder() -> None:
    assert project_name(None, Path("/home/me/My Project_2")) == "my-project-2"
    assert scenario_id(None, "my-project-2") == "my-project-2"
    with pytest.raises(Refused, match="--name"):
        project_name(None, Path("/"))


def test_the_json_file_is_json(written: Path) -> None:
    document = json.loads((written / "cicd" / "config.json").read_text())
    assert set(document["stages"]) == set(STAGES)
