"""A user's container in a sandbox is started, asked, ended and recorded as any replica is."""

import json
import signal
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from mooring.processes import send
from mooring.runtimes.base import ContainerSpec, ImageError, ImageRequest, Limits, Mount, Phase, Readiness
from tests.runtimes.harbour import get, runs, until
from tests.runtimes.sandboxes import IMAGE, Sandboxes, without_bubblewrap


def test_a_server_is_ready_when_its_path_says_so(sandboxes: Sandboxes) -> None:
    switch = "def answer(path):\n    return (302 if path == '/health' else 500), b'moved'"
    sandboxes.harbour.runtime.start("replica1", sandboxes.server(switch, path="/health"))
    assert sandboxes.harbour.until("replica1", Phase.READY).pid
    assert get(sandboxes.harbour.socket("replica1"), "/health") == b"moved"
    other = sandboxes.spec("import time; time.sleep(600)", readiness=Readiness(8080, "/"))
    sandboxes.harbour.runtime.start("replica2", other)
    seen = sandboxes.harbour.runtime.observe("replica2")
    assert (seen.phase, seen.reason) == (Phase.STARTING, "it does not listen on its socket yet")


def test_a_server_that_answers_an_error_is_not_ready(sandboxes: Sandboxes) -> None:
    sandboxes.harbour.runtime.start("replica1", sandboxes.server("def answer(path):\n    return 503, b''"))
    until("it answers", lambda: sandboxes.harbour.runtime.observe("replica1").reason == "/ answered 503")


def test_without_a_path_it_is_ready_when_it_accepts(sandboxes: Sandboxes) -> None:
    gated = "import sys, time\nwhile not os.path.exists('/app/data/go'): time.sleep(0.01)"
    data = sandboxes.folder / "data"
    data.mkdir()
    spec = sandboxes.server(gated, path=None, mounts=[Mount(data, "/app/data")])
    sandboxes.harbour.runtime.start("replica1", spec)
    seen = sandboxes.harbour.runtime.observe("replica1")
    assert (seen.phase, seen.reason) == (Phase.STARTING, "it does not listen on its socket yet")
    (data / "go").touch()
    sandboxes.harbour.until("replica1", Phase.READY)


def test_it_is_not_asked_before_its_time(sandboxes: Sandboxes) -> None:
    spec = sandboxes.spec("import time; time.sleep(600)", readiness=Readiness(8080, "/", initial_delay_seconds=300))
    sandboxes.harbour.runtime.start("replica1", spec)
    seen = sandboxes.harbour.runtime.observe("replica1")
    assert (seen.phase, seen.reason) == (Phase.STARTING, "it is first asked 300 s after its start")


def test_a_good_answer_holds_for_its_period(sandboxes: Sandboxes) -> None:
    spec = sandboxes.server("def answer(path):\n    print('asked', flush=True)\n    return 200, b''")
    for run_id, period in (("replica1", 300.0), ("replica2", 0.0)):
        readiness = Readiness(8080, "/", period_seconds=period)
        sandboxes.harbour.runtime.start(run_id, replace(spec, readiness=readiness))
        for _ in range(3):
            sandboxes.harbour.until(run_id, Phase.READY)
    assert sandboxes.harbour.messages("replica1") == ["asked"]
    sandboxes.says("replica2", "asked")
    assert len(sandboxes.harbour.messages("replica2")) >= 2
    send(sandboxes.harbour.state("replica1").program, signal.SIGKILL)
    sandboxes.harbour.until("replica1", Phase.EXITED)


def test_two_servers_may_have_the_same_port(sandboxes: Sandboxes) -> None:
    for number in (1, 2):
        sandboxes.harbour.runtime.start(f"replica{number}", sandboxes.server(env={"NAME": f"server {number}"}))
    for number in (1, 2):
        sandboxes.harbour.until(f"replica{number}", Phase.READY)
        assert get(sandboxes.harbour.socket(f"replica{number}"), "/") == f"server {number}".encode()


def test_a_job_is_ready_as_soon_as_it_runs(sandboxes: Sandboxes) -> None:
    sandboxes.harbour.runtime.start("job1", sandboxes.spec("import time; time.sleep(600)"))
    assert sandboxes.harbour.runtime.observe("job1").phase is Phase.READY


@pytest.mark.parametrize(
    ("program", "exit_code", "reason"),
    [
        ("print('done')", 0, "ended by itself with exit code 0"),
        ("import sys; sys.exit(3)", 3, "ended by itself with exit code 3"),
        ("import sys; sys.exit('no data')", 1, "no data"),
        ("import os; os.kill(os.getpid(), 11)", 139, "mooring: ended by signal 11 (SIGSEGV)"),
        ("import os; os.execvp('no-such-program', ['x'])", 1, "FileNotFoundError: [Errno 2] No such file or directory"),
    ],
)
def test_the_exit_code_and_the_reason_are_those_of_the_program(
    sandboxes: Sandboxes, program: str, exit_code: int, reason: str
) -> None:
    sandboxes.harbour.runtime.start("job1", sandboxes.spec(program))
    ended = sandboxes.harbour.until("job1", Phase.EXITED)
    assert (ended.exit_code, ended.reason, ended.asked) == (exit_code, reason, False)


