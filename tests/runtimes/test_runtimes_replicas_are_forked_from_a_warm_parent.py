"""Replicas of one tenant are forked from a process that has imported their program; whatever goes wrong, they start."""

import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mooring import processes
from mooring.runtimes.base import Limits, Phase, ReplicaSpec, Runtime, Warm
from mooring.runtimes.process.forkserver.servers import ForkServers
from mooring.runtimes.process.runtime import ProcessRuntime
from tests.runtimes.harbour import SERVER, Harbour, get, identity, runs, until

MODULE = "warm_program"
PROGRAM = f"""
{SERVER}
import random, resource, tempfile

PREPARED = []

def prepare():
    PREPARED.append(os.getpid())

def answer(path):
    if path == "/exit":
        os._exit(7)
    known = dict(
        parent=os.getppid(), prepared=PREPARED, env=sorted(os.environ), secret=os.environ.get("SECRET"),
        cwd=os.getcwd(), home=os.environ["HOME"], temporary=tempfile.gettempdir(), argv=sys.argv[1:],
        random=random.random(),
        files=resource.getrlimit(resource.RLIMIT_NOFILE)[0], first=sys.path[0], umask=os.umask(0o077), pid=os.getpid(),
        descriptors=sorted(int(name) for name in os.listdir("/proc/self/fd")),
    )
    return 200, repr(known).encode()

def main(arguments, on_ready):
    if "crash-in-fork" in arguments and PREPARED:
        os.kill(os.getpid(), 11)
    if "hang-in-fork" in arguments and PREPARED:
        time.sleep(600)
    if "refuse" in arguments:
        sys.exit("this model cannot be loaded")
    sys.argv = [sys.argv[0], *arguments]
    on_ready()
    print("serving", flush=True)
    serve()

if __name__ == "__main__":
    main(sys.argv[1:], lambda: None)
"""
WARM = Warm(MODULE, "team-a")


class Quay(Harbour):
    """A runtime with fork servers that know the program above."""

    def __init__(self, folder: Path) -> None:
        self.modules = folder / "modules"
        self.modules.mkdir()
        (self.modules / f"{MODULE}.py").write_text(PROGRAM)
        self.servers = ForkServers(folder / "forks", folder / "sockets", self.modules)
        super().__init__(folder)
        self.sockets.mkdir(exist_ok=True)

    def another(self, **options: Any) -> ProcessRuntime:
        options = {"warm_seconds": 5.0, "fork_servers": self.servers, **options}
        return ProcessRuntime(folder=self.folder, sockets=self.sockets, **options)

    def spec(self, *arguments: str, warm: Warm = WARM, **env: str) -> ReplicaSpec:
        argv = [sys.executable, "-m", MODULE, "{socket}", *arguments]
        return ReplicaSpec(argv, {"PYTHONPATH": str(self.modules), **env}, "/", Limits(open_files=512), 5.0, warm)

    def warmed_up(self, warm: Warm = WARM) -> int:
        """The pid of a fork server that is ready."""
        self.servers.keep(warm)
        until("the fork server is warm", self.servers.socket(warm).exists)
        found = processes.running(next((self.folder.parent / "forks").glob("*.json")))
        assert found is not None
        return found.pid

    def facts(self, replica_id: str) -> dict[str, object]:
        self.until(replica_id, Phase.READY)
        return dict(eval(get(self.socket(replica_id), "/")))  # our own program's words

    def close(self) -> None:
        super().close()
        self.servers.end_all_but(set())


@pytest.fixture
def quay() -> Iterator[Quay]:
    with tempfile.TemporaryDirectory(prefix="quay-") as folder:  # a short path: sockets lie in it
        quay = Quay(Path(folder))
        yield quay
        quay.close()


@pytest.fixture
def runtime(quay: Quay) -> Runtime:
    return quay.runtime


def test_what_is_forked_is_what_would_have_been_executed(quay: Quay, runtime: Runtime) -> None:
    runtime.start("cold1", quay.spec("word", SECRET="s3cret"))
    cold = quay.facts("cold1")
    server = quay.warmed_up()
    runtime.start("warm1", quay.spec("word", SECRET="s3cret"))
    warm = quay.facts("warm1")

    assert (cold["prepared"], warm["prepared"]) == ([], [server])
    for same in ("env", "secret", "files", "umask"):
        assert warm[same] == cold[same], same
    assert warm["home"] == str(quay.folder / "warm1" / "home") == warm["cwd"] == warm["first"]
    assert warm["temporary"] == str(quay.folder / "warm1" / "tmp")
    assert warm["argv"] == [str(quay.socket("warm1")), "word"]
    assert "serving" in quay.messages("warm1")
    inherited = set(warm["descriptors"]) - set(cold["descriptors"])  # type: ignore[call-overload]
    assert len(inherited) <= 1, "only the pipe by which it said that it is ready"


