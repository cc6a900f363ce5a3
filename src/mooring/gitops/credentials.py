"""How git gets at a repository's credentials: by asking a program of ours, never on its command line."""

import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from mooring.domain.gitops import Credentials

_ASK = """#!/bin/sh
case "$1" in
    Username*) printf '%s\\n' "$MOORING_GIT_USERNAME" ;;
    *) printf '%s\\n' "$MOORING_GIT_PASSWORD" ;;
esac
"""
_KEY_BEGINS = "-----BEGIN "


@contextmanager
def handed_over(credentials: Credentials | None, *, home: Path) -> Iterator[dict[str, str]]:
    """The environment in which git finds them; what had to be written down is removed at the end."""
    with TemporaryDirectory(prefix="git-", dir=home) as name:
        folder = Path(name)
        yield {**_ssh(credentials, folder, home), **_answers(credentials, folder)}


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
        "MOORING_GIT_PASSWORD": "" if _is_key(credentials) else credentials.password,
    }


def _ssh(credentials: Credentials | None, folder: Path, home: Path) -> dict[str, str]:
    options = {
        "BatchMode": "yes",
        "IdentitiesOnly": "yes",
        "IdentityAgent": "none",
        "ConnectTimeout": "15",
        # The first key that a host shows is remembered; another one later is refused.
        "StrictHostKeyChecking": "accept-new",
        "UserKnownHostsFile": str(home / "known_hosts"),
        "ForwardAgent": "no",
    }
    command = ["ssh", "-F", "none", *(part for item in options.items() for part in ("-o", "=".join(item)))]
    if credentials is not None:
        if _is_key(credentials):
            key = folder / "key"
            key.touch(0o600)
            key.write_text(credentials.password.rstrip("\n") + "\n")
            command += ["-i", str(key)]
        if credentials.username:
            command += ["-o", f"User={credentials.username}"]
    return {"GIT_SSH_COMMAND": shlex.join(command), "GIT_SSH_VARIANT": "ssh"}


def _is_key(credentials: Credentials) -> bool:
    return credentials.password.lstrip().startswith(_KEY_BEGINS)