def test_a_command_that_is_not_there_is_named(sandboxes: Sandboxes) -> None:
    sandboxes.harbour.runtime.start("job1", ContainerSpec(sandboxes.image, command=["trainer"], args=["--fast"]))
    ended = sandboxes.harbour.until("job1", Phase.EXITED)
    assert ended.exit_code == 127
    assert ended.reason == "mooring: cannot run 'trainer' in /app/src: No such file or directory"


def test_a_stop_lets_a_server_finish_and_says_so(sandboxes: Sandboxes) -> None:
    slow = """
import signal, threading, time
def answer(path):
    print("asked", flush=True)
    end.wait(20)
    return 200, b"finished"
end = threading.Event()
def stop(*_):
    end.set()
    threading.Thread(target=lambda: (time.sleep(0.3), os._exit(0))).start()
signal.signal(signal.SIGTERM, stop)
"""
    harbour = sandboxes.harbour
    harbour.runtime.start("replica1", sandboxes.server(slow, path=None))
    harbour.until("replica1", Phase.READY)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(get, harbour.socket("replica1"), "/slow")
        sandboxes.says("replica1", "asked")
        harbour.runtime.stop("replica1")
        assert answer.result() == b"finished"
    ended = harbour.until("replica1", Phase.EXITED)
    assert (ended.exit_code, ended.reason, ended.asked) == (0, "ended as asked", True)


def test_a_stop_at_once_after_the_start_is_heard(sandboxes: Sandboxes) -> None:
    for number in range(5):
        sandboxes.harbour.runtime.start(f"job{number}x", sandboxes.spec("import time; time.sleep(600)"))
        sandboxes.harbour.runtime.stop(f"job{number}x")
    for number in range(5):
        assert sandboxes.harbour.until(f"job{number}x", Phase.EXITED).asked


def test_whoever_does_not_end_is_ended_with_all_of_its_family(sandboxes: Sandboxes) -> None:
    stubborn = """
import os, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.fork()
None if os.fork() else os.setsid()
print("up", flush=True)
time.sleep(600)
"""
    sandboxes.harbour.runtime.start("job1", sandboxes.spec(stubborn, stop_grace_seconds=0.3))
    sandboxes.says("job1", "up")
    family = sandboxes.processes_of("job1")
    assert len(family) >= 4
    sandboxes.harbour.runtime.stop("job1")
    ended = sandboxes.harbour.until("job1", Phase.EXITED)
    assert "did not end within 0.3 s" in ended.reason
    assert not any(runs(pid) for pid in family)


def test_nothing_is_left_when_the_shim_is_killed(sandboxes: Sandboxes) -> None:
    harbour = sandboxes.harbour
    harbour.runtime.start("replica1", sandboxes.server("import os\nos.fork()", path=None))
    harbour.until("replica1", Phase.READY)
    family = sandboxes.processes_of("replica1")
    assert len(family) >= 3
    send(harbour.state("replica1").shim, signal.SIGKILL)
    assert harbour.until("replica1", Phase.EXITED).exit_code is None
    until("all are gone", lambda: not any(runs(pid) for pid in family))


def test_another_control_plane_finds_it_and_ends_it(sandboxes: Sandboxes) -> None:
    harbour = sandboxes.harbour
    harbour.runtime.start("replica1", sandboxes.server())
    harbour.until("replica1", Phase.READY)
    harbour.runtime = harbour.another(containers=sandboxes.containers)
    assert harbour.runtime.observe("replica1").phase is Phase.READY
    assert harbour.runtime.endpoint("replica1") == harbour.socket("replica1")
    harbour.runtime.stop("replica1")
    harbour.until("replica1", Phase.EXITED)
    harbour.runtime.forget("replica1")
    assert harbour.runtime.replicas() == []
    assert not harbour.socket("replica1").exists()


def test_both_streams_reach_the_log(sandboxes: Sandboxes) -> None:
    sandboxes.run(sandboxes.spec("import sys; print('out'); print('err', file=sys.stderr)"))
    assert {(line.stream, line.message) for line in sandboxes.harbour.lines("job1")} == {
        ("stdout", "out"),
        ("stderr", "err"),
    }


def test_memory_is_limited(sandboxes: Sandboxes) -> None:
    greedy = "x = bytearray(400 << 20)\nimport time; time.sleep(600)"
    sandboxes.harbour.runtime.start("job1", sandboxes.spec(greedy, limits=Limits(memory_bytes=150 << 20)))
    assert "its limit is 150 MiB" in sandboxes.harbour.until("job1", Phase.EXITED).reason


