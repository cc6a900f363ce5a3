"""How git gets at a repository's credentials: by asking a program of ours, never on its command line."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mooring.domain.gitops import Credentials, is_private_key
from mooring.gitops.access import Way

FOLDERS = "git-"
"""How the names of the folders begin in which something lies while git runs."""
_ASK = """#!/bin/sh
case "$1" in
    Username*) printf '%s\\n' "$MOORING_GIT_USERNAME" ;;
    *) printf '%s\\n' "$MOORING_GIT_PASSWORD" ;;
esac
"""


@contextmanager
def handed_over(way: Way, credentials: Credentials | None, *, home: Path) -> Iterator[dict[str, str]]:
    """The environment in which git finds them; what had to be written down is removed at the end."""
    with TemporaryDirectory(prefix=FOLDERS, dir=home) as name:
        folder = Path(name)
        yield {
            **way.environment,
            **_ssh(way, credentials, folder, home),
            **_answers(credentials, folder),
            **_trust(way, folder),
        }


def _answers(credentials: Credentials | None, folder: Path) -> dict[str, str]:
    if credentials is None:
        return {}
    script = folder / "ask"
    script.write_text(_ASK)
    script.chmod(0o700)
    # The environment of a process can be read by its own user only, as the store's key can.
    return {
        "GIT_ASKPASS": str(script),
        "MOORING_GIT_USERNAME": credentials.username,
        "MOORING_GIT_PASSWORD": "" if is_private_key(credentials.password) else credentials.password,
    }


def _ssh(way: Way, credentials: Credentials | None, folder: Path, home: Path) -> dict[str, str]:
    options = {
        "BatchMode": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        # Not the keys of whoever runs us: they may open what this repository's owner may not read.
        "IdentityFile": "none",
        "ConnectTimeout": "15",
        "ServerAliveInterval": "15",
        # The first key that a host shows is remembered; another one later is refused.
        "StrictHostKeyChecking": "accept-new",
        "UserKnownHostsFile": _path(home / "known_hosts"),
        "ForwardAgent": "no",
        "ClearAllForwardings": "yes",
        **way.ssh_options,
    }
    if credentials is not None:
        if is_private_key(credentials.password):
            options["IdentityFile"] = _path(_key(credentials, folder))
        if credentials.username:
            options["User"] = credentials.username
    command = ["ssh", "-F", "none", *(part for item in options.items() for part in ("-o", "=".join(item)))]
    return {"GIT_SSH_COMMAND": shlex.join(command), "GIT_SSH_VARIANT": "ssh"}


def _path(path: Path) -> str:
    """As ssh reads it in an option."""
    return shlex.quote(str(path).replace("%", "%%"))


def _key(credentials: Credentials, folder: Path) -> Path:
    """As ssh wants it: with lines' ends, also one at the end, and without a carriage return."""
    key = folder / "key"
    key.touch(0o600)
    lines = credentials.password.strip().replace("\\n", "\n").splitlines()
    key.write_text("".join(f"{line.strip()}\n" for line in lines))
    return key


def _trust(way: Way, folder: Path) -> dict[str, str]:
    """A repository may be another user's: of what git is told, only the user's own settings can allow that."""
    if way.trusted is None:
        return {}
    places = (way.trusted, way.trusted.parent) if way.trusted.name == ".git" else (way.trusted,)
    quoted = (str(place).replace("\\", "\\\\").replace('"', '\\"') for place in places)
    settings = folder / "settings"
    settings.write_text("[safe]\n" + "".join(f'\tdirectory = "{place}"\n' for place in quoted))
    return {"GIT_CONFIG_GLOBAL": str(settings)}
