"""What those who call our webhooks prove themselves with: made at the first start, and kept in the home."""

import secrets

from mooring.files import write_atomically
from mooring.home import Home
from mooring.settings import Settings


def of_registry(home: Home) -> str:
    """MLflow is given it by us. Raises OSError."""
    return _kept(home, "webhook.secret")


def of_git(settings: Settings, home: Home) -> str:
    """An operator gives it to GitHub or GitLab. Raises OSError."""
    if settings.git_webhook_secret is not None:
        return settings.git_webhook_secret.get_secret_value()
    return _kept(home, "git-webhook.secret")


def _kept(home: Home, name: str) -> str:
    path = home.keys / name
    kept = path.read_text().strip() if path.exists() else ""
    if kept:
        return kept
    made = secrets.token_urlsafe(32)  # also for a file without content: with no secret, anybody could sign
    write_atomically(path, made.encode(), durable=True)
    return made
