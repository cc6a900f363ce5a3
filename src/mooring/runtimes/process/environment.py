"""The whole environment of a replica: what its spec says and four variables. Nothing of ours is inherited."""

from pathlib import Path

from mooring.runtimes.base import ReplicaSpec
from mooring.runtimes.process import layout

_SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def environment_of(spec: ReplicaSpec, folder: Path) -> dict[str, str]:
    """With PATH (the program's own folder first), LANG, and HOME and TMPDIR in the replica's folder."""
    program = Path(spec.argv[0])
    path = f"{program.parent}:{_SYSTEM_PATH}" if program.is_absolute() else _SYSTEM_PATH
    return {
        "PATH": path,
        "LANG": "C.UTF-8",
        "HOME": str(folder / layout.HOME),
        "TMPDIR": str(folder / layout.TEMPORARY),
        **spec.env,
    }
