"""A file becomes what is wanted, or is refused with file, line and key."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from mooring.pipeline.editor_schema import editor_schema
from mooring.pipeline.project import read
from mooring.pipeline.refused import Problem, Refused
from tests.pipeline.project_files import document, project

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "taxi" / "cicd" / "config.json"
VALIDATOR = jsonschema_rs.validator_for(editor_schema())


def refusal(folder: Path, content: object, stage: str | None = None, **env: str) -> tuple[Problem, ...]:
    with pytest.raises(Refused) as raised:
        project(folder, content, stage, **env)
    assert str(folder / "config.json") in str(raised.value)
    return raised.value.problems


def lines_of(content: object, text: str) -> list[int]:
    return [n for n, line in enumerate(json.dumps(content, indent=2).splitlines(), 1) if text in line]


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    wanted = project(tmp_path, document()).wanted
    assert (wanted.executions[0].wait_for_status, wanted.deployments[0].wait_for_status) == ("COMPLETED", "RUNNING")
    assert (wanted.executions[0].name, wanted.clean_up) == ("training", False)
    assert wanted.executions[0].configuration.sources == {"rows": "rows"}


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ('{\n "artifacts": [\n  {]\n}', 3, "JSON"),
        ('{\n "artifacts": [],\n "artifacts": []\n}', 3, "second time"),
        ("[" * 40 + "]" * 40, 1, "deeper"),
        ("[" * 100_000 + "]" * 100_000, 0, "JSON"),
        ('{"clean_up": NaN}', 0, "NaN"),
        ("", 1, "JSON"),
        ("[]", 1, "object"),
        (" " * 2_000_000, 0, "larger"),
    ],
    ids=["syntax", "twice", "deep", "very deep", "no number", "empty", "list", "large"],
)
def test_what_is_no_proper_json_is_refused(tmp_path: Path, text: str, line: int, word: str) -> None:
    problem = refusal(tmp_path, text)[0]
    assert problem.line == line
    assert word in problem.message


def test_a_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="No such file"):
        read(tmp_path / "nothing.json", None, {})


def _changed(path: list[Any], value: object) -> dict[str, Any]:
    content = document()
    place: Any = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return content


def _words(path: list[Any]) -> str:
    return ".".join(str(each) for each in path)


WRONG: list[tuple[list[Any], object, str]] = [
    (["deployments", 0, "wait_for_statuss"], "RUNNING", "`wait_for_status`"),
    (["deployments", 0, "wait_for_status"], "COMPLETED", "RUNNING"),
    (["deployments", 0, "ttl"], "soon", "pattern"),
    (["deployments", 0, "destination_name"], "wärme", "pattern"),
    (["deployments", 0, "destination_name"], "..", "pattern"),
    (["executions", 0, "rerun"], "yes", "boolean"),
    (["executions", 0, "configuration", "parameter_bindings", 0, "value"], 3, "string"),
    (["executions", 0, "configuration", "executable_id"], "a b", "pattern"),
    (["artifacts", 0, "kind"], "table", "'dataset'"),
    (["artifacts", 0, "url"], "/data/rows", "pattern"),
    (["deployment"], [], "`deployments`"),
]


@pytest.mark.parametrize(("path", "value", "word"), WRONG, ids=[_words(path) for path, _, _ in WRONG])
def test_what_does_not_fit_is_told_with_line_and_key(tmp_path: Path, path: list[Any], value: object, word: str) -> None:
    content = _changed(path, value)
    (problem,) = refusal(tmp_path, content)
    assert problem.key == _words(path)
    assert problem.line in lines_of(content, f'"{path[-1]}"')
    assert word in problem.message
    assert not VALIDATOR.is_valid(content), "an editor tells it as well"


def test_what_is_missing_is_told_at_its_parent(tmp_path: Path) -> None:
    content = document()
    del content["deployments"][0]["configuration"]["name"]
    (problem,) = refusal(tmp_path, content)
    assert (problem.key, problem.message) == ("deployments.0.configuration.name", "Field required")
    assert problem.line == lines_of(content, '"configuration"')[1]


def test_all_problems_are_told_at_once(tmp_path: Path) -> None:
    content = document(clean_up="yes", artifact=[])
    assert {each.key for each in refusal(tmp_path, content)} == {"clean_up", "artifact"}


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    content = document()
    content["deployments"] *= 2
    (problem,) = refusal(tmp_path, content)
    assert "server stands here 2 times" in problem.message


def test_a_destination_leads_to_one_deployment(tmp_path: Path) -> None:
    content = document()
    content["deployments"] = [
        {**content["deployments"][0], "key": key, "destination_name": "CHURN"} for key in ("one", "two")
    ]
    (problem,) = refusal(tmp_path, content)
    assert problem.key == "deployments"
    assert "2 have the destination CHURN" in problem.message


# --- variables ---


def test_variables_are_filled_in_values(tmp_path: Path) -> None:
    content = document(greeting="${WORD}, $${WORD} $5 ${WORD}")
    found = project(tmp_path, content, WORD='a "b"\n').wanted.deployments[0].configuration.parameters["greeting"]
    assert found == 'a "b"\n, ${WORD} $5 a "b"\n'


def test_variables_that_are_not_set_are_all_named(tmp_path: Path) -> None:
    content = document(greeting="${ONE}", epochs="${TWO}")
    problems = refusal(tmp_path, content)
    assert [problem.message for problem in problems] == [
        "the environment variable TWO is not set",
        "the environment variable ONE is not set",
    ]
    assert [problem.line for problem in problems] == [lines_of(content, "TWO")[0], lines_of(content, "ONE")[0]]


@pytest.mark.parametrize("text", ["${", "${A", "${a-b}", "${}"])
def test_half_a_variable_is_refused(tmp_path: Path, text: str) -> None:
    assert "`${` needs" in refusal(tmp_path, document(greeting=text))[0].message


def test_values_of_the_environment_are_not_told(tmp_path: Path) -> None:
    content = _changed(["artifacts", 0, "url"], "${SECRET}")
    assert "hunter2" not in str(refusal(tmp_path, content, SECRET="hunter2"))


# --- stages ---


STAGED = document(
    clean_up=True,
    stages={
        "dev": {},
        "prd": {
            "clean_up": False,
            "deployments": [
                {"configuration": {"name": "server", "parameter_bindings": [{"key": "greeting", "value": "${WORD}"}]}}
            ],
            "artifacts": [{**document()["artifacts"][0], "key": "more"}],
        },
    },
)


def test_a_stage_has_what_is_shared_and_what_it_changes(tmp_path: Path) -> None:
    dev, prd = (project(tmp_path, STAGED, stage, WORD="salve").wanted for stage in ("dev", "prd"))
    assert dev == project(tmp_path, document(clean_up=True)).wanted
    assert (prd.clean_up, [each.key for each in prd.artifacts]) == (False, ["rows", "more"])
    (server,) = prd.deployments
    assert server.configuration.parameters == {"greeting": "salve"}
    assert server.configuration.sources == {"weights": "weights"}
    assert prd.executions == dev.executions


def test_variables_of_another_stage_are_not_needed(tmp_path: Path) -> None:
    assert project(tmp_path, STAGED, "dev").wanted.clean_up


@pytest.mark.parametrize(
    ("content", "stage", "word"),
    [(STAGED, None, "dev, prd"), (STAGED, "tst", "dev, prd"), (document(), "dev", "no `stages`")],
    ids=["none given", "unknown", "file without"],
)
def test_a_stage_has_to_be_there(tmp_path: Path, content: object, stage: str | None, word: str) -> None:
    assert word in refusal(tmp_path, content, stage)[0].message


def test_a_line_is_that_of_the_stage(tmp_path: Path) -> None:
    content = document(stages={"dev": {"deployments": [{"configuration": {"name": "server", "scenario_id": "?"}}]}})
    (problem,) = refusal(tmp_path, content, "dev")
    assert problem.line == lines_of(content, '"?"')[0]


# --- for editors ---


@pytest.mark.parametrize("content", [document(), STAGED, {"$schema": "x", **document()}], ids=["plain", "staged", "$"])
def test_the_schema_for_editors_accepts_what_is_accepted(content: object) -> None:
    assert jsonschema_rs.meta.is_valid(editor_schema())
    VALIDATOR.validate(content)


def test_the_example_is_right(tmp_path: Path) -> None:
    VALIDATOR.validate(json.loads(EXAMPLE.read_text()))
    assert project(tmp_path, EXAMPLE.read_text()).wanted.deployments
