"""Who shares a store, where its replicas lie, and what keeps two machines apart: decided without processes."""

import os
import signal
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from pydantic import SecretStr

from mooring.api.tokens import TokenIssuer
from mooring.gateway.options import GatewayOptions
from mooring.home import Home
from mooring.processes import identify, write_record
from mooring.services import signing_keys
from mooring.settings import Settings
from mooring.store.database import Database
from mooring.store.tables import SigningKey, WorkLease
from mooring.store.types import utc_now
from mooring.store.vault import KEY_BYTES, Vault
from mooring.system import parts, runtime_place, sharing
from mooring.system.address import Address
from mooring.system.errors import CannotStart
from mooring.system.registry_watch import is_internal
from mooring.system.token_keys import KeyWatch, take_keys

VAULT = Vault(bytes(KEY_BYTES))


@pytest.fixture
def homes(tmp_path: Path) -> tuple[Home, Home]:
    first, second = Home(tmp_path / "first"), Home(tmp_path / "second")
    for home in (first, second):
        home.create()
    return first, second


def live_in(home: Home, record: Path) -> None:
    """As if our process were one of this home's."""
    process = identify(os.getpid())
    assert process
    write_record(record, process)
    assert home.run.is_dir()


# --- where the replicas lie ------------------------------------------------------------------------------------------


def test_the_first_home_of_a_store_holds_the_replicas(migrated_store: Database, homes: tuple[Home, Home]) -> None:
    first, second = homes
    assert runtime_place.take_place(migrated_store, first) == first
    assert runtime_place.take_place(migrated_store, second) == first
    assert runtime_place.take_place(migrated_store, first) == first


def test_a_home_that_was_removed_holds_nothing(migrated_store: Database, homes: tuple[Home, Home]) -> None:
    first, second = homes
    runtime_place.take_place(migrated_store, first)
    first.replicas.rmdir()
    assert runtime_place.take_place(migrated_store, second) == second


