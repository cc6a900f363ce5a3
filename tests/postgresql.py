"""A real PostgreSQL for tests: the machine's own programs, in a temporary folder, on a unix socket and nowhere else.

One server per test session, shared by its workers: the first that needs it starts it, by way of a process that waits
for the end of the session (however that comes) and then ends the server and removes its folder. A database costs some
50 ms, because it is copied from one that was migrated once.
"""

import contextlib
import fcntl
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from mooring.store import migrate
from mooring.store.database import Database

PASSWORD = "never-to-be-shown"
"""Given in the URLs and not checked by the server: whoever finds it somewhere else has found a leak."""
_SECONDS = 60.0
_USER = "mooring"
_MIGRATED = "migrated"
_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "max_connections": "400",
    "shared_buffers": "64MB",
}


def programs() -> Path | None:
    """The folder of the newest PostgreSQL on this machine."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("postgres")
    return found[-1].parent if found else Path(on_path).parent if on_path else None


class Postgresql:
    """One server in one folder, whose path has to be short."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def initialise(self) -> None:
        """Make its files. The locale "C" is the one whose own letters end with ASCII."""
        if os.getuid() == 0:  # it refuses to run as root
            os.chown(self.folder, _account().pw_uid, _account().pw_gid)
        self._run(
            *("initdb", "--pgdata", str(self.folder / "data"), "--username", _USER, "--auth", "trust"),
            *("--locale", "C", "--encoding", "UTF8", "--no-sync", "--no-instructions"),
        )

    def start(self) -> None:
        settings = {**_SETTINGS, "unix_socket_directories": str(self.folder)}
        argv = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_program("postgres"), "-D", str(self.folder / "data"), *argv],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + _SECONDS
        while not self._answers():
            said = (self.folder / "log").read_text()
            assert self._process.poll() is None, said
            assert time.monotonic() < deadline, said
            time.sleep(0.02)

    def stop(self) -> None:
        """At once: connections are cut, as when its machine goes down."""
        if self._process:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(_SECONDS)

    def url(self, database: str) -> str:
        return f"postgresql://{_USER}:{PASSWORD}@/{database}?host={self.folder}"

    def new_database(self, *, migrated: bool = True) -> str:
        """The URL of a database of one's own, empty or with all tables."""
        name = f"test_{uuid.uuid4().hex}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {_MIGRATED if migrated else 'template0'}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, also when somebody is still connected to it."""
        self._execute(f"DROP DATABASE {url.rpartition('?')[0].rpartition('/')[2]} WITH (FORCE)")

    def make_template(self) -> None:
        self._execute(f"CREATE DATABASE {_MIGRATED} TEMPLATE template0")
        database = Database(self.url(_MIGRATED))
        migrate.upgrade(database)
        database.close()

    def _answers(self) -> bool:
        try:
            self._execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _execute(self, statement: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*_program(program), *arguments],
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@contextmanager
def own_server() -> Iterator[Postgresql]:
    """A server of one test, which may stop and start it."""
    folder = Path(tempfile.mkdtemp(prefix="mooring-pg-", dir="/tmp"))
    server = Postgresql(folder)
    try:
        server.initialise()
        server.start()
        server.make_template()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def shared_server(session_folder: Path) -> Postgresql:
    """The server of the test session that this folder belongs to, started when it is not there yet."""
    with (session_folder / "postgresql.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        record = session_folder / "postgresql"
        if not record.exists():
            record.write_text(str(_start_for_session(session_folder)))
        return Postgresql(Path(record.read_text()))


def _start_for_session(session_folder: Path) -> Path:
    folder = Path(tempfile.mkdtemp(prefix="mooring-pg-", dir="/tmp"))
    # A worker's parent is the session; without workers, we are.
    session = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    with (session_folder / "postgresql.log").open("wb") as log:
        guard = subprocess.Popen(
            [sys.executable, "-m", "tests.postgresql", str(folder), str(session)],
            cwd=Path(__file__).parent.parent, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    deadline = time.monotonic() + _SECONDS
    while not (folder / "ready").exists():
        said = (session_folder / "postgresql.log").read_text()
        assert guard.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.02)
    guard.returncode = 0  # it ends after us
    return folder


def _guard(folder: Path, session: int) -> None:
    """Run a server until the session's process is gone."""
    descriptor = os.pidfd_open(session)
    server = Postgresql(folder)
    try:
        server.initialise()
        server.start()
        server.make_template()
        (folder / "ready").touch()
        select.select([descriptor], [], [])
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _program(name: str) -> list[str]:
    """The beginning of a command line; as somebody else when we are root, whom PostgreSQL refuses."""
    folder = programs()
    assert folder, "PostgreSQL is not on this machine"
    if os.getuid() != 0:
        return [str(folder / name)]
    user = _account()
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", str(folder / name)]


def _account() -> pwd.struct_passwd:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return pwd.getpwnam("nobody")


if __name__ == "__main__":
    _guard(Path(sys.argv[1]), int(sys.argv[2]))
