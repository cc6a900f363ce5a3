"""A user's program is somebody else's: it may try what it likes, and gets at nothing that is not its own (class 27)."""

import json
import os
import socket
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mooring.domain.stand_ins import StandIn, StandIns
from mooring.runtimes.base import ImageError, ImageRequest, Limits, Mount, Phase
from mooring.runtimes.sandbox.containers import SandboxContainers
from tests.runtimes.harbour import until
from tests.runtimes.sandboxes import IMAGE, Sandboxes


def _tries(sandboxes: Sandboxes, program: str, run_id: str = "job1") -> list[Any]:
    """What each line of a program has come to: its value, or the name of the error."""
    lines = [line for line in program.strip().splitlines() if line.strip()]
    harness = f"""
import os, json, socket, ctypes
for line in {lines!r}:
    try:
        print(json.dumps(eval(line), default=str), flush=True)
    except BaseException as error:
        print(json.dumps(type(error).__name__), flush=True)
"""
    return [json.loads(line) for line in sandboxes.run(sandboxes.spec(harness), run_id)]


def test_nothing_of_the_machine_is_seen_but_programs(sandboxes: Sandboxes) -> None:
    secret = sandboxes.folder / "keys" / "key"
    secret.parent.mkdir()
    secret.write_text("the key")
    shadow, key, folder, home, root, names = _tries(
        sandboxes,
        f"""
open("/etc/shadow").read()
open({str(secret)!r}).read()
os.listdir({str(sandboxes.folder)!r})
sorted(os.listdir("/home/user"))
sorted(os.listdir("/root")) if "/root" not in {str(Path.home())!r} else []
sorted(os.listdir("/"))
""",
    )
    assert (shadow, key, folder, home, root) == ("FileNotFoundError", "FileNotFoundError", "FileNotFoundError", [], [])
    assert set(names) <= {
        *(".mooring", "app", "bin", "dev", "etc", "home", "lib", "lib32", "lib64", "libx32", "opt", "proc", "run"),
        *("sbin", "tmp", "usr", "var", *Path(os.path.realpath(os.sys.base_prefix)).parts[1:2]),  # type: ignore[attr-defined]
    }


def test_the_path_of_its_socket_is_not_told(sandboxes: Sandboxes) -> None:
    server = sandboxes.server("import sys; print(sys.argv[1:], flush=True)")
    spec = replace(server, args=["{socket}", "--at={socket}"], env={"AT": "{socket}"})
    sandboxes.harbour.runtime.start("replica1", spec)
    sandboxes.says("replica1", "['{socket}', '--at={socket}']")
    sandboxes.harbour.until("replica1", Phase.READY)


def test_files_in_memory_count_in_a_sandbox_too(sandboxes: Sandboxes) -> None:
    fill = "f = os.memfd_create('kept')\nfor _ in range(150): os.write(f, b'x' * (1 << 20))"
    program = f"import os, time\n{fill}\ntime.sleep(600)"
    sandboxes.harbour.runtime.start("job1", sandboxes.spec(program, limits=Limits(memory_bytes=120 << 20)))
    assert sandboxes.harbour.until("job1", Phase.EXITED).reason.endswith("of memory, its limit is 120 MiB")


def test_what_is_not_its_own_cannot_be_changed(sandboxes: Sandboxes) -> None:
    (sandboxes.source / "file").write_text("as it was")
    results = _tries(
        sandboxes,
        """
open("/app/src/file", "w")
open("/usr/bin/evil", "w")
open("/usr/lib/evil", "w")
open("/opt/environment/bin/evil", "w")
open("/.mooring/lib/mooring/runtimes/sandbox/inside/init.py", "w")
open("/.mooring/gateway/gateway.sock", "w")
open("/dev/evil", "w")
open("/proc/sys/kernel/core_pattern", "w")
open("/proc/sysrq-trigger", "w")
open("/etc/ssl/certs/evil", "w")
os.mknod("/tmp/disk", 0o60600, os.makedev(8, 0))
os.chroot("/tmp")
os.setuid(0)
""",
    )
    assert set(results) <= {"OSError", "PermissionError", "FileNotFoundError"}
    assert (sandboxes.source / "file").read_text() == "as it was"


