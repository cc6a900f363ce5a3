"""A real podman for tests, with an image made of this machine's own Python: nothing is pulled, nothing is built twice.

The image stays in podman's store, named after what is in it; a session makes it when it is missing.
"""

import fcntl
import hashlib
import io
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from mooring.runtimes.container.client import Client
from mooring.runtimes.container.detection import Engines

SKIPPED = "podman does not answer on this machine: `apt-get install podman runc`, or `make setup` as root"
_SECONDS = 120.0
_PROGRAMS = ("/bin/sh", "/bin/sleep", "/bin/cat", "/bin/echo", "/bin/ls", "/bin/true", "/usr/bin/id")
_LEFT_OUT = ("test", "idlelib", "tkinter", "ensurepip", "lib2to3", "dist-packages", "site-packages", "pydoc_data")
_CHANGES = ("USER worker", 'ENTRYPOINT ["/bin/echo", "entry"]', 'CMD ["default"]', "WORKDIR /work")


@cache
def client() -> Client | None:
    """None where podman does not answer."""
    found = Engines("podman").client()
    return found if found and _runs(found) else None


def _runs(found: Client) -> bool:
    return subprocess.run([found.program, "network", "ls", "--quiet"], capture_output=True, timeout=30).returncode == 0


def create_options() -> tuple[str, ...]:
    """What containers need on machines that are themselves restricted."""
    runtime = ("--runtime", "runc") if shutil.which("runc") or Path("/usr/sbin/runc").exists() else ()
    return (*runtime, "--ulimit", "nofile=4096:4096", "--ulimit", "nproc=4096:4096")


@cache
def image() -> str:
    """A plain image: no user, no entry point; `python3` and a few programs."""
    name = f"localhost/mooring-tests-plain:{_version()}"
    with _alone():
        if not _has(name):
            podman("import", "--quiet", "-", name, given=_tree())
    return name


@cache
def opinionated_image() -> str:
    """The same files with a user, an entry point, a command and a folder of its own."""
    name = f"localhost/mooring-tests-opinionated:{_version()}"
    plain = image()
    with _alone():
        if not _has(name):
            changes = [word for change in _CHANGES for word in ("--change", change)]
            container = podman("create", plain, "/bin/true")
            podman("commit", "--quiet", *changes, container, name)
            podman("rm", container)
    return name


def image_with(folder: Path, path: str) -> str:
    """The plain image with a folder of this machine, of a name of its own; remove it afterwards."""
    name = f"localhost/mooring-tests-team:{uuid.uuid4().hex[:12]}"
    container = podman("create", image(), "/bin/true")
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.add(folder, path.lstrip("/"), filter=_anonymous)
    podman("cp", "-", f"{container}:/", given=content.getvalue())
    podman("commit", "--quiet", container, name)
    podman("rm", container)
    return name


def podman(*words: str, given: bytes | None = None) -> str:
    """What it wrote."""
    found = client()
    assert found
    done = subprocess.run([found.program, *words], input=given, capture_output=True, timeout=_SECONDS, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return done.stdout.decode(errors="replace").strip()


def exists(container: str) -> bool:
    """Whether the engine knows a container of this name."""
    found = client()
    assert found
    return subprocess.run([found.program, "container", "exists", container], timeout=_SECONDS).returncode == 0


def _version() -> str:
    """Of what the images are made of."""
    return hashlib.sha256(f"2 {sys.version}{_PROGRAMS}{_LEFT_OUT}{_CHANGES}".encode()).hexdigest()[:12]


def _has(name: str) -> bool:
    found = client()
    assert found
    return subprocess.run([found.program, "image", "exists", name], timeout=_SECONDS).returncode == 0


@contextmanager
def _alone() -> Iterator[None]:
    """Among all sessions and workers of this machine."""
    with (Path(tempfile.gettempdir()) / f"mooring-tests-podman-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _tree() -> bytes:
    content, files = io.BytesIO(), _files()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for folder in ("tmp", "work", "etc", "proc", "sys", "dev", "run"):
            entry = tarfile.TarInfo(folder)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if folder == "tmp" else 0o755
            archive.addfile(entry)
        for name in ("python", "python3"):
            if f"/usr/local/bin/{name}" not in files:
                entry = tarfile.TarInfo(f"usr/local/bin/{name}")
                entry.type, entry.linkname = tarfile.SYMTYPE, f"{sys.base_prefix}/bin/python3"
                archive.addfile(entry)
        _add_text(archive, "etc/passwd", "root:x:0:0::/root:/bin/sh\nworker:x:1234:1235::/work:/bin/sh\n")
        _add_text(archive, "etc/group", "root:x:0:\nworker:x:1235:\n")
        for target, source in files.items():
            archive.add(source, target.lstrip("/"), recursive=False, filter=_anonymous)
    return content.getvalue()


def _files() -> dict[str, Path]:
    python = Path(f"{sys.base_prefix}/bin/python{sys.version_info.major}.{sys.version_info.minor}").resolve()
    library = Path(sysconfig.get_path("stdlib"))
    files = {f"{sys.base_prefix}/bin/python3": python, **{name: Path(name).resolve() for name in _PROGRAMS}}
    files |= {str(path): path for path in _library(library)}
    compiled = [path for path in files.values() if path.suffix == ".so"]
    for path in (python, *map(Path, _PROGRAMS), *compiled):
        files |= {name: Path(name).resolve() for name in _libraries(path)}
    return files


def _library(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        if path.is_file() and not set(parts) & set(_LEFT_OUT) and not parts[0].startswith("config-"):
            yield path


def _libraries(program: Path) -> list[str]:
    said = subprocess.run(["ldd", program], capture_output=True, text=True, timeout=_SECONDS, check=False).stdout
    return [word for line in said.splitlines() for word in line.split() if word.startswith("/")]


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(text)
    archive.addfile(entry, io.BytesIO(text.encode()))


def _anonymous(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode |= 0o555 if entry.isdir() else 0o444
    return entry