def test_the_program_sees_what_an_image_and_its_template_say(sandboxes: Sandboxes) -> None:
    (sandboxes.source / "here.txt").write_text("here")
    program = (
        "import json, os; print(json.dumps([dict(os.environ), os.getcwd(), os.getuid(), os.getgid(), os.listdir()]))"
    )
    spec = sandboxes.spec(
        program, {"LD_LIBRARY_PATH": "/x", "HOME": "/tmp"}, user=1234, group=77, limits=Limits(cpus=0.5)
    )
    env, folder, user, group, files = json.loads(sandboxes.run(spec)[0])
    assert (folder, user, group, files) == ("/app/src", 1234, 77, ["here.txt"])
    assert env.pop("PATH").startswith("/opt/environment/bin:")
    assert env == {
        "LD_LIBRARY_PATH": "/x",
        "HOME": "/tmp",
        "LANG": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
        **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_MAX_THREADS"), "1"),
    }


def test_its_environment_is_on_no_disk_and_in_no_command_line(sandboxes: Sandboxes) -> None:
    harbour = sandboxes.harbour
    harbour.runtime.start("replica1", sandboxes.server(env={"PASSWORD": "open-sesame-4711"}, path=None))
    harbour.until("replica1", Phase.READY)
    family = [harbour.state("replica1").shim.pid, *sandboxes.processes_of("replica1")]
    assert not any(b"open-sesame" in Path(f"/proc/{pid}/cmdline").read_bytes() for pid in family)
    files = [path for path in sandboxes.folder.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not any(b"open-sesame-4711" in path.read_bytes() for path in files)


def test_an_image_without_a_stand_in_is_refused_with_the_way_out(sandboxes: Sandboxes) -> None:
    with pytest.raises(ImageError, match=r"mooring up --stand-in team/other:2=FOLDER"):
        sandboxes.harbour.runtime.prepare(ImageRequest("team/other:2"))


def test_a_container_without_a_command_is_refused(sandboxes: Sandboxes) -> None:
    with pytest.raises(ValueError, match="the template names none, nor does its stand-in"):
        sandboxes.harbour.runtime.start("job1", ContainerSpec(sandboxes.image))


def test_without_bubblewrap_it_is_refused_unless_the_operator_allows_it(sandboxes: Sandboxes) -> None:
    with without_bubblewrap():
        with pytest.raises(ImageError, match="apt-get install bubblewrap"):
            sandboxes.harbour.runtime.prepare(ImageRequest(IMAGE))
        allowed = Sandboxes(sandboxes.folder, sandboxes.harbour, sandboxes.environments, allow_unsandboxed=True)
        assert allowed.run(allowed.spec("import os; print(os.getcwd())")) == [str(allowed.source)]
        with pytest.raises(ValueError, match=r"/app/out.*which only a sandbox can give it"):
            allowed.harbour.runtime.start("job2", allowed.spec("", outputs=["/app/out"]))


def test_there_is_room_beside_the_files_of_a_stand_in(sandboxes: Sandboxes) -> None:
    (sandboxes.source / "package").mkdir()
    (sandboxes.source / "package" / "code.py").write_text("")
    (sandboxes.source / "data").mkdir()
    (sandboxes.source / "data" / "old").touch()
    (sandboxes.source / "linked").symlink_to("package")
    given = sandboxes.folder / "given"
    given.mkdir()
    (given / "new").touch()
    program = """
import os
open("model.bin", "w").write("made")
open("out/deep/file", "w").write("made")
print(sorted(os.listdir()), os.listdir("data"), sorted(os.listdir("linked")), os.listdir("package/given"))
try:
    open("package/code.py", "a")
except OSError as error:
    print(error.strerror)
"""
    mounts = [Mount(given, "/app/src/data"), Mount(given, "/app/src/package/given")]
    outputs = ["/app/src/model.bin", "/app/src/out/deep/file"]
    said = sandboxes.run(sandboxes.spec(program, mounts=mounts, outputs=outputs))
    names = ["data", "linked", "model.bin", "out", "package"]
    assert said == [f"{names} ['new'] ['code.py', 'given'] ['new']", "Read-only file system"]
    target = sandboxes.folder / "collected"
    assert sandboxes.harbour.runtime.collect("job1", "/app/src", target)
    files = sorted(str(path.relative_to(target)) for path in target.rglob("*") if path.is_file())
    assert files == ["model.bin", "out/deep/file"]
    assert sorted(path.name for path in sandboxes.source.rglob("*")) == ["code.py", "data", "linked", "old", "package"]


def test_a_start_that_was_broken_off_is_begun_again(sandboxes: Sandboxes) -> None:
    (sandboxes.source / "file").touch()
    (sandboxes.source / "link").symlink_to("file")
    folder = sandboxes.harbour.folder / "job1"
    (folder / "tmp").mkdir(parents=True)
    spec = sandboxes.spec("import os; print(sorted(os.listdir()), os.path.exists('link'))")
    sandboxes.containers.program("job1", spec, folder)
    assert sandboxes.run(spec) == ["['file', 'link'] True"]