def test_no_knob_of_the_kernel_can_be_opened_for_writing(sandboxes: Sandboxes) -> None:
    # Whoever runs Mooring as root is root's number inside, too: rights of files alone would not hold it.
    program = """
import os, stat
for top in ("/proc", "/dev", "/sys"):
    for parent, folders, files in os.walk(top):
        own = ("self", "thread-self", "pts", "shm")
        folders[:] = [name for name in folders if not name.isdecimal() and name not in own]
        for path in (os.path.join(parent, name) for name in files):
            try:
                if not stat.S_ISCHR(os.lstat(path).st_mode) and not os.path.islink(path):
                    os.close(os.open(path, os.O_WRONLY | os.O_NONBLOCK))
                    print(path)
            except OSError:
                continue
print("walked")
"""
    assert sandboxes.run(sandboxes.spec(program)) == ["walked"]


def test_the_home_is_not_seen_even_inside_of_the_stand_in(sandboxes: Sandboxes) -> None:
    home = sandboxes.source / "project" / "home"
    home.mkdir(parents=True)
    (home / "service-key.json").write_text("the key")
    hiding = SandboxContainers(StandIns({IMAGE: StandIn(sandboxes.source)}), sandboxes.environments, hidden=[home])
    sandboxes.harbour.runtime = sandboxes.harbour.another(containers=hiding)
    inside = "/app/src/project/home"
    assert _tries(
        sandboxes, f"os.listdir({inside!r})\nopen('{inside}/service-key.json').read()\nopen('{inside}/new', 'w')"
    ) == [[], "FileNotFoundError", "OSError"]
    within = SandboxContainers(StandIns({IMAGE: StandIn(home)}), sandboxes.environments, hidden=[home])
    with pytest.raises(ImageError, match="lies in Mooring's own folder"):
        within.prepare(ImageRequest(IMAGE))


def test_links_out_of_its_root_lead_nowhere(sandboxes: Sandboxes) -> None:
    results = _tries(
        sandboxes,
        f"""
os.symlink({str(sandboxes.folder)!r}, "/tmp/out") or os.listdir("/tmp/out")
os.symlink("../../../../../../../..{sandboxes.folder}", "/app/up") or os.listdir("/app/up")
os.listdir("/proc/1/root")
os.listdir("/proc/self/root{sandboxes.folder}")
os.listdir("/proc/self/cwd/../../../..{sandboxes.folder}")
""",
    )
    nothing = "FileNotFoundError"
    assert results == [nothing, nothing, "PermissionError", nothing, nothing]


def test_no_process_outside_is_seen_or_signalled(sandboxes: Sandboxes) -> None:
    me = os.getpid()
    pids, killed, everybody, environment = _tries(
        sandboxes,
        f"""
sorted(int(name) for name in os.listdir("/proc") if name.isdecimal())
os.kill({me}, 9)
os.kill(-1, 0)
open("/proc/{me}/environ", "rb").read()
""",
    )
    assert max(pids) < 100
    assert killed == "ProcessLookupError"
    assert everybody in (None, "ProcessLookupError")
    assert environment == "FileNotFoundError"


