"""What does not fit beside what runs is refused with numbers, before anything is touched."""

import pytest
from sqlalchemy.orm import Session

from mooring.domain.lifecycle import Status, TargetStatus
from mooring.domain.revisions import RevisionState
from mooring.errors import NoRoom
from mooring.services import deployment_changes, deployments
from mooring.services.deployments import NewDeployment
from mooring.services.room import Limits, Room, Rooms
from mooring.store.database import Database
from mooring.store.tables import Deployment, Replica
from tests.services.conftest import configure

MIB = 1 << 20
GROUP = "default"
LIMITS = Limits(reserve_bytes=100 * MIB, unmeasured_bytes=200 * MIB)


@pytest.fixture
def deployment(session: Session, first: str) -> Deployment:
    """It serves."""
    made = deployments.create(session, GROUP, NewDeployment(first))
    made.status, made.revisions[0].state = Status.RUNNING.value, RevisionState.SERVING.value
    made.serving_revision_id = made.revisions[0].id
    made.revisions[0].replicas.append(Replica(id="r1", ready_at=made.created_at))
    session.flush()
    return made


@pytest.mark.parametrize(
    ("free", "measured", "fits"),
    [
        (300, None, True),
        (299, None, False),
        (600, 500, True),
        (599, 500, False),
        (150, 50, True),
        (None, 500, True),  # nobody knows
        (3072 + 100, 9000, True),  # no more than its plan allows
    ],
)
def test_a_change_needs_as_much_as_what_runs_and_the_reserve(
    session: Session, deployment: Deployment, second: str, free: int | None, measured: int | None, *, fits: bool
) -> None:
    room = Room(LIMITS, free and free * MIB, measured and measured * MIB)
    if fits:
        deployment_changes.change_configuration(session, GROUP, deployment.id, second, room=room)
        assert len(deployment.revisions) == 2
        return
    with pytest.raises(NoRoom, match=f"{measured or 200} MiB are needed.*{free} MiB are free.*100 MiB are kept"):
        deployment_changes.change_configuration(session, GROUP, deployment.id, second, room=room)
    assert not session.dirty | session.new
    assert (len(deployment.revisions), deployment.generation) == (1, 1)


def test_what_is_starting_needs_its_room_too(session: Session, deployment: Deployment, second: str) -> None:
    room = Room(LIMITS, free_bytes=499 * MIB)
    deployments.create(session, GROUP, NewDeployment(second), room=room)
    with pytest.raises(NoRoom, match="200 MiB by what is starting"):
        deployments.create(session, GROUP, NewDeployment(second), room=room)
    with pytest.raises(NoRoom):
        deployment_changes.change_configuration(session, GROUP, deployment.id, second, room=room)


def test_a_change_that_takes_the_place_of_another_needs_no_more(
    session: Session, deployment: Deployment, first: str, second: str
) -> None:
    room = Room(LIMITS, free_bytes=300 * MIB)
    deployment_changes.change_configuration(session, GROUP, deployment.id, second, room=room)
    deployment_changes.change_configuration(session, GROUP, deployment.id, first, room=room)
    assert len(deployment.revisions) == 3


def test_a_group_has_so_many_replicas_and_a_change_needs_two(
    session: Session, deployment: Deployment, second: str
) -> None:
    def with_most(replicas: int) -> Room:
        return Room(Limits(group_replicas=replicas))

    with pytest.raises(NoRoom, match=r"may have 1 replicas.*1 are there and 1 more"):
        deployment_changes.change_configuration(session, GROUP, deployment.id, second, room=with_most(1))
    deployment_changes.change_configuration(session, GROUP, deployment.id, second, room=with_most(2))
    with pytest.raises(NoRoom, match="2 are there"):
        deployments.create(session, GROUP, NewDeployment(second), room=with_most(2))
    deployment.target_status = TargetStatus.STOPPED.value
    deployments.create(session, GROUP, NewDeployment(second), room=with_most(2))


def test_only_replicas_that_answer_are_measured(database: Database) -> None:
    with database.transaction() as session:
        made = deployments.create(session, GROUP, NewDeployment(configure(session, "models:/wine/1")))
        revision = made.revisions[0]
        made.serving_revision_id = revision.id
        now = made.created_at
        revision.replicas += [
            Replica(id="r1", ready_at=now),
            Replica(id="r2", ready_at=now),
            Replica(id="r3"),
            Replica(id="r4", ready_at=now, ended_at=now),
        ]
        id_ = made.id
    used = {"r1": 5, "r2": 7, "r3": 100, "r4": 100}
    rooms = Rooms(LIMITS, free_bytes=lambda: 1000, used_by=used.get)
    assert rooms.look(database, id_) == Room(LIMITS, 1000, 7)
    assert rooms.look(database) == Room(LIMITS, 1000, None)
    assert Rooms(LIMITS).look(database, id_) == Room(LIMITS, None, None)
