"""A deployment that lives for years does not grow for years."""

from datetime import timedelta

from mooring.controllers.history import cut_history
from mooring.store.database import Database
from mooring.store.tables import Deployment, Replica, Revision
from mooring.store.types import utc_now


def test_only_the_last_dead_replicas_and_retired_revisions_stay(database: Database, deployment_id: str) -> None:
    began = utc_now() - timedelta(days=100)
    with database.transaction() as session:
        for number in range(2, 52):
            session.add(
                Revision(
                    id=f"old{number}",
                    deployment_id=deployment_id,
                    number=number,
                    configuration_id="c1",
                    spec={},
                    state="retired",
                )
            )
            session.flush()
            moment = began + timedelta(days=number)
            session.add(Replica(id=f"r{number}", revision_id=f"old{number}", created_at=moment, forgotten=True))
        session.add(Replica(id="alive", revision_id="v1"))
    with database.transaction() as session:
        gone = cut_history(session, deployment_id)
    assert set(gone) == {f"r{number}" for number in range(2, 32)}
    with database.reading() as session:
        revisions = session.get_one(Deployment, deployment_id).revisions
        assert [revision.number for revision in revisions] == [1, *range(32, 52)]
        assert session.get(Replica, "alive") is not None
        assert session.query(Replica).count() == 21
