"""The folders that a container is to leave files in: its user must be able to write there."""

import io
import posixpath
import tarfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from mooring.runtimes.base import ContainerSpec, Mount
from mooring.runtimes.container.client import Client

_FOLDER = "outputs"


def folders(spec: ContainerSpec) -> list[str]:
    """Those of its outputs that lie in no writable mount, and are neither / nor /tmp."""
    found = {posixpath.normpath(posixpath.dirname(path)) for path in spec.outputs}
    mounted = [mount.target.rstrip("/") for mount in spec.mounts if not mount.read_only]
    outside = (each for each in found if not any(f"{each}/".startswith(f"{target}/") for target in mounted))
    return sorted(each for each in outside if each.strip("/") and each != "/tmp")  # noqa: S108 (a container's)


def as_mounts(paths: Sequence[str], folder: Path) -> Iterator[Mount]:
    """For a container that may write nothing else: empty folders of its run in their place. Raises OSError."""
    for number, path in enumerate(paths):
        source = folder / _FOLDER / str(number)
        source.mkdir(mode=0o700, parents=True, exist_ok=True)
        source.chmod(0o777)  # its user is not ours; the run's folder is closed to others
        yield Mount(source, path, read_only=False)


def make_writable(client: Client, name: str, paths: Sequence[str]) -> None:
    """In the container's own layer, before its start; what the image has there stays. Raises EngineError."""
    if paths:
        client.run(["cp", "-", f"{name}:/"], given=_tar(paths))


def _tar(paths: Sequence[str]) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        for path in paths:
            entry = tarfile.TarInfo(path.lstrip("/"))
            entry.type, entry.mode = tarfile.DIRTYPE, 0o777
            archive.addfile(entry)
    return content.getvalue()
