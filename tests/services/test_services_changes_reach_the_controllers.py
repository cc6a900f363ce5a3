"""What a client asks for is on the row in the way that controllers read it."""

from functools import partial

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from mooring.domain.lifecycle import LastOperation, Operation, Status, TargetStatus, is_allowed
from mooring.domain.revisions import ModelServerSpec, from_json
from mooring.errors import InvalidRequest, NotFound, PreconditionFailed
from mooring.services import configurations, deployment_changes, deployments
from mooring.services.configurations import NewConfiguration
from mooring.services.deployments import NewDeployment
from mooring.store.tables import Deployment, Executable

GROUP = "default"


@pytest.fixture
def deployment(session: Session, first: str) -> Deployment:
    return deployments.create(session, GROUP, NewDeployment(first, "2h"))


def test_a_create_has_its_first_revision(deployment: Deployment, first: str) -> None:
    (revision,) = deployment.revisions
    assert (revision.number, revision.state, revision.configuration_id) == (1, "starting", first)
    expected = ModelServerSpec("models:/wine/1", "wine", "1", "starter")
    assert from_json(revision.spec) == expected
    assert deployment.status == Status.UNKNOWN.value
    assert deployment.target_status == TargetStatus.RUNNING.value
    assert deployment.last_operation == LastOperation.CREATE.value
    assert (deployment.model_name, deployment.generation) == ("wine", 1)
    assert deployment.latest_running_configuration_id is None


@pytest.mark.parametrize("status", [Status.RUNNING, Status.PENDING, Status.DEAD])
def test_a_patch_adds_a_revision(session: Session, deployment: Deployment, second: str, status: Status) -> None:
    deployment.status = status.value
    deployment.status_message = "old news"
    deployment_changes.change_configuration(session, GROUP, deployment.id, second)
    session.flush()
    session.expire_all()
    assert [(r.number, r.state) for r in deployment.revisions] == [(1, "starting"), (2, "starting")]
    assert deployment.revisions[1].spec["model_uri"] == "models:/wine/2"
    assert (deployment.configuration_id, deployment.configuration_name) == (second, "models: wine 2")
    assert (deployment.status, deployment.status_message) == (Status.PENDING.value, "")
    assert deployment.last_operation == LastOperation.UPDATE.value
    assert deployment.generation == 2
    assert deployment.submission_time is not None


def test_the_present_configuration_is_refused_unless_it_is_dead(
    session: Session, deployment: Deployment, first: str
) -> None:
    for status in (Status.RUNNING, Status.PENDING):
        deployment.status = status.value
        with pytest.raises(InvalidRequest, match="has already"):
            deployment_changes.change_configuration(session, GROUP, deployment.id, first)
    deployment.status = Status.DEAD.value
    deployment_changes.change_configuration(session, GROUP, deployment.id, first)
    assert [revision.number for revision in deployment.revisions] == [1, 2]


def test_a_configuration_of_another_executable_is_refused(session: Session, deployment: Deployment) -> None:
    facts = {"scenario_id": "mooring", "name": "other", "version_id": "1", "deployable": True}
    session.execute(insert(Executable).values(id="other-server", **facts))
    other = configurations.create(session, GROUP, NewConfiguration("other", "mooring", "other-server"))
    deployment.status = Status.RUNNING.value
    with pytest.raises(InvalidRequest, match="same executable"):
        deployment_changes.change_configuration(session, GROUP, deployment.id, other.id)
    with pytest.raises(InvalidRequest, match="cannot be deployed"):
        deployments.create(session, GROUP, NewDeployment(other.id))
    assert (deployment.generation, len(deployment.revisions)) == (1, 1)


def test_a_configuration_that_cannot_be_rendered_changes_nothing(session: Session, deployment: Deployment) -> None:
    broken = configurations.create(session, GROUP, NewConfiguration("broken", "mooring", "model-server"))
    deployment.status = Status.RUNNING.value
    with pytest.raises(InvalidRequest, match="modelUri"):
        deployment_changes.change_configuration(session, GROUP, deployment.id, broken.id)
    assert (deployment.status, deployment.generation, len(deployment.revisions)) == ("RUNNING", 1, 1)


@pytest.mark.parametrize("status", Status)
def test_what_each_status_allows(session: Session, deployment: Deployment, second: str, status: Status) -> None:
    changes = {
        Operation.STOP: partial(deployment_changes.stop, session, GROUP, deployment.id),
        Operation.DELETE_DEPLOYMENT: partial(deployment_changes.delete, session, GROUP, deployment.id),
        Operation.CHANGE_CONFIGURATION: partial(
            deployment_changes.change_configuration, session, GROUP, deployment.id, second
        ),
    }
    for operation, change in changes.items():
        deployment.status = status.value
        deployment.target_status = TargetStatus.RUNNING.value
        before = deployment.generation
        if is_allowed(operation, status):
            change()
        else:
            with pytest.raises(PreconditionFailed, match=deployment.id):
                change()
        assert deployment.generation == before + is_allowed(operation, status)


def test_stopping_is_final_and_asking_again_changes_nothing(
    session: Session, deployment: Deployment, second: str
) -> None:
    deployment.status = Status.RUNNING.value
    for _ in range(2):
        deployment_changes.stop(session, GROUP, deployment.id)
    assert (deployment.target_status, deployment.generation) == (TargetStatus.STOPPED.value, 2)
    with pytest.raises(PreconditionFailed, match="final"):
        deployment_changes.change_configuration(session, GROUP, deployment.id, second)
    deployment.status = Status.STOPPED.value  # as the table has it: what is stopped cannot be stopped
    with pytest.raises(PreconditionFailed, match="final"):
        deployment_changes.stop(session, GROUP, deployment.id)


def test_a_delete_leaves_the_row_to_the_controllers(session: Session, deployment: Deployment) -> None:
    for _ in range(2):
        deployment_changes.delete(session, GROUP, deployment.id)
    assert deployments.get(session, GROUP, deployment.id) is deployment
    assert deployment.target_status == TargetStatus.DELETED.value
    assert deployment.last_operation == LastOperation.DELETE.value
    assert deployment.generation == 2
    with pytest.raises(PreconditionFailed):
        deployment_changes.stop(session, GROUP, deployment.id)


def test_what_does_not_exist_cannot_be_changed(session: Session, second: str) -> None:
    with pytest.raises(NotFound):
        deployment_changes.stop(session, GROUP, "d-never-was")
    with pytest.raises(NotFound):
        deployment_changes.change_configuration(session, GROUP, "d-never-was", second)