def test_it_is_watched_stopped_and_forgotten_like_any_other(quay: Quay, runtime: Runtime) -> None:
    quay.warmed_up()
    runtime.start("warm1", quay.spec())
    runtime.start("warm2", quay.spec())
    first, second = quay.facts("warm1"), quay.facts("warm2")
    assert first["random"] != second["random"]

    runtime.stop("warm1")
    ended = quay.until("warm1", Phase.EXITED)
    assert (ended.exit_code, ended.asked) == (0, True)
    os.kill(int(str(second["pid"])), signal.SIGKILL)
    assert quay.until("warm2", Phase.EXITED).reason == "ended by signal 9 (SIGKILL)"
    runtime.forget("warm1")
    assert runtime.replicas() == ["warm2"]


def test_replicas_outlive_the_fork_server_and_it_comes_back(quay: Quay, runtime: Runtime) -> None:
    server = quay.warmed_up()
    runtime.start("warm1", quay.spec())
    pid = quay.facts("warm1")["pid"]
    os.kill(server, signal.SIGKILL)
    until("the fork server is gone", lambda: not runs(server))

    runtime.start("cold1", quay.spec())
    assert quay.facts("cold1")["prepared"] == [], "executed, as nothing was there to fork from"
    assert quay.facts("warm1")["pid"] == pid
    another = quay.another()
    another.observe("warm1")
    quay.servers = ForkServers(quay.folder.parent / "forks", quay.sockets, quay.modules)
    assert quay.warmed_up() != server


def test_the_first_ready_one_makes_the_next_warm_and_the_last_one_ends_that(quay: Quay, runtime: Runtime) -> None:
    runtime.start("cold1", quay.spec())
    quay.until("cold1", Phase.READY)
    until("the fork server is warm", quay.servers.socket(WARM).exists)
    server = quay.warmed_up()
    runtime.stop("cold1")
    quay.until("cold1", Phase.EXITED)
    runtime.forget("cold1")
    until("the fork server is gone", lambda: not runs(server))
    assert not quay.servers.socket(WARM).exists()


def test_tenants_have_parents_of_their_own(quay: Quay, runtime: Runtime) -> None:
    quay.warmed_up()
    runtime.start("theirs", quay.spec(warm=Warm(MODULE, "team-b")))
    assert quay.facts("theirs")["prepared"] == [], "nothing of team-a's is forked for team-b"


@pytest.mark.parametrize(
    ("word", "notice"),
    [
        ("crash-in-fork", "was killed before it was ready"),
        ("hang-in-fork", "is not ready in time"),
    ],
)
def test_a_library_that_does_not_survive_a_fork_costs_time_only(quay: Quay, word: str, notice: str) -> None:
    quay.warmed_up()
    runtime = quay.another(warm_seconds=1.0)
    runtime.start("warm1", quay.spec(word, SECRET="s3cret"))
    facts = quay.facts("warm1")
    assert (facts["prepared"], facts["secret"]) == ([], "s3cret")
    assert any(notice in message for message in quay.messages("warm1"))
    assert quay.state("warm1").program == identity(int(str(facts["pid"])))


def test_one_that_refuses_to_start_is_not_started_twice(quay: Quay, runtime: Runtime) -> None:
    quay.warmed_up()
    runtime.start("warm1", quay.spec("refuse"))
    ended = quay.until("warm1", Phase.EXITED)
    assert (ended.exit_code, ended.reason) == (1, "this model cannot be loaded")
    assert [m for m in quay.messages("warm1") if "cannot be loaded" in m] == ["this model cannot be loaded"]


def test_a_fork_server_that_hangs_is_passed_by(quay: Quay) -> None:
    server = quay.warmed_up()
    os.kill(server, signal.SIGSTOP)
    try:
        runtime = quay.another(start_timeout_seconds=0.5)
        runtime.start("cold1", quay.spec())
        assert quay.facts("cold1")["prepared"] == []
    finally:
        os.kill(server, signal.SIGCONT)
    until("what was asked meanwhile is forked by nobody", lambda: quay.until("cold1", Phase.READY))
    assert len(_shims_of("cold1")) == 1


def test_secrets_are_nowhere_on_the_disk(quay: Quay, runtime: Runtime) -> None:
    quay.warmed_up()
    runtime.start("warm1", quay.spec(SECRET="s3cret-value"))
    quay.until("warm1", Phase.READY)
    found = [path for path in quay.folder.parent.rglob("*") if path.is_file() and b"s3cret-value" in path.read_bytes()]
    assert found == []


def _shims_of(replica_id: str) -> list[int]:
    """Processes whose working folder is the replica's, and which are no program."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        working = _link(folder / "cwd")
        if working.endswith(f"/{replica_id}"):
            found.append(int(folder.name))
    return found


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return ""
