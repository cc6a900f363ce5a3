"""The file and what is there in, the steps out: no server needed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mooring.client.artifacts import Artifact
from mooring.client.deployments import Deployment
from mooring.client.executions import Execution
from mooring.pipeline.found import Found
from mooring.pipeline.plan import plan
from mooring.pipeline.refused import Refused
from mooring.pipeline.steps import OutputOf, Plan
from mooring.pipeline.words import lines
from tests.pipeline.project_files import (
    EXECUTABLES,
    configuration,
    deployment,
    document,
    execution,
    found_configuration,
    project,
    rows,
    server_configuration,
    training_configuration,
)

NOTHING = Found(executables=EXECUTABLES, base_url="http://x/v2")
ALL = replace(
    NOTHING,
    artifacts=(rows(),),
    configurations=(training_configuration(), server_configuration()),
    executions=(execution(),),
    deployments=(deployment(),),
)


def planned(folder: Path, found: Found, content: object | None = None) -> Plan:
    return plan(project(folder, content or document()), found)


def verbs(plan: Plan) -> list[str]:
    return [f"{verb} {kind}" for verb, kind, _, _ in lines(plan)]


def test_where_nothing_is_everything_is_made(tmp_path: Path) -> None:
    found = planned(tmp_path, NOTHING)
    assert verbs(found) == [
        "create artifact",
        "create configuration",
        "create execution",
        "create configuration",
        "create deployment",
    ]
    assert found.changes


def test_where_everything_is_nothing_is_done(tmp_path: Path) -> None:
    found = planned(tmp_path, ALL)
    assert verbs(found) == [
        "reuse artifact",
        "reuse configuration",
        "reuse execution",
        "reuse configuration",
        "keep deployment",
    ]
    assert not found.changes
    assert found.known[OutputOf("training", "weights")] == "a-e1"


def test_any_of_the_same_artifacts_will_do(tmp_path: Path) -> None:
    assert not planned(tmp_path, replace(ALL, artifacts=(rows("a-0"), rows(), rows("a-z")))).changes


def test_bindings_in_another_order_are_the_same(tmp_path: Path) -> None:
    content = document()
    bindings = content["executions"][0]["configuration"]["parameter_bindings"]
    bindings.append({"key": "seed", "value": "2"})
    there = found_configuration("c-train", "training", "train", {"rows": "a-rows"}, seed="2", epochs="3")
    assert not planned(tmp_path, replace(ALL, configurations=(there, server_configuration())), content).changes


EXECUTIONS: dict[str, tuple[tuple[Execution, ...], str]] = {
    "none": ((), "create"),
    "it has completed": ((execution(),), "reuse"),
    "it is on its way": ((execution("e2", "RUNNING"),), "follow"),
    "it has just been made": ((execution("e2", "UNKNOWN"),), "follow"),
    "it has failed": ((execution("e2", "DEAD"),), "create"),
    "it was stopped": ((execution("e2", "STOPPED"),), "create"),
    "it is being stopped": ((execution("e2", "RUNNING", target_status="STOPPED"),), "create"),
    "it is being deleted": ((execution("e1", target_status="DELETED"),), "create"),
    "it ran with other values": ((execution("e1", configuration_id="c-other"),), "create"),
    "it has not made what is needed": ((execution().model_copy(update={"output_artifacts": ()}),), "create"),
}


@pytest.mark.parametrize("case", EXECUTIONS)
def test_an_execution_runs_once_for_its_values(tmp_path: Path, case: str) -> None:
    executions, verb = EXECUTIONS[case]
    found = planned(tmp_path, replace(ALL, executions=executions))
    assert verbs(found)[2] == f"{verb} execution"
    if verb != "reuse":
        assert verbs(found)[4] == "change deployment", "it gets what will have been made"


def test_a_rerun_runs_each_time(tmp_path: Path) -> None:
    content = document()
    content["executions"][0]["rerun"] = True
    assert "create execution" in verbs(planned(tmp_path, ALL, content))


OTHER = server_configuration("c-old", greeting="old")
DEPLOYMENTS: dict[str, tuple[tuple[Deployment, ...], str]] = {
    "none": ((), "create"),
    "it runs": ((deployment(),), "keep"),
    "it starts": ((deployment(status="PENDING"),), "keep"),
    "other values": ((deployment(configuration_id="c-old"),), "change"),
    "it is dead": ((deployment(status="DEAD"),), "change"),
    "stopped": ((deployment(status="STOPPED"),), "create"),
    "is being stopped": ((deployment(target_status="STOPPED"),), "create"),
    "is being deleted": ((deployment(target_status="DELETED"),), "create"),
    "another name": ((deployment(configuration_name="other"),), "create"),
    "another executable": ((deployment(executable_id="other"),), "create"),
    "a dead one beside it": ((deployment("d0", "DEAD"), deployment()), "keep"),
}


@pytest.mark.parametrize("case", DEPLOYMENTS)
def test_a_deployment_is_found_by_its_name(tmp_path: Path, case: str) -> None:
    deployments, verb = DEPLOYMENTS[case]
    found = planned(tmp_path, replace(ALL, deployments=deployments, configurations=(*ALL.configurations, OTHER)))
    assert verbs(found)[-1] == f"{verb} deployment"
    assert found.deployments[0].id in ("", "d1")


def test_a_change_is_told_by_the_names_of_what_differs(tmp_path: Path) -> None:
    there = (deployment(configuration_id="c-old"),)
    found = planned(tmp_path, replace(ALL, deployments=there, configurations=(*ALL.configurations, OTHER)))
    assert list(lines(found))[-1] == ("change", "deployment", "server", "d1: greeting")


def test_a_dead_one_is_tried_again_with_an_equal_configuration(tmp_path: Path) -> None:
    dead = replace(ALL, deployments=(deployment(status="DEAD"),))
    assert verbs(planned(tmp_path, dead))[-2:] == ["create configuration", "change deployment"]
    copy = server_configuration("c-serve-2")
    again = planned(tmp_path, replace(dead, configurations=(*ALL.configurations, copy)))
    assert list(lines(again))[-2] == ("reuse", "configuration", "server", "c-serve-2")


def refusals(folder: Path, found: Found, content: object | None = None) -> str:
    with pytest.raises(Refused) as raised:
        planned(folder, found, content)
    assert all(problem.line for problem in raised.value.problems)
    return str(raised.value)


def test_of_several_none_is_chosen(tmp_path: Path) -> None:
    both = replace(ALL, deployments=(deployment(), deployment("d2")))
    told = refusals(tmp_path, both)
    assert "d1, d2" in told
    assert "existing_deployment_id" in told


def test_a_name_that_the_pipeline_makes_too_long_is_refused(tmp_path: Path) -> None:
    content = document(pipeline="nightly")
    content["deployments"][0]["configuration"]["name"] = "s" * 250
    assert "260 characters" in refusals(tmp_path, ALL, content)


def test_an_id_in_the_file_wins(tmp_path: Path) -> None:
    content = document()
    content["deployments"][0]["existing_deployment_id"] = "d002"
    both = replace(ALL, deployments=(deployment(), deployment("d002", configuration_id="c-x", configuration_name="x")))
    found = planned(tmp_path, both, content)
    assert (verbs(found)[-1], found.deployments[0].id) == ("change deployment", "d002")


@pytest.mark.parametrize(
    ("there", "word"),
    [
        ((), "no deployment d002"),
        ((deployment("d002", "STOPPED"),), "STOPPED"),
        ((deployment("d002", executable_id="other"),), "other"),
    ],
    ids=["missing", "stopped", "of another executable"],
)
def test_an_id_that_cannot_be_changed_is_refused(tmp_path: Path, there: tuple[Deployment, ...], word: str) -> None:
    content = document()
    content["deployments"][0]["existing_deployment_id"] = "d002"
    assert word in refusals(tmp_path, replace(ALL, deployments=there), content)


def test_two_entries_about_one_deployment_are_refused(tmp_path: Path) -> None:
    content = document()
    content["deployments"].append({**content["deployments"][0], "key": "second"})
    assert "same deployment d1" in refusals(tmp_path, ALL, content)


MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown executable": (configuration("x", "nothing", []), "synced"),
    "runs once": (configuration("x", "train", ["rows"], epochs="1"), "put it under `executions`"),
    "value missing": (configuration("x", "train", ["rows"]), "epochs"),
    "unknown input": (configuration("x", "serve", ["nothing"]), "nothing is neither"),
}


@pytest.mark.parametrize("case", MISFITS)
def test_what_a_server_would_refuse_is_refused_before(tmp_path: Path, case: str) -> None:
    content, word = MISFITS[case]
    assert word in refusals(tmp_path, NOTHING, document(deployments=[{"configuration": content}]))


def test_values_that_nobody_takes_are_warned_of(tmp_path: Path) -> None:
    content = document(deployments=[{"configuration": configuration("x", "serve", ["rows", "weights"], colour="red")}])
    told = " ".join(planned(tmp_path, NOTHING, content).warnings)
    assert "no parameter colour" in told
    assert "no input rows" in told


def test_outputs_of_the_same_name_need_their_execution(tmp_path: Path) -> None:
    content = document()
    content["executions"].append({"configuration": configuration("second", "train", ["rows"], epochs="9")})
    assert "training/weights, second/weights" in refusals(tmp_path, NOTHING, content)
    content["deployments"][0]["configuration"]["input_artifact_bindings"][0]["value"] = "second/weights"
    assert planned(tmp_path, NOTHING, content).changes


def test_executions_wait_for_each_other_but_not_in_a_circle(tmp_path: Path) -> None:
    content = document()
    later = {"configuration": configuration("later", "train", [], epochs="9")}
    later["configuration"]["input_artifact_bindings"] = [{"key": "rows", "value": "training/weights"}]
    content["executions"].insert(0, later)
    content["deployments"] = []
    assert [each.entry.name for each in planned(tmp_path, NOTHING, content).executions] == ["training", "later"]
    content["executions"][1]["configuration"]["input_artifact_bindings"][0]["value"] = "later/weights"
    assert "wait for each other" in refusals(tmp_path, NOTHING, content)


def test_what_is_needed_has_to_complete(tmp_path: Path) -> None:
    content = document()
    content["executions"][0]["wait_for_status"] = None
    assert "COMPLETED" in refusals(tmp_path, NOTHING, content)


def test_a_group_that_is_missing_is_made(tmp_path: Path) -> None:
    missing = replace(NOTHING, resource_group_missing=True)
    assert verbs(planned(tmp_path, missing, document(resource_group="team-a")))[0] == "create resource group"


# --- destinations ---


FACTS = {"Type": "HTTP", "clientId": "me", "clientSecret": "secret"}
RIGHT = {**FACTS, "Name": "CHURN", "URL": "http://x/v2/inference/deployments/d1"}
DESTINATIONS: dict[str, tuple[dict[str, str] | None, str]] = {
    "none": (None, "set"),
    "right": (RIGHT, "keep"),
    "with more": ({**RIGHT, "URL.headers.X": "y"}, "keep"),
    "secret not shown": ({key: value for key, value in RIGHT.items() if key != "clientSecret"}, "keep"),
    "another deployment": ({**RIGHT, "URL": "http://x/v2/inference/deployments/d2"}, "set"),
    "another secret": ({**RIGHT, "clientSecret": "old"}, "set"),
}


@pytest.mark.parametrize("case", DESTINATIONS)
def test_a_destination_is_set_when_it_leads_elsewhere(tmp_path: Path, case: str) -> None:
    there, verb = DESTINATIONS[case]
    content = document()
    content["deployments"][0]["destination_name"] = "CHURN"
    found = replace(ALL, destinations={"CHURN": there} if there else {}, destination_facts=FACTS)
    result = planned(tmp_path, found, content)
    assert (verbs(result)[-1], result.changes) == (f"{verb} destination", verb == "set")
    assert "secret" not in str(list(lines(result))).replace("clientSecret", "")


# --- cleaning up ---


OLD = execution("e0", configuration_id="c-gone")
MORE = replace(
    ALL,
    artifacts=(rows(), Artifact(id="a-x", name="x", kind="model", url="ai://default/x")),
    executions=(
        execution(),
        OLD,
        execution("e-dead", "DEAD"),
        execution("e-run", "RUNNING", configuration_id="c-gone"),
        execution("e-other").model_copy(update={"configuration_name": "of somebody else"}),
        execution("e-marked").model_copy(update={"configuration_name": "left [churn]", "executable_id": "gone"}),
    ),
    deployments=(
        deployment(),
        deployment("d-dead", "DEAD"),
        deployment("d-else", configuration_name="other", configuration_id="c-else"),
        deployment("d-left", configuration_name="left [churn]", executable_id="gone"),
    ),
)


def removed(plan: Plan) -> list[str]:
    return [f"{each.id}{' stopped' if each.stop else ''}" for each in plan.removals]


def test_by_default_nothing_is_removed(tmp_path: Path) -> None:
    assert removed(planned(tmp_path, MORE)) == []


def test_what_the_file_has_made_before_is_removed_and_nothing_else(tmp_path: Path) -> None:
    assert removed(planned(tmp_path, MORE, document(clean_up=True))) == ["d-dead", "e0", "e-dead", "e-run stopped"]


def test_with_a_mark_also_what_has_left_the_file(tmp_path: Path) -> None:
    configurations = tuple(each.model_copy(update={"name": f"{each.name} [churn]"}) for each in MORE.configurations)
    found = replace(MORE, configurations=configurations)
    result = planned(tmp_path, found, document(clean_up=True, pipeline="churn"))
    assert removed(result) == ["d-dead", "d-left stopped", "e0", "e-dead", "e-run stopped", "e-marked"]
    assert verbs(result)[4] == "keep deployment"


def test_what_is_served_keeps_its_execution(tmp_path: Path) -> None:
    used = found_configuration("c-else", "other", "serve", {"weights": "a-e0"})
    found = replace(MORE, configurations=(*MORE.configurations, used))
    assert "e0" not in removed(planned(tmp_path, found, document(clean_up=True)))
