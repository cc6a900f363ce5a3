"""Where things lie inside the home."""

import hashlib
import os
import stat
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

_SOCKET_PATH_LIMIT = 107
"""Bytes of a unix socket's path that the kernel takes."""
_LONGEST_SOCKET_NAME = 40
_SHORT = 24


@dataclass(frozen=True)
class Home:
    """The folder of one installation. `create()` makes it, readable by its owner only."""

    path: Path

    @property
    def service_key(self) -> Path:
        return self.path / "service-key.json"

    @property
    def destination_key(self) -> Path:
        return self.path / "destination-key.json"

    @property
    def database(self) -> Path:
        return self.path / "mooring.db"

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def run(self) -> Path:
        """Records of the processes that run."""
        return self.path / "run"

    @property
    def control_plane_record(self) -> Path:
        return self.run / "control-plane.json"

    @property
    def gateway_record(self) -> Path:
        return self.gateway / "envoy.record"

    @property
    def mlflow_record(self) -> Path:
        return self.run / "mlflow.json"

    @property
    def runtime_record(self) -> Path:
        """In which home the replicas lie, when that is another one (of another control plane of the same store)."""
        return self.run / "runtime.json"

    @property
    def sharers(self) -> Path:
        """A file for each home whose replicas lie here."""
        return self.run / "sharers"

    @property
    def gateway_options(self) -> Path:
        """How the gateway was last started."""
        return self.gateway / "options.json"

    @property
    def control_socket(self) -> Path:
        """Where the gateway reaches the control plane."""
        return self.sockets / "control-plane.sock"

    @property
    def replicas(self) -> Path:
        return self.path / "replicas"

    @property
    def journals(self) -> Path:
        """Per deployment: what its replicas are predicting at the moment."""
        return self.path / "journals"

    @property
    def workspaces(self) -> Path:
        """Per replica in a container: the files of its secrets, its empty volumes."""
        return self.path / "workspaces"

    @property
    def sightings(self) -> Path:
        """In which registry the builder has last seen each model."""
        return self.path / "sightings.json"

    @property
    def gateway(self) -> Path:
        return self.path / "gateway"

    @property
    def cache(self) -> Path:
        return self.path / "cache"

    @property
    def repositories(self) -> Path:
        """What was fetched of git repositories."""
        return self.path / "repositories"

    @property
    def environments(self) -> Path:
        """Of stand-ins: one folder per content of their requirements, complete or absent."""
        return self.path / "environments"

    @property
    def jobs(self) -> Path:
        """Per job: what goes into it and what comes out."""
        return self.path / "jobs"

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def mlflow(self) -> Path:
        return self.path / "mlflow"

    @property
    def object_store(self) -> Path:
        """What lies behind `ai://default/`."""
        return self.path / "store"

    @cached_property
    def sockets(self) -> Path:
        """A folder for sockets whose path is short enough, by way of a private link when the home's is not."""
        direct = self.path / "sockets"
        return direct if _is_short(direct) else _short_link_to(direct)

    def keep_sockets_reachable(self) -> None:
        """Make the short link again when somebody who cleans temporary folders has removed it."""
        if not _is_short(self.path / "sockets"):
            _short_link_to(self.path / "sockets")

    def create(self) -> None:
        """Make the folders that are missing, and the home ours alone. Raises OSError when it cannot be written."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.chmod(0o700)
        for folder in (
            self.keys,
            self.run,
            self.replicas,
            self.jobs,
            self.journals,
            self.gateway,
            self.cache,
            self.logs,
        ):
            folder.mkdir(mode=0o700, exist_ok=True)
        (self.path / "sockets").mkdir(mode=0o700, exist_ok=True)
        self.object_store.mkdir(mode=0o700, exist_ok=True)


def _is_short(folder: Path) -> bool:
    return len(os.fsencode(folder)) + 1 + _LONGEST_SOCKET_NAME <= _SOCKET_PATH_LIMIT


def _short_temporary_folder() -> Path:
    """TMPDIR may itself be too long for what it is needed for."""
    configured = Path(tempfile.gettempdir())
    return configured if len(os.fsencode(configured)) <= _SHORT else Path("/tmp")  # noqa: S108 (a private folder in it)


def _short_link_to(folder: Path) -> Path:
    private = _short_temporary_folder() / f"mooring-{os.getuid()}"
    private.mkdir(mode=0o700, exist_ok=True)
    status = private.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PermissionError(f"{private} is not a private folder of ours: remove it, or set TMPDIR")
    link = private / hashlib.sha256(os.fsencode(folder.absolute())).hexdigest()[:16]
    if not link.is_symlink() or link.readlink() != folder.absolute():
        link.unlink(missing_ok=True)
        link.symlink_to(folder.absolute())
    return link
