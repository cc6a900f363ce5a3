"""The secret that git servers are given stays the same, is nobody else's to read, and is never empty."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from mooring.home import Home
from mooring.settings import Settings
from mooring.system import webhook_secrets


@pytest.fixture
def home(tmp_path: Path) -> Home:
    made = Home(tmp_path / "home")
    made.create()
    return made


def test_it_is_made_once(home: Home) -> None:
    settings = Settings(home=home.path)
    first = webhook_secrets.of_git(settings, home)
    kept = home.keys / "git-webhook.secret"
    assert (kept.read_text(), kept.stat().st_mode & 0o777) == (first, 0o600)
    assert webhook_secrets.of_git(settings, home) == first
    assert len(first) > 40
    assert webhook_secrets.of_registry(home) != first


@pytest.mark.parametrize("content", ["", "\n"])
def test_a_file_without_one_gets_one(home: Home, content: str) -> None:
    (home.keys / "git-webhook.secret").write_text(content)
    made = webhook_secrets.of_git(Settings(home=home.path), home)
    assert len(made) > 40
    assert (home.keys / "git-webhook.secret").read_text() == made


def test_one_that_was_written_by_hand_is_taken_without_its_line_end(home: Home) -> None:
    (home.keys / "git-webhook.secret").write_text("written by an operator\n")
    assert webhook_secrets.of_git(Settings(home=home.path), home) == "written by an operator"


def test_the_setting_goes_first(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORING_GIT_WEBHOOK_SECRET", "sixteen characters or more")
    assert webhook_secrets.of_git(Settings(home=home.path), home) == "sixteen characters or more"
    assert not (home.keys / "git-webhook.secret").exists()


@pytest.mark.parametrize("secret", ["", "short"])
def test_one_that_can_be_guessed_is_refused(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORING_GIT_WEBHOOK_SECRET", secret)
    with pytest.raises(ValidationError, match="16"):
        Settings()
