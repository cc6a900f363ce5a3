"""Clients in the store: made once, bound to what exists, and without their rights from the moment these are taken."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from mooring.domain.roles import Role, common_groups
from mooring.errors import Conflict, InvalidRequest, NotFound
from mooring.services import client_standing, clients, resource_groups
from mooring.services.client_standing import Standing
from mooring.store.database import Database
from mooring.store.tables import Client, ResourceGroup
from mooring.store.types import utc_now

HOUR = timedelta(hours=1)


@pytest.fixture
def teams(session: Session) -> list[str]:
    names = ["team-a", "team-b"]
    session.add_all(ResourceGroup(id=name) for name in names)
    session.flush()
    return names


def _valid_from(session: Session, client_id: str) -> float:
    standing = client_standing.of(session, client_id)
    assert standing is not None
    return standing.tokens_valid_from


def test_of_two_who_want_the_same_id_one_gets_it(database: Database) -> None:
    begin, outcomes = threading.Barrier(6), list[str]()

    def make() -> None:
        begin.wait()
        try:
            with database.transaction() as session:
                clients.create(session, "wanted")
        except Conflict:
            outcomes.append("conflict")
        else:
            outcomes.append("made")

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["conflict"] * 5 + ["made"]


@pytest.mark.parametrize("client_id", ["", "a:b", " a", "a ", "a\0", "a\n", "\ud800", "x" * 201])
def test_an_id_that_cannot_be_sent_is_refused(session: Session, client_id: str) -> None:
    with pytest.raises(InvalidRequest, match="cannot be a client's id"):
        clients.create(session, client_id)
    with pytest.raises(NotFound):
        clients.get(session, client_id)


def test_only_groups_that_exist_can_be_given(session: Session, teams: list[str]) -> None:
    made = clients.create(session, groups=[*teams, "team-a"])
    assert clients.get(session, made.id).groups == teams
    assert clients.change(session, made.id, groups=["team-a", "*"]).groups == ["*"]
    for unknown in ("nope", "", "TEAM-A", "team-a\0", "de*"):
        with pytest.raises(InvalidRequest, match="there is no resource group"):
            clients.change(session, made.id, groups=["team-a", unknown])
        with pytest.raises(InvalidRequest, match="there is no resource group"):
            clients.create(session, groups=[unknown])


def test_what_was_taken_is_gone_from_the_next_second_and_not_before(session: Session) -> None:
    made = clients.create(session)
    before = utc_now().timestamp()
    clients.rotate(session, made.id)
    assert before < _valid_from(session, made.id) <= before + 2
    assert _valid_from(session, made.id).is_integer()


def test_tokens_stay_valid_where_nothing_is_taken(session: Session, teams: list[str]) -> None:
    made = clients.create(session, groups=["team-a"])
    clients.rotate(session, made.id, grace=HOUR)
    clients.rotate(session, made.id, keep_tokens=True)
    clients.change(session, made.id, role=Role.VIEWER)
    clients.change(session, made.id, groups=teams)
    clients.change(session, made.id, groups=["*"])
    clients.change(session, made.id, groups=["team-b"], keep_tokens=True)
    assert _valid_from(session, made.id) == 0
    clients.change(session, made.id, groups=["team-a"])
    assert _valid_from(session, made.id) > 0


def test_a_second_rotation_ends_the_grace_of_the_first(session: Session) -> None:
    first = clients.create(session)
    second = clients.rotate(session, first.id, grace=HOUR)
    third = clients.rotate(session, first.id, grace=HOUR)
    accepted = [clients.authenticate(session, first.id, each.secret) is not None for each in (first, second, third)]
    assert accepted == [False, True, True]


def test_a_deleted_client_is_nowhere_but_known_to_the_gateway(session: Session) -> None:
    made = clients.create(session)
    clients.remove(session, made.id)
    assert client_standing.of(session, made.id) is None
    assert clients.authenticate(session, made.id, made.secret) is None
    assert made.id not in [client.id for client in clients.list_all(session)]
    assert [client.id for client in client_standing.revoked_since(session, utc_now() - HOUR)] == [made.id]
    for change in (clients.rotate, clients.change, clients.remove):
        with pytest.raises(NotFound):
            change(session, made.id)


def test_deleted_clients_are_forgotten_when_their_tokens_have_run_out(session: Session) -> None:
    alive, old, young = (clients.create(session).id for _ in range(3))
    for client_id in (old, young):
        clients.remove(session, client_id)
    session.get_one(Client, old).deleted_at = utc_now() - 2 * HOUR
    session.flush()
    clients.purge(session, deleted_before=utc_now() - HOUR)
    left = [session.get(Client, client_id) is not None for client_id in (alive, old, young)]
    assert left == [True, False, True]


def test_nobody_gets_into_a_later_group_of_the_same_name(session: Session, teams: list[str]) -> None:
    both, one, whole = (clients.create(session, groups=groups).id for groups in (teams, ["team-a"], ["*"]))
    resource_groups.remove(session, "team-a")
    session.add(ResourceGroup(id="team-a"))
    session.flush()
    assert [clients.get(session, each).groups for each in (both, one, whole)] == [["team-b"], [], ["*"]]
    assert _valid_from(session, one) > 0
    assert _valid_from(session, whole) == 0


def test_a_key_that_outlived_its_store_gets_in_again(session: Session) -> None:
    made = clients.create(session, "own")
    clients.remove(session, "own")
    clients.register(session, "own", made.secret)
    session.flush()
    assert clients.authenticate(session, "own", made.secret) is not None
    assert client_standing.of(session, "own") == Standing(Role.ADMIN, frozenset({"*"}))


@pytest.mark.parametrize(
    ("first", "second", "common"),
    [("*", "*", "*"), ("*", "ab", "ab"), ("ab", "*", "ab"), ("ab", "bc", "b"), ("a", "b", ""), ("", "*", "")],
)
def test_common_groups(first: str, second: str, common: str) -> None:
    assert common_groups(frozenset(first), frozenset(second)) == frozenset(common)


@pytest.mark.parametrize(
    ("first", "second", "lower"),
    [("viewer", "admin", "viewer"), ("admin", "editor", "editor"), ("editor", "editor", "editor")],
)
def test_the_lower_role(first: str, second: str, lower: str) -> None:
    assert Role(first).limited_to(Role(second)) is Role(lower)
