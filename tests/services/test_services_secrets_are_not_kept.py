"""A client proves itself with a secret that the store does not have."""

import pytest
from sqlalchemy.orm import Session

from mooring.errors import Conflict
from mooring.services import clients
from mooring.store.tables import Client


def test_only_the_right_secret_of_the_right_client(session: Session) -> None:
    ours, theirs = clients.create(session), clients.create(session, "sb-client!b1|aicore!b2")
    found = clients.authenticate(session, ours.id, ours.secret)
    assert found is not None
    assert found.id == ours.id
    for client_id, secret in (
        (ours.id, theirs.secret),
        (theirs.id, ours.secret),
        (ours.id, ""),
        (ours.id, ours.secret + " "),
        ("", ours.secret),
        ("nobody", ours.secret),
        ("nobody", ""),
        (f"{ours.id}\0", ours.secret),
        ("\ud800", "\ud800"),
    ):
        assert clients.authenticate(session, client_id, secret) is None


def test_the_secret_is_neither_in_the_store_nor_shown(session: Session) -> None:
    made = clients.create(session)
    row = session.get_one(Client, made.id)
    assert made.secret not in vars(row).values()
    assert made.secret not in repr(made)
    assert len(made.secret) >= 43


def test_an_id_that_is_taken_is_refused(session: Session) -> None:
    clients.create(session, "taken")
    with pytest.raises(Conflict, match="taken"):
        clients.create(session, "taken")


def test_a_renewed_secret_replaces_the_old_one(session: Session) -> None:
    made = clients.renew(session, "builder")
    assert clients.authenticate(session, "builder", made.secret)
    renewed = clients.renew(session, "builder")
    assert clients.authenticate(session, "builder", made.secret) is None
    assert clients.authenticate(session, "builder", renewed.secret)
