"""What only one control plane does at a time is done by one; when it dies, by another."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from mooring.controllers.work_lease import NamedLease
from mooring.store.database import Database
from mooring.store.tables import WorkLease
from mooring.store.types import utc_now


def lease(database: Database) -> NamedLease:
    return NamedLease(database, "builder", seconds=30)


def test_of_many_only_one_gets_it(database: Database) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: lease(database).take(), range(8))).count(True) == 1


def test_its_holder_keeps_it_as_long_as_it_asks(database: Database) -> None:
    holder, other = lease(database), lease(database)
    assert holder.take()
    age(database)
    assert holder.take()
    assert not other.take()


def test_one_that_ran_out_goes_to_the_next_and_does_not_come_back(database: Database) -> None:
    dead, heir = lease(database), lease(database)
    assert dead.take()
    age(database)
    assert heir.take()
    assert not dead.take()
    dead.give_back()
    assert not lease(database).take(), "giving back what is not ours takes it from nobody"


def test_what_was_given_back_can_be_taken_at_once(database: Database) -> None:
    holder = lease(database)
    assert holder.take()
    holder.give_back()
    assert lease(database).take()


def age(database: Database) -> None:
    """As if its holder had said nothing for too long."""
    with database.transaction() as session:
        session.get_one(WorkLease, "builder").expires_at = utc_now() - timedelta(seconds=1)
