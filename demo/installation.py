"""A Mooring of its own for the demo, used as any user would: by its command and its service key."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

_COMMAND_SECONDS = 180


class DemoInstallation:
    """`mooring up` with these options in a home of its own inside of `folder`, on a free port."""

    def __init__(self, folder: Path, options: Sequence[str], settings: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.home = folder / "home"
        self._options = options
        self._settings = settings or {}

    def up(self) -> None:
        self._mooring("up", "--port", "0", "--detach", *self._options)

    def down(self) -> None:
        self._mooring("down")

    def status(self) -> dict[str, Any]:
        output = self._mooring("status", "--json", accepted=(0, 3))
        return dict(json.loads(output))

    @property
    def url(self) -> str:
        return str(self.service_key()["serviceurls"]["AI_API_URL"])

    @property
    def mlflow_url(self) -> str:
        return str(next(p["detail"] for p in self.status()["processes"] if p["name"] == "mlflow"))

    def token(self) -> str:
        """An access token by client credentials, as every client of the AI API gets it."""
        key = self.service_key()
        answer = httpx.post(
            f"{key['url']}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(key["clientid"], key["clientsecret"]),
            timeout=10,
            trust_env=False,
        )
        return str(answer.raise_for_status().json()["access_token"])

    def service_key(self) -> dict[str, Any]:
        """The credentials of the first client."""
        return dict(json.loads((self.home / "service-key.json").read_text()))

    def upload(self, file: Path, path: str) -> None:
        """Put a file into an object store; `path` begins with the name of its secret."""
        answer = httpx.put(
            f"{self.url}/v2/lm/dataset/files/{path}",
            content=file.read_bytes(),
            headers={"Authorization": f"Bearer {self.token()}", "AI-Resource-Group": "default"},
            timeout=60,
            trust_env=False,
        )
        answer.raise_for_status()

    def deploy(self, file: Path) -> dict[str, Any]:
        """What `mooring deploy` says about each execution and deployment of the file, by name."""
        done = json.loads(self._mooring("deploy", str(file), "--json"))
        return {each["name"]: each for each in done["results"]}

    def _mooring(self, *arguments: str, accepted: tuple[int, ...] = (0,)) -> str:
        program = Path(sys.executable).parent / "mooring"
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("MOORING_", "MLFLOW_"))
        }
        done = subprocess.run(
            [str(program), *arguments, "--home", str(self.home)],
            env={**environment, **self._settings},
            capture_output=True,
            text=True,
            timeout=_COMMAND_SECONDS,
            check=False,
        )
        if done.returncode not in accepted:
            raise RuntimeError(f"`mooring {' '.join(arguments)}` ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout
