"""What is to be seen in a sandbox, as options of bubblewrap: a root of its own, and what it needs of this machine."""

import posixpath
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mooring.runtimes.base import Mount
from mooring.runtimes.sandbox import inside
from mooring.runtimes.sandbox.spreading import Link

OURS = "/.mooring"
INIT = f"{OURS}/lib/mooring/runtimes/sandbox/inside"
GATEWAY = f"{OURS}/gateway"
ENVIRONMENT = "/opt/environment"
HOME = "/home/user"
_SHARED_MEMORY = "/dev/shm"  # noqa: S108 (inside)
_SHARED_MEMORY_BYTES = 64 << 20
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_TAKEN = (*_SYSTEM[1:], "/usr/bin", "/usr/lib", "/usr/sbin", "/proc", "/dev", "/sys", OURS, ENVIRONMENT)
_FOLDERS = ("etc", "home/user", "tmp", "usr", "var/tmp", "run")
_OF_ETC = (
    "alternatives",
    "ca-certificates",
    "ca-certificates.conf",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "pki",
    "protocols",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
    "timezone",
)
_OF_ETC_WITH_NETWORK = ("resolv.conf", "hosts", "gai.conf")


@dataclass(frozen=True)
class Filesystem:
    """What is made and mounted.

    `root` becomes `/`, `temporary` becomes `/tmp`; both are the run's own. `folders` and `links` are made in the root.
    `mounts` is what was asked for, `own` what we add. `hidden`: what is never seen, wherever a mounted folder may
    contain it. `read_only` is the root but for the folders `writable`.
    """

    root: Path
    temporary: Path
    folders: Sequence[str]
    links: Sequence[Link]
    mounts: Sequence[Mount]
    own: Sequence[Mount]
    hidden: Sequence[Path]
    read_only: bool = False
    writable: Sequence[str] = ()
    shares_network: bool = False

    def make(self, *, user: int, group: int) -> None:
        """The folders and files of the root that nobody else brings along. Raises OSError, ValueError."""
        for mount in self.mounts:
            _check(mount)
        self._check_ways()
        for folder in (*_FOLDERS, *map(_relative, self.folders)):
            _make(self.root / folder)
        for link in self.links:
            _link(self.root / _relative(link.path), link.to)
        names = {
            "passwd": f"root:x:0:0::/root:/bin/sh\nuser:x:{user}:{group}::{HOME}:/bin/sh\n",
            "group": f"root:x:0:\nuser:x:{group}:\n",
            **({} if self.shares_network else {"hosts": "127.0.0.1 localhost\n::1 localhost\n"}),
        }
        for name, content in names.items():
            (self.root / "etc" / name).write_text(content)
            (self.root / "etc" / name).chmod(0o644)

    def _check_ways(self) -> None:
        """Bubblewrap would follow a link on the way to where it mounts, and make folders on this machine."""
        known = {PurePosixPath(mount.target): mount for mount in self.mounts}
        for target in known:
            for around in target.parents:
                if around in known and _has_link(known[around].source, target.relative_to(around)):
                    raise ValueError(f"{target} cannot be mounted on: it lies behind a link in {around}")

    def options(self) -> list[str]:
        """For bubblewrap, in the order in which it has to mount."""
        found = ["--bind", str(self.root), "/", *system(), *of_etc(shares_network=self.shares_network)]
        # Inside we are the user that we are outside, by whatever number: when that is root, files below /proc/sys would
        # let themselves be written without any right, and one of them names a program for the kernel to run outside.
        found += ["--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"]
        found += ["--size", str(_SHARED_MEMORY_BYTES), "--perms", "1777", "--tmpfs", _SHARED_MEMORY]
        found += ["--remount-ro", "/dev", *self._hide(Mount(Path("/usr"), "/usr"))]
        for mount in sorted(self._all_mounts(), key=lambda mount: mount.target.count("/")):
            found += ["--ro-bind" if mount.read_only else "--bind", str(mount.source), mount.target]
            found += self._hide(mount)
        return [*found, "--remount-ro", "/"] if self.read_only else found

    def _all_mounts(self) -> Iterator[Mount]:
        yield Mount(self.temporary, "/tmp", read_only=False)  # noqa: S108 (inside)
        yield Mount(Path(inside.__file__).parent, INIT)
        yield from self.own
        if self.read_only:  # what stays writable in a root that is not
            yield from (Mount(self.root / _relative(path), path, read_only=False) for path in self.writable)
        yield from self.mounts

    def _hide(self, mount: Mount) -> list[str]:
        source = mount.source.resolve()
        found: list[str] = []
        for secret in {path.resolve() for path in self.hidden}:
            if secret.is_relative_to(source) and secret.is_dir() and not source.is_relative_to(secret):
                target = posixpath.normpath(f"{mount.target}/{secret.relative_to(source)}")
                found += ["--size", "4096", "--tmpfs", target, "--remount-ro", target]
        return found


def our_python() -> str:
    """The interpreter below any virtual environment that we run in; inside, it is at the same path."""
    return str(getattr(sys, "_base_executable", "") or sys.executable)


def interpreter_folders(prefix: str) -> Iterator[Path]:
    """What a Python of this prefix needs to be mounted, unless the system's folders have it already."""
    path = Path(prefix)
    if path != Path("/") and not path.is_relative_to("/usr"):  # of the first kind is that of /bin/python
        yield path


def of_etc(*, shares_network: bool) -> list[str]:
    """What programs read of `/etc`, and nothing secret of it; as options of bubblewrap."""
    names = (*_OF_ETC, *_OF_ETC_WITH_NETWORK) if shares_network else _OF_ETC
    return [word for name in names for word in ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")]


def system() -> list[str]:
    """`/usr` piece by piece: images like to have their programs in `/usr/src`, which therefore can be mounted on."""
    found: list[str] = []
    for path in (Path(name) for name in _SYSTEM):
        if path.is_symlink():
            found += ["--symlink", str(path.readlink()), str(path)]
        elif path == Path("/usr"):
            found += [word for each in sorted(path.iterdir()) if each.name != "src" for word in _same(each)]
        elif path.is_dir():
            found += ["--ro-bind", str(path), str(path)]
    return found


def _same(path: Path) -> list[str]:
    return ["--symlink", str(path.readlink()), str(path)] if path.is_symlink() else ["--ro-bind", str(path), str(path)]


def _check(mount: Mount) -> None:
    target = mount.target
    if not target.startswith("/") or target.startswith("//") or posixpath.normpath(target) != target.rstrip("/"):
        raise ValueError(f"{target!r} cannot be mounted on: it has to be an absolute path without . and .., not /")
    if any(target == taken or target.startswith(f"{taken}/") for taken in _TAKEN) or target == "/usr":
        raise ValueError(f"{target!r} cannot be mounted on: a stand-in has the system's own files there")


def _has_link(folder: Path, way: PurePosixPath) -> bool:
    return any((folder / step).is_symlink() for step in (way, *way.parents[:-1]))


def _relative(path: str) -> str:
    """Below the root, whatever it says."""
    return posixpath.normpath(f"/{path}").lstrip("/")


def _link(path: Path, to: str) -> None:
    """Also when a start was broken off before: nothing of the user's has run until now."""
    _make(path.parent)
    path.unlink(missing_ok=True)
    path.symlink_to(to)


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
