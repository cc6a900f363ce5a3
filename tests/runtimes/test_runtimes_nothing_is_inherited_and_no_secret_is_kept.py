"""A replica knows what its spec tells it; what its spec tells it stays with it."""

import json
import os
import stat
from pathlib import Path

import pytest

from mooring.runtimes.base import Phase, ReplicaSpec
from tests.runtimes.harbour import Harbour, python, server

INSIDE = """
import json, os, signal, stat
print(json.dumps({
    "environment": dict(os.environ),
    "descriptors": sorted(os.listdir("/proc/self/fd")),
    "stdin": os.readlink("/proc/self/fd/0"),
    "cwd": os.getcwd(),
    "umask": os.umask(0),
    "leader": [os.getsid(0), os.getpgid(0)] == [os.getpid()] * 2,
    "ignored": [int(s) for s in signal.valid_signals() if signal.getsignal(s) is signal.SIG_IGN],
    "modes": [oct(os.stat(os.environ[name]).st_mode) for name in ("HOME", "TMPDIR")],
}))
"""

_OF_THE_C_LIBRARY = 0b11 << 31
"""Signals 32 and 33, which no program can change; some starters leave them ignored."""


def test_the_environment_is_the_spec_and_four_variables(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORING_DATABASE_URL", "canary")
    secret, _ = os.pipe()
    os.set_inheritable(secret, True)
    harbour.runtime.start("replica1", python(INSIDE, env={"MODEL": "one", "LC_ALL": "C.UTF-8"}))
    harbour.until("replica1", Phase.EXITED)
    seen = json.loads(harbour.messages("replica1")[0])
    folder = harbour.folder / "replica1"
    environment = seen["environment"]
    assert environment.pop("PATH").endswith(":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    assert environment == {
        "MODEL": "one",
        "LC_ALL": "C.UTF-8",
        "LANG": "C.UTF-8",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
    }
    assert seen["descriptors"] == ["0", "1", "2", "3"]  # the last is the listing itself
    assert seen["stdin"] == "/dev/null"
    assert seen["cwd"] == str(folder / "home")
    assert seen["umask"] == 0o077
    assert seen["leader"]
    assert set(seen["ignored"]) <= {13, 25}  # Python's own
    assert seen["modes"] == ["0o40700", "0o40700"]


def test_what_our_starter_ignores_the_program_does_not(harbour: Harbour) -> None:
    show = ["/bin/sh", "-c", "grep -E '^Sig(Ign|Blk)' /proc/self/status"]
    harbour.runtime.start("replica1", ReplicaSpec(argv=show))
    harbour.until("replica1", Phase.EXITED)
    shown = [int(message.split()[1], 16) & ~_OF_THE_C_LIBRARY for message in harbour.messages("replica1")]
    assert shown == [0, 0]


def test_the_shim_inherits_nothing_either(harbour: Harbour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORING_DATABASE_URL", "canary")
    harbour.runtime.start("replica1", server(env={"TOKEN": "geheim"}))
    shim = harbour.state("replica1").shim.pid
    assert Path(f"/proc/{shim}/environ").read_bytes() == b""
    assert "geheim" not in Path(f"/proc/{shim}/cmdline").read_text()


def test_no_secret_of_the_environment_is_on_the_disk(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", server(env={"TOKEN": "geheim"}))
    harbour.until("replica1", Phase.READY)
    files = [path for path in harbour.folder.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if b"geheim" in path.read_bytes()]
    harbour.runtime.stop("replica1")
    harbour.until("replica1", Phase.EXITED)
    assert not [path for path in harbour.folder.rglob("*") if path.is_file() and b"geheim" in path.read_bytes()]


def test_a_spec_that_is_printed_shows_no_secret() -> None:
    assert "geheim" not in repr(ReplicaSpec(argv=["x"], env={"TOKEN": "geheim"}))


def test_other_users_see_nothing_of_it(harbour: Harbour) -> None:
    harbour.runtime.start("replica1", server())
    harbour.until("replica1", Phase.READY)
    folder = harbour.folder / "replica1"
    private = [
        folder,
        harbour.folder / ".logs",
        harbour.sockets,
        *folder.iterdir(),
        *(harbour.folder / ".logs").iterdir(),
    ]
    open_to_others = [path for path in private if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert open_to_others == []


def test_forgetting_removes_everything_but_the_logs(harbour: Harbour) -> None:
    messy = """
os.makedirs("locked/inside")
open("locked/inside/file", "w").close()
os.symlink("/", "out")
os.chmod("locked/inside", 0o500)
os.chmod("locked", 0)
open(os.environ["TMPDIR"] + "/scratch", "w").close()
"""
    harbour.runtime.start("replica1", server(messy))
    harbour.until("replica1", Phase.READY)
    with pytest.raises(BlockingIOError, match="still runs"):
        harbour.another(end_timeout_seconds=0.1).forget("replica1")
    assert harbour.runtime.observe("replica1").phase is Phase.READY
    harbour.runtime.stop("replica1")
    harbour.until("replica1", Phase.EXITED)
    harbour.runtime.forget("replica1")
    harbour.runtime.forget("replica1")
    assert [path.name for path in harbour.folder.iterdir()] == [".logs"]
    assert list(harbour.sockets.iterdir()) == []
