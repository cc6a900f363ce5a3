"""The peers' environments: one folder each, made once per list of versions."""

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from mooring.files import write_atomically

_PINS = Path(__file__).with_name("peers.toml")
_INSTALL_SECONDS = 900


class NotInstalled(Exception):
    """Why a peer has no environment, in one line."""


@dataclass(frozen=True)
class Environments:
    """Environments under one folder, named after the peer and the hash of what is in it."""

    folder: Path

    @staticmethod
    def default() -> "Environments":
        """In `MOORING_BENCH_ENVIRONMENTS`, else in the user's cache."""
        cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
        return Environments(Path(os.environ.get("MOORING_BENCH_ENVIRONMENTS", cache / "mooring-bench")))

    def prepare(self, name: str) -> Path:
        """The folder of its programs, after a first installation of some seconds to minutes. Raises NotInstalled."""
        packages = _packages(name)
        digest = hashlib.sha256("\n".join(packages).encode()).hexdigest()[:12]
        environment = self.folder / f"{name}-{digest}"
        marker = environment / ".complete"
        if not marker.exists():
            print(f"installing {name} into {environment} …", flush=True)
            shutil.rmtree(environment, ignore_errors=True)
            _uv("venv", "--quiet", "--python", "3.11", str(environment))
            _uv("pip", "install", "--quiet", "--python", str(environment / "bin" / "python"), *packages)
            write_atomically(marker, "\n".join(packages).encode())
        return environment / "bin"


def _packages(name: str) -> list[str]:
    pins = tomllib.loads(_PINS.read_text())
    return [*(f"{package}=={version(package)}" for package in pins["shared"]), *pins["environments"][name]]


def _uv(*arguments: str) -> None:
    try:
        subprocess.run(
            [Path(sys.executable).with_name("uv"), *arguments],
            check=True,
            capture_output=True,
            text=True,
            timeout=_INSTALL_SECONDS,
        )
    except subprocess.CalledProcessError as failure:
        raise NotInstalled(failure.stderr.strip().splitlines()[-1]) from failure
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise NotInstalled(str(failure)) from failure
