"""What cannot be run is refused when it is asked for; what was asked for is on the row as controllers read it."""

from functools import partial

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from mooring.domain.lifecycle import Operation, Status, TargetStatus, is_allowed
from mooring.errors import InvalidRequest, NotFound, PreconditionFailed
from mooring.services import artifacts, configurations, execution_changes, executions
from mooring.services.artifacts import NewArtifact
from mooring.services.bulk import Wish
from mooring.services.configurations import NewConfiguration
from mooring.store.tables import Configuration, Executable, Execution, ResourceGroup
from mooring.templates.trees import Scalar, Tree, to_json

GROUP = "default"
TRAIN = {
    "scenario_id": "mooring",
    "name": "Training",
    "version_id": "1",
    "deployable": False,
    "labels": [],
    "output_artifacts": [],
}


@pytest.fixture(autouse=True)
def train(session: Session) -> None:
    session.execute(
        insert(Executable).values(
            id="train",
            **TRAIN,
            parameters=[{"name": "epochs", "type": "string"}, {"name": "rate", "type": "string", "default": ""}],
            input_artifacts=[{"name": "rows"}],
        )
    )


def configure(session: Session, *, epochs: bool = True, rows: bool = True, executable_id: str = "train") -> str:
    data = artifacts.create(session, GROUP, NewArtifact("data", "dataset", "ai://default/x", "mooring")).id
    new = NewConfiguration(
        "training",
        "mooring",
        executable_id,
        parameter_bindings=[{"key": "epochs", "value": "3"}] if epochs else [],
        input_artifact_bindings=[{"key": "rows", "artifactId": data}] if rows else [],
    )
    return configurations.create(session, GROUP, new).id


@pytest.fixture
def execution(session: Session) -> Execution:
    return executions.create(session, GROUP, configure(session), schedule_id="s-1")


def test_a_new_execution_is_unknown_and_to_be_completed(execution: Execution) -> None:
    assert (execution.status, execution.target_status) == (Status.UNKNOWN.value, TargetStatus.COMPLETED.value)
    assert (execution.scenario_id, execution.executable_id) == ("mooring", "train")
    assert (execution.configuration_name, execution.execution_schedule_id) == ("training", "s-1")
    assert (execution.generation, execution.status_message, execution.status_details) == (1, "", {})


def test_what_has_no_value_is_named(session: Session) -> None:
    with pytest.raises(InvalidRequest, match=r"parameter 'epochs'.*parameterBindings"):
        executions.create(session, GROUP, configure(session, epochs=False))
    with pytest.raises(InvalidRequest, match=r"input artifact 'rows'.*inputArtifactBindings"):
        executions.create(session, GROUP, configure(session, rows=False))


def test_what_is_deployable_is_not_executed(session: Session, first: str) -> None:
    with pytest.raises(InvalidRequest, match="POST /v2/lm/deployments"):
        executions.create(session, GROUP, first)


def test_an_executable_that_is_gone_is_named(session: Session) -> None:
    configuration_id = configure(session)
    session.get_one(Configuration, configuration_id).executable_id = "gone"
    with pytest.raises(InvalidRequest, match=r"'gone'.* is gone"):
        executions.create(session, GROUP, configuration_id)


def test_a_configuration_of_another_group_does_not_exist(session: Session) -> None:
    session.add(ResourceGroup(id="other"))
    session.flush()
    with pytest.raises(InvalidRequest, match="configurationId") as elsewhere:
        executions.create(session, "other", configure(session))
    with pytest.raises(InvalidRequest, match="configurationId") as never:
        executions.create(session, "other", "never-was")
    assert elsewhere.value.message.partition(" is ")[2] == never.value.message.partition(" is ")[2]
    assert elsewhere.value.details == never.value.details


@pytest.mark.parametrize("status", Status)
def test_what_each_status_allows(session: Session, execution: Execution, status: Status) -> None:
    changes = {
        Operation.STOP: (partial(execution_changes.stop, session, GROUP, execution.id), "STOPPED"),
        Operation.DELETE_EXECUTION: (partial(execution_changes.delete, session, GROUP, execution.id), "DELETED"),
    }
    for operation, (change, target) in changes.items():
        execution.status, execution.target_status = status.value, TargetStatus.COMPLETED.value
        before = execution.generation
        if not is_allowed(operation, status):
            with pytest.raises(PreconditionFailed, match=execution.id):
                change()
            assert (execution.generation, execution.target_status) == (before, "COMPLETED")
            continue
        for _ in range(2):  # asking again changes nothing
            change()
        assert (execution.generation, execution.target_status) == (before + 1, target)
        assert execution.status == status.value, "a controller does the rest"


def test_a_stop_is_final_and_can_be_followed_by_a_deletion(session: Session, execution: Execution) -> None:
    execution.status = Status.RUNNING.value
    execution_changes.stop(session, GROUP, execution.id)
    with pytest.raises(PreconditionFailed, match="has to be one of"):
        execution_changes.delete(session, GROUP, execution.id)
    execution.status = Status.STOPPED.value
    execution_changes.delete(session, GROUP, execution.id)
    with pytest.raises(PreconditionFailed, match="which is final"):
        execution_changes.stop(session, GROUP, execution.id)


def test_each_of_many_is_accepted_or_refused_by_itself(session: Session, execution: Execution) -> None:
    wishes = [
        Wish("e-never-was", TargetStatus.STOPPED),
        Wish(execution.id, TargetStatus.DELETED),
    ]
    never, deleted = execution_changes.change_many(session, GROUP, wishes)
    assert (type(never.error), never.wish) == (NotFound, wishes[0])
    assert (deleted.error, execution.target_status) == (None, "DELETED")
    (refused,) = execution_changes.change_many(session, GROUP, [Wish(execution.id, TargetStatus.STOPPED)])
    assert isinstance(refused.error, PreconditionFailed)


def test_another_groups_execution_does_not_exist(session: Session, execution: Execution) -> None:
    session.add(ResourceGroup(id="other"))
    session.flush()
    for access in (executions.get, execution_changes.stop, execution_changes.delete):
        with pytest.raises(NotFound):
            access(session, "other", execution.id)


def test_an_optional_input_need_not_be_bound(session: Session) -> None:
    inputs: Tree = [{"name": Scalar("rows"), "optional": Scalar("true", plain=True)}]
    template: Tree = {"name": Scalar("main"), "inputs": {"artifacts": inputs}}
    row = session.get(Executable, "train")
    assert row is not None
    row.template = {"body": to_json({"templates": [template]})}
    session.flush()
    assert executions.create(session, GROUP, configure(session, rows=False)).workflow["inputs"] == {}
    assert executions.create(session, GROUP, configure(session)).workflow["inputs"] == {"rows": "ai://default/x"}
