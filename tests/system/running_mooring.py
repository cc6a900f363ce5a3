"""Drives an installation as its users do: the command, the service key, HTTP."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from mooring.client.client import AIClient
from mooring.client.deployments import Deployment
from mooring.client.rollouts import Rollout
from mooring.settings import Settings
from mooring.system.status import ProcessStatus, installation_status

COMMAND_SECONDS = 240
DEADLINE_SECONDS = 120.0
"""Long, because the machine may be busy: only a failure takes so long."""
PROGRAM = str(Path(sys.executable).parent / "mooring")


def wait_until(condition: Callable[[], Any], *, seconds: float = DEADLINE_SECONDS, what: str = "the condition") -> Any:
    """The first true value of the condition. Raises AssertionError at the deadline."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} was not seen within {seconds} s"
        time.sleep(0.05)
    return value


class RunningMooring:
    """`mooring up --detach` in a home of its own; `mooring down` at the end."""

    def __init__(self, home: Path, environment: Mapping[str, str] | None = None, *arguments: str) -> None:
        self.home = home
        self._arguments = arguments
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("MOORING_", "AICORE_"))}
        quick = {"MOORING_STANDBY_SECONDS": "3", "MOORING_DRAIN_SECONDS": "0.5"}
        self.environment = {**inherited, **quick, **(environment or {}), "MOORING_HOME": str(home)}

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    # --- the command ---

    def run(self, *arguments: str, accepted: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [PROGRAM, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert done.returncode in accepted, f"mooring {arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def up(self) -> None:
        self.run("up", "--port", "0", "--detach", *self._arguments)

    def down(self) -> None:
        self.run("down")

    def status(self) -> dict[str, Any]:
        return dict(json.loads(self.run("status", "--json", accepted=(0, 3)).stdout))

    # --- processes ---

    def pid_of(self, name: str) -> int:
        return next(process.pid for process in self._processes() if process.name == name and process.pid)

    def replica_pids(self) -> list[int]:
        return sorted(process.pid for process in self._processes() if process.name == "replica" and process.pid)

    def _processes(self) -> list[ProcessStatus]:
        """What `mooring status` shows; asked for here, because a command takes a second of a core each time."""
        return installation_status(Settings(home=self.home)).processes

    def kill(self, name: str) -> None:
        os.kill(self.pid_of(name), signal.SIGKILL)

    # --- HTTP ---

    @property
    def key(self) -> dict[str, Any]:
        return dict(json.loads((self.home / "service-key.json").read_text()))

    @property
    def url(self) -> str:
        return str(self.key["serviceurls"]["AI_API_URL"])

    def client(self, resource_group: str = "default") -> AIClient:
        return AIClient.from_service_key(self.key, resource_group=resource_group)

    def headers(self) -> dict[str, str]:
        answer = httpx.post(
            f"{self.key['url']}/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=(self.key["clientid"], self.key["clientsecret"]),
        )
        token = answer.raise_for_status().json()["access_token"]
        return {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    # --- deployments ---

    def configure(self, model_uri: str, name: str = "probe") -> str:
        with self.client() as client:
            parameters = {"modelUri": model_uri, "modelName": name}
            return client.configurations.create(name, "mooring", "model-server", parameters=parameters)

    def deploy(self, model_uri: str, name: str = "probe") -> Deployment:
        """Create a deployment and wait until it runs."""
        configuration = self.configure(model_uri, name)
        with self.client() as client:
            created = client.deployments.create(configuration)
            return client.deployments.wait(created, timeout_seconds=DEADLINE_SECONDS, poll_seconds=0.1)

    def deployment(self, deployment_id: str) -> Deployment:
        with self.client() as client:
            return client.deployments.get(deployment_id)

    def patch(self, deployment_id: str, model_uri: str, name: str = "probe", rollout: Rollout | None = None) -> str:
        configuration = self.configure(model_uri, name)
        with self.client() as client:
            client.deployments.change_configuration(deployment_id, configuration, rollout=rollout)
        return configuration

    def wait_for_status(self, deployment_id: str, status: str, seconds: float = DEADLINE_SECONDS) -> Deployment:
        def reached() -> Deployment | None:
            found = self.deployment(deployment_id)
            return found if found.status == status else None

        return wait_until(reached, seconds=seconds, what=f"status {status} of {deployment_id}")  # type: ignore[no-any-return]

    def remove(self, deployment_id: str) -> None:
        """Stop and delete, and wait until nothing of it is left."""
        with self.client() as client:
            if client.deployments.get(deployment_id).status in ("RUNNING", "PENDING"):
                client.deployments.stop(deployment_id)
                self.wait_for_status(deployment_id, "STOPPED")
            client.deployments.delete(deployment_id)
            wait_until(lambda: all(d.id != deployment_id for d in client.deployments.list()), what="the removal")