def test_nothing_of_our_environment_is_inherited(sandboxes: Sandboxes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOORING_ENCRYPTION_KEY", "our own key")
    environments = _tries(sandboxes, "open('/proc/1/environ').read() + open('/proc/self/environ').read()")
    assert "our own key" not in environments[0]


def test_it_can_neither_widen_its_rights_nor_make_namespaces(sandboxes: Sandboxes) -> None:
    status, namespaces, mount = _tries(
        sandboxes,
        """
[line for line in open("/proc/self/status").read().splitlines() if line.startswith(("CapEff", "CapBnd", "NoNewPrivs"))]
ctypes.CDLL(None, use_errno=True).unshare(0x10000000)
ctypes.CDLL(None, use_errno=True).mount(b"none", b"/tmp", b"tmpfs", 0, None)
""",
    )
    assert [line.split()[1] for line in status] == ["0" * 16, "0" * 16, "1"]
    assert (namespaces, mount) == (-1, -1)


def test_the_process_that_counts_the_others_cannot_be_stopped(sandboxes: Sandboxes) -> None:
    attached, seized, environment, own = _tries(
        sandboxes,
        """
ctypes.CDLL(None).ptrace(16, 1, None, None)
ctypes.CDLL(None).ptrace(0x4206, 1, None, None)
open("/proc/1/environ").read()
len(open("/proc/self/environ").read()) > 0
""",
    )
    assert (attached, seized, environment, own) == (-1, -1, "PermissionError", True)


def test_no_socket_of_the_machine_and_of_other_sandboxes_is_reached(sandboxes: Sandboxes) -> None:
    sandboxes.harbour.runtime.start("replica1", sandboxes.server())
    sandboxes.harbour.until("replica1", Phase.READY)
    with socket.create_server(("127.0.0.1", 0)) as outside, socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(f"\0mooring-test-{os.getpid()}")
        abstract.listen()
        results = _tries(
            sandboxes,
            f"""
socket.create_connection(("127.0.0.1", {outside.getsockname()[1]}), 2)
socket.create_connection(("127.0.0.1", 8080), 2)
socket.create_connection(("8.8.8.8", 53), 2)
socket.socket(socket.AF_UNIX).connect({str(sandboxes.harbour.socket("replica1"))!r})
socket.socket(socket.AF_UNIX).connect("\\0mooring-test-{os.getpid()}")
[name for _, name in socket.if_nameindex()]
""",
        )
    assert results[:2] == ["ConnectionRefusedError"] * 2
    assert results[2] == "OSError"
    assert results[3:5] == ["FileNotFoundError", "ConnectionRefusedError"]
    assert "lo" in results[5]
    assert not any(name.startswith(("eth", "en", "wl", "docker", "podman")) for name in results[5])


def test_no_mount_leads_into_the_system(sandboxes: Sandboxes) -> None:
    for target in (
        "/",
        "/usr",
        "/usr/bin",
        "/usr/lib/python3",
        "/proc",
        "/dev/shm",
        "/.mooring/lib",
        "app",
        "/a/../usr",
        "//usr/bin",
    ):
        with pytest.raises(ValueError, match="cannot be mounted on"):
            sandboxes.harbour.runtime.start("job1", sandboxes.spec("", mounts=[Mount(sandboxes.folder, target)]))


def test_no_link_leads_a_mount_or_a_folder_astray(sandboxes: Sandboxes) -> None:
    outside = sandboxes.folder / "outside"
    for folder in (outside, sandboxes.folder / "data"):
        folder.mkdir()
    (sandboxes.source / "link").symlink_to(outside)
    (sandboxes.folder / "data" / "link").symlink_to(outside)
    program = "import os; print(os.path.lexists('/app/src/link/below'))"
    below = [Mount(sandboxes.folder / "data", "/app/src/link/below")]
    assert sandboxes.run(sandboxes.spec(program, mounts=below)) == ["True"]
    assert sandboxes.run(sandboxes.spec(program, outputs=["/app/src/link/below/x"]), "job2") == ["True"]
    mounts = [Mount(sandboxes.folder / "data", "/app/data"), Mount(sandboxes.source, "/app/data/link/below")]
    with pytest.raises(ValueError, match="it lies behind a link in /app/data"):
        sandboxes.harbour.runtime.start("job3", sandboxes.spec("", mounts=mounts))
    assert list(outside.iterdir()) == []


def test_what_is_mounted_read_only_stays_as_it_is(sandboxes: Sandboxes) -> None:
    for name in ("model", "data"):
        (sandboxes.folder / name).mkdir()
    mounts = [
        Mount(sandboxes.folder / "model", "/mnt/models"),
        Mount(sandboxes.folder / "data", "/app/data", read_only=False),
    ]
    program = """
for path in ("/app/data/new", "/mnt/models/new"):
    try:
        open(path, "w").close()
    except OSError as error:
        print(path, error.strerror)
"""
    assert sandboxes.run(sandboxes.spec(program, mounts=mounts)) == ["/mnt/models/new Read-only file system"]
    assert (sandboxes.folder / "data" / "new").exists()


def test_a_root_that_is_read_only_leaves_room_for_outputs(sandboxes: Sandboxes) -> None:
    program = """
for path in ("/tmp/a", "/app/out/model", "/etc/new", "/new"):
    try:
        open(path, "w").close()
    except OSError as error:
        print(path, error.strerror)
"""
    said = sandboxes.run(sandboxes.spec(program, read_only_root=True, outputs=["/app/out/model"]))
    assert said == ["/etc/new Read-only file system", "/new Read-only file system"]


def test_memory_files_count_against_something(sandboxes: Sandboxes) -> None:
    shared, devices = _tries(
        sandboxes,
        """
open("/dev/shm/big", "wb").write(bytes(80 << 20))
open("/dev/big", "wb").write(bytes(1))
""",
    )
    assert (shared, devices) == ("OSError", "OSError")


@pytest.mark.slow
def test_a_fork_bomb_ends_itself(sandboxes: Sandboxes) -> None:
    bomb = """
import os, time
while True:
    try:
        if os.fork() == 0:
            time.sleep(600)
    except OSError:
        time.sleep(0.1)
"""
    spec = sandboxes.spec(bomb, limits=Limits(memory_bytes=8 << 30))
    sandboxes.harbour.runtime.start("job1", spec)
    ended = until("it is over", lambda: _ended(sandboxes, "job1"), seconds=60)
    assert "4096 are allowed" in ended or "limit is" in ended
    assert sandboxes.processes_of("job1") == []


def _ended(sandboxes: Sandboxes, run_id: str) -> str:
    seen = sandboxes.harbour.runtime.observe(run_id)
    return seen.reason if seen.phase is Phase.EXITED else ""


def test_the_gateway_is_reached_under_the_url_that_outside_has(sandboxes: Sandboxes) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(sandboxes.gateway.socket))
        listener.listen()
        heard: list[bytes] = []

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                heard.append(connection.recv(100))
                connection.sendall(b"welcome")

        thread = threading.Thread(target=answer)
        thread.start()
        host, port = sandboxes.harbour.runtime.gateway_url("https://public").removeprefix("http://").split(":")
        program = f"""
import socket
with socket.create_connection(({host!r}, {port})) as way:
    way.sendall(b"hello")
    print(way.recv(100).decode())
"""
        assert sandboxes.run(sandboxes.spec(program)) == ["welcome"]
        thread.join(timeout=10)
    assert heard == [b"hello"]


def test_a_server_may_have_the_port_of_the_gateway(sandboxes: Sandboxes) -> None:
    sandboxes.harbour.runtime.start("replica1", sandboxes.server(port=sandboxes.gateway.port))
    sandboxes.harbour.until("replica1", Phase.READY)


def test_jobs_use_the_machines_network_only_when_the_operator_says_so(sandboxes: Sandboxes) -> None:
    allowed = Sandboxes(sandboxes.folder, sandboxes.harbour, sandboxes.environments, jobs_network="host")
    with socket.create_server(("127.0.0.1", 0)) as outside:
        program = f"import socket; socket.create_connection(('127.0.0.1', {outside.getsockname()[1]}), 5); print('in')"
        assert allowed.run(allowed.spec(program)) == ["in"]
        server = f"try:\n    {program}\nexcept OSError as error:\n    print(error.strerror, flush=True)"
        sandboxes.harbour.runtime.start("replica1", allowed.server(server))
        allowed.says("replica1", "Connection refused")
