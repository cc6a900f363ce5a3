"""A store is opened with the key that it was made with, or not at all."""

import base64
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from mooring.home import Home
from mooring.settings import Settings
from mooring.store import migrate
from mooring.store.database import Database
from mooring.store.vault import KEY_BYTES, Vault
from mooring.system.encryption import open_vault, require_key_of_store
from mooring.system.errors import CannotStart


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    return made


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Database]:
    opened = Database(f"sqlite:///{tmp_path / 'mooring.db'}")
    migrate.upgrade(opened)
    yield opened
    opened.close()


def _settings(home: Home, key: str | None = None) -> Settings:
    return Settings(home=home.path, encryption_key=key)  # type: ignore[arg-type]


def _require(store: Database, vault: Vault) -> None:
    with store.transaction() as session:
        require_key_of_store(session, vault)


def test_the_key_of_another_store_does_not_start(store: Database) -> None:
    ours, other = Vault(bytes(KEY_BYTES)), Vault(b"\1" * KEY_BYTES)
    _require(store, ours)
    _require(store, ours)
    with pytest.raises(CannotStart, match="MOORING_ENCRYPTION_KEY") as refusal:
        _require(store, other)
    assert ours.key_id in str(refusal.value)
    _require(store, ours)


def test_the_first_start_makes_a_key_that_stays(home: Home) -> None:
    first = open_vault(_settings(home), home)
    assert open_vault(_settings(home), home).key_id == first.key_id
    file = home.keys / "encryption.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert len(base64.b64decode(file.read_text())) == KEY_BYTES
    file.unlink()
    assert open_vault(_settings(home), home).key_id != first.key_id


def test_the_operators_key_comes_first_and_is_not_written_down(home: Home) -> None:
    key = base64.b64encode(b"k" * KEY_BYTES).decode()
    settings = _settings(home, key)
    assert open_vault(settings, home).key_id == Vault(b"k" * KEY_BYTES).key_id
    assert not (home.keys / "encryption.key").exists()
    assert key not in repr(settings)


@pytest.mark.parametrize("wrong", ["", "opensesame", base64.b64encode(b"opensesame").decode(), "é" * 44])
def test_what_is_no_key_is_refused_and_not_repeated(home: Home, wrong: str) -> None:
    with pytest.raises(CannotStart, match=f"{KEY_BYTES} bytes in Base64") as refusal:
        open_vault(_settings(home, wrong), home)
    assert not wrong or wrong not in str(refusal.value)
    (home.keys / "encryption.key").write_text(wrong)
    with pytest.raises(CannotStart, match=r"encryption\.key"):
        open_vault(_settings(home), home)
