"""The environments of the SDKs: made once per checkout, from locked requirements, whoever needs them first."""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

CHECKOUT = Path(__file__).parents[2]
FOLDER = CHECKOUT / ".clients"
_UV = Path(sys.executable).parent / "uv"
_MOST_SECONDS = 280


def python_with(name: str) -> Path:
    """The interpreter of an environment with what `requirements/<name>.txt` names, and nothing else."""
    lock = CHECKOUT / "requirements" / f"{name}.txt"

    def make(folder: Path) -> None:
        _run(_UV, "venv", "--quiet", "--python", sys.executable, folder)
        python = folder / "bin" / "python"
        _run(_UV, "pip", "sync", "--quiet", "--python", python, "--require-hashes", "--compile-bytecode", lock)

    return _once(FOLDER / name, lock.read_bytes(), make) / "bin" / "python"


def node_modules(package: Path) -> Path:
    """The folder of the packages that `package`'s lock names. Raises FileNotFoundError without npm."""
    lock = package / "package-lock.json"

    def make(folder: Path) -> None:
        folder.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copy(package / name, folder)
        _run("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder)

    return _once(FOLDER / package.name, lock.read_bytes(), make) / "node_modules"


def _once(folder: Path, ingredients: bytes, make: Callable[[Path], None]) -> Path:
    """The folder, made unless it was made of the same; processes that want it at once wait for the first."""
    FOLDER.mkdir(exist_ok=True)
    stamp = folder / ".made-of"
    digest = hashlib.sha256(ingredients).hexdigest()
    with (FOLDER / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not stamp.exists() or stamp.read_text() != digest:
            shutil.rmtree(folder, ignore_errors=True)
            make(folder)
            stamp.write_text(digest)
    return folder


def _run(*command: str | Path) -> None:
    done = subprocess.run(
        [os.fspath(word) for word in command], capture_output=True, text=True, timeout=_MOST_SECONDS, check=False
    )
    assert done.returncode == 0, f"{command[0]} {command[1]}: {done.stdout}{done.stderr}"