def test_another_machine_is_refused_while_somebody_lives_on_the_first(
    migrated_store: Database, homes: tuple[Home, Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = homes
    monkeypatch.setattr(runtime_place, "this_machine", lambda: "alpha 1")
    runtime_place.take_place(migrated_store, first)
    monkeypatch.setattr(runtime_place, "this_machine", lambda: "beta 2")
    with pytest.raises(CannotStart, match=r"machine alpha,.*mooring down"):
        runtime_place.take_place(migrated_store, second)
    monkeypatch.setattr(runtime_place, "_UNHEARD_OF", timedelta(0))
    assert runtime_place.take_place(migrated_store, second) == second


def test_a_control_plane_whose_replicas_were_taken_over_ends(
    migrated_store: Database, homes: tuple[Home, Home], monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda _pid, number: sent.append(number))
    monkeypatch.setattr(runtime_place, "this_machine", lambda: "alpha 1")
    runtime_place.take_place(migrated_store, homes[0])
    runtime_place.keep_place(migrated_store)
    assert sent == []
    monkeypatch.setattr(runtime_place, "this_machine", lambda: "beta 2")
    runtime_place.keep_place(migrated_store)
    assert sent == [signal.SIGTERM]


def test_leases_of_the_dead_are_taken_away(migrated_store: Database) -> None:
    with migrated_store.transaction() as session:
        session.add(WorkLease(name="builder", token="dead", expires_at=utc_now() + timedelta(hours=1)))
    runtime_place.clear_leases(migrated_store)
    with migrated_store.reading() as session:
        assert session.get_one(WorkLease, "builder").token is None


# --- who shares them -------------------------------------------------------------------------------------------------


def test_a_home_of_its_own_shares_with_nobody(homes: tuple[Home, Home]) -> None:
    assert sharing.runtime_home(homes[0]) == homes[0]
    assert sharing.others(homes[0]) == []


@pytest.mark.parametrize("what", ["control_plane_record", "gateway_record"])
def test_others_count_while_anything_of_them_runs(homes: tuple[Home, Home], what: str) -> None:
    first, second = homes
    sharing.share(first, first)
    sharing.share(second, first)
    assert sharing.runtime_home(second) == first
    assert sharing.others(first) == sharing.others(second) == []
    live_in(second, getattr(second, what))
    assert sharing.others(first) == [second]
    assert sharing.control_planes_run([second]) is (what == "control_plane_record")
    sharing.leave(second)
    assert sharing.others(first) == []
    assert sharing.runtime_home(second) == second


def test_one_at_a_time_and_nobody_waits_for_ever(homes: tuple[Home, Home], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sharing, "_LONGEST_SECONDS", 0.05)
    with sharing.exclusively(homes[0], "routes"):
        with pytest.raises(TimeoutError, match="another control plane"), sharing.exclusively(homes[0], "routes"):
            _never()
        with sharing.exclusively(homes[0], "sharing"):
            pass
    with sharing.exclusively(homes[0], "routes"):
        pass


def _never() -> NoReturn:
    raise AssertionError("two had it at once")


# --- keys of tokens --------------------------------------------------------------------------------------------------


def issuer(keys: list[signing_keys.SigningKey]) -> TokenIssuer:
    return TokenIssuer(keys, "mooring", "mooring", 60)


def test_a_token_of_one_control_plane_is_good_at_the_other(migrated_store: Database, homes: tuple[Home, Home]) -> None:
    first, second = (issuer(take_keys(migrated_store, VAULT, home)) for home in homes)
    assert second.verify(first.issue("c").value).client_id == "c"
    assert first.key_set() == second.key_set()


def test_keys_in_files_are_taken_over_and_removed(migrated_store: Database, homes: tuple[Home, Home]) -> None:
    old = signing_keys.generate()
    content = old.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (homes[0].keys / "signing-1.pem").write_bytes(content)
    token = issuer([old]).issue("c").value
    assert issuer(take_keys(migrated_store, VAULT, homes[0])).verify(token).client_id == "c"
    assert list(homes[0].keys.iterdir()) == []
    with migrated_store.reading() as session:
        (row,) = session.query(SigningKey).all()
    assert b"PRIVATE" not in row.private_key
    assert issuer(take_keys(migrated_store, VAULT, homes[1])).verify(token).client_id == "c"


def test_a_broken_file_is_named(migrated_store: Database, homes: tuple[Home, Home]) -> None:
    (homes[0].keys / "signing-1.pem").write_text("no key")
    with pytest.raises(CannotStart, match=r"signing-1\.pem holds no private key"):
        take_keys(migrated_store, VAULT, homes[0])


def test_a_key_that_was_added_elsewhere_is_known_without_a_restart(
    migrated_store: Database, homes: tuple[Home, Home]
) -> None:
    class Gateway:
        told: list[bytes] = []  # noqa: RUF012 (of this test alone)

        def use_key_set(self, key_set: bytes) -> None:
            self.told.append(key_set)

    keys = take_keys(migrated_store, VAULT, homes[0])
    tokens, gateway = issuer(keys), Gateway()
    watch = KeyWatch(migrated_store, VAULT, tokens, gateway, keys)  # type: ignore[arg-type]
    watch.look()
    assert gateway.told == []
    added = signing_keys.generate()
    with migrated_store.transaction() as session:
        signing_keys.keep(session, VAULT, added)
    watch.look()
    watch.look()
    assert gateway.told == [tokens.key_set()]
    assert tokens.verify(issuer([added]).issue("c").value).client_id == "c"


# --- what is told ----------------------------------------------------------------------------------------------------


def test_the_options_of_a_gateway_can_be_kept(homes: tuple[Home, Home]) -> None:
    address = Address("127.0.0.1", 1, "http://x")
    options = parts.gateway_options(Settings(), homes[0], address, issuer([signing_keys.generate()]))
    assert GatewayOptions.from_json(options.to_json()) == options


def test_a_url_of_anything_else_is_refused_without_its_password(homes: tuple[Home, Home]) -> None:
    settings = Settings(database_url=SecretStr("mysql://u:hidden@h/d"))
    with pytest.raises(CannotStart, match="--database-url") as raised:
        parts.open_database(settings, homes[0])
    assert "hidden" not in str(raised.value)


def test_the_clients_of_builders_are_internal() -> None:
    assert is_internal("mooring-builder")
    assert is_internal(f"mooring-builder-{'0a' * 8}")
    assert not is_internal("mooring-builder-mine")
