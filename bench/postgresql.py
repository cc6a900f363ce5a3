"""A PostgreSQL server to measure on: the Debian package's, in a temporary folder, on a unix socket."""

import os
import pwd
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAMS = Path("/usr/lib/postgresql")
_USER = "postgres"


def is_installed() -> bool:
    return any(_PROGRAMS.glob("*/bin/postgres"))


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database, for as long as the block runs. Its settings are the package's."""
    with tempfile.TemporaryDirectory(prefix="mooring-bench-pg-", ignore_cleanup_errors=True) as name:
        folder, data = Path(name), Path(name) / "data"
        _own(folder)
        _run("initdb", "--pgdata", str(data), "--auth", "trust", "--username", _USER, "--encoding", "UTF8")
        options = f"-c listen_addresses='' -c unix_socket_directories='{folder}'"
        _run("pg_ctl", "start", "--wait", "--pgdata", str(data), "--log", str(folder / "log"), "--options", options)
        try:
            yield f"postgresql+psycopg://{_USER}@/{_USER}?host={folder}"
        finally:
            _run("pg_ctl", "stop", "--pgdata", str(data), "--mode", "fast")


def _run(program: str, *arguments: str) -> None:
    path = sorted(_PROGRAMS.glob(f"*/bin/{program}"))[-1]
    subprocess.run([str(path), *arguments], check=True, stdout=subprocess.DEVNULL, user=_other_user(), cwd="/")


def _other_user() -> str | None:
    """PostgreSQL refuses to run as root."""
    return _USER if os.geteuid() == 0 else None


def _own(folder: Path) -> None:
    if user := _other_user():
        account = pwd.getpwnam(user)
        os.chown(folder, account.pw_uid, account.pw_gid)
