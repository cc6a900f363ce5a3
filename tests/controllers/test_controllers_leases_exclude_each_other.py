"""Two controllers never both act; one that was away too long, or decided on old wishes, is refused."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from mooring.controllers.leases import LeaseLost, Leases
from mooring.store.database import Database
from mooring.store.tables import Deployment
from mooring.store.types import utc_now


def age_lease(database: Database, deployment_id: str) -> None:
    """As if its owner had been paused for longer than the lease lasts."""
    with database.transaction() as session:
        session.get_one(Deployment, deployment_id).lease_expires_at = utc_now() - timedelta(seconds=1)


def test_of_many_only_one_gets_it(database: Database, deployment_id: str) -> None:
    leases = Leases(database, Deployment, seconds=30)
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(lambda _: leases.take(deployment_id, 1), range(8)))
    assert len([lease for lease in taken if lease]) == 1


def test_what_was_given_back_can_be_taken(database: Database, deployment_id: str) -> None:
    leases = Leases(database, Deployment, seconds=30)
    first = leases.take(deployment_id, 1)
    assert first
    leases.give_back(first)
    assert leases.take(deployment_id, 1)


def test_a_lease_that_ran_out_goes_to_the_next_and_its_first_owner_cannot_record(
    database: Database, deployment_id: str
) -> None:
    leases = Leases(database, Deployment, seconds=30)
    first = leases.take(deployment_id, 1)
    assert first
    age_lease(database, deployment_id)
    assert leases.take(deployment_id, 1)
    with pytest.raises(LeaseLost), leases.recording(first):
        pass
    leases.give_back(first)
    assert leases.take(deployment_id, 1) is None, "giving back a lost lease takes it from nobody"


def test_recording_prolongs_the_lease(database: Database, deployment_id: str) -> None:
    leases = Leases(database, Deployment, seconds=30)
    lease = leases.take(deployment_id, 1)
    assert lease
    age_lease(database, deployment_id)
    with leases.recording(lease):
        pass
    assert leases.take(deployment_id, 1) is None


def test_a_new_wish_of_the_owner_makes_decisions_on_the_old_one_void(database: Database, deployment_id: str) -> None:
    leases = Leases(database, Deployment, seconds=30)
    lease = leases.take(deployment_id, 1)
    assert lease
    with database.transaction() as session:
        session.get_one(Deployment, deployment_id).generation += 1
    with pytest.raises(LeaseLost), leases.recording(lease) as (_, deployment):
        deployment.status = "RUNNING"
    leases.give_back(lease)
    assert leases.take(deployment_id, 1) is None
    assert leases.take(deployment_id, 2)


def test_a_removed_deployment_has_no_lease(database: Database, deployment_id: str) -> None:
    leases = Leases(database, Deployment, seconds=30)
    lease = leases.take(deployment_id, 1)
    assert lease
    with database.transaction() as session:
        session.delete(session.get_one(Deployment, deployment_id))
    with pytest.raises(LeaseLost), leases.recording(lease):
        pass
