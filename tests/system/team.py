"""A team that keeps its templates in git and does everything else with the official SDK."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx
from ai_api_client_sdk.exception import AIAPINotFoundException
from ai_api_client_sdk.models.artifact import Artifact
from ai_api_client_sdk.models.input_artifact_binding import InputArtifactBinding
from ai_api_client_sdk.models.parameter_binding import ParameterBinding
from ai_api_client_sdk.models.status import Status
from ai_api_client_sdk.models.target_status import TargetStatus
from ai_core_sdk.ai_core_v2_client import AICoreV2Client

from tests.git_server import Repo
from tests.system.running_mooring import RunningMooring, wait_until

SCENARIO = "team-project"
OVER = (Status.COMPLETED, Status.DEAD, Status.STOPPED)
SETTLED = (Status.RUNNING, Status.DEAD)
_APPLICATION = "team"
_SECONDS = 120
WORKFLOW = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata:
  name: {name}
  labels: {{scenarios.ai.sap.com/id: team-project, ai.sap.com/version: "1"}}
  annotations: {{scenarios.ai.sap.com/name: Project{annotations}}}
"""


def workflow(name: str, spec: str, **annotations: str) -> str:
    """A template; annotations are those of artifacts, such as `report_kind`."""
    told = (
        f", artifacts.ai.sap.com/{key.replace('_', '.')}: {json.dumps(value)}" for key, value in annotations.items()
    )
    return WORKFLOW.format(name=name, annotations="".join(told)) + spec


def repository(folder: Path) -> Repo:
    """A local one, with a branch `main`."""
    folder.mkdir(parents=True)
    made = Repo(folder, str(folder))
    made.git("init", "--quiet", "--initial-branch=main")
    return made


@dataclass
class Team:
    """Its installation and its repository, which the installation may read."""

    mooring: RunningMooring
    repo: Repo

    @cached_property
    def sdk(self) -> Any:
        key = self.mooring.key
        return AICoreV2Client(
            base_url=f"{self.mooring.url}/v2",
            auth_url=f"{key['url']}/oauth/token",
            client_id=key["clientid"],
            client_secret=key["clientsecret"],
            resource_group="default",
        )

    # --- git ---

    def onboard(self, username: str = "", password: str = "") -> None:
        """Once, when something has been pushed."""
        self.sdk.repositories.create(_APPLICATION, self.repo.url, username, password)
        self.sdk.applications.create("main", ".", _APPLICATION, repository_name=_APPLICATION)
        self.wait_for_sync()

    def wait_for_sync(self) -> None:
        def is_synced() -> bool:
            found = self.sdk.applications.get_status(_APPLICATION)
            told = [vars(each) for each in found.sync_resources_status or () if each.status != "Synced"]
            assert not told, told
            return bool(found.sync_status == "Synced")

        wait_until(is_synced, what="the sync")

    # --- objects ---

    def configure(
        self, executable: str, parameters: Mapping[str, str] | None = None, inputs: Mapping[str, str] | None = None
    ) -> str:
        """`inputs` are ids of artifacts."""
        made = self.sdk.configuration.create(
            name=executable,
            scenario_id=SCENARIO,
            executable_id=executable,
            parameter_bindings=[ParameterBinding(*each) for each in (parameters or {}).items()],
            input_artifact_bindings=[InputArtifactBinding(*each) for each in (inputs or {}).items()],
        )
        return str(made.id)

    def artifact(self, url: str, kind: str = "dataset") -> str:
        return str(self.sdk.artifact.create("given", Artifact.Kind(kind), url, SCENARIO).id)

    def file(self, path: str, content: bytes | None = None) -> httpx.Response:
        """Read, or write, a file of `ai://default/` by the dataset API."""
        url = f"{self.mooring.url}/v2/lm/dataset/files/default/{path}"
        headers = {**self.mooring.headers(), "AI-Resource-Group": "default"}
        method = "GET" if content is None else "PUT"
        return httpx.request(method, url, content=content, headers=headers, timeout=_SECONDS)

    # --- executions ---

    def start(
        self, executable: str, parameters: Mapping[str, str] | None = None, inputs: Mapping[str, str] | None = None
    ) -> str:
        return str(self.sdk.execution.create(self.configure(executable, parameters, inputs)).id)

    def finish(self, execution_id: str) -> Any:
        """The execution, once it is over."""
        get = self.sdk.execution.get
        return wait_until(
            lambda: (found := get(execution_id)).status in OVER and found,
            seconds=_SECONDS,
            what=f"the end of {execution_id}",
        )

    def run(
        self, executable: str, parameters: Mapping[str, str] | None = None, inputs: Mapping[str, str] | None = None
    ) -> Any:
        """An execution that has completed."""
        done = self.finish(self.start(executable, parameters, inputs))
        assert done.status is Status.COMPLETED, (done.status_message, done.status_details, self.said(done.id))
        return done

    def said(self, id_: str, of: str = "executions") -> list[str]:
        """What its containers have written."""
        return [line["msg"].rstrip("\n") for line in self.lines(id_, of)]

    def lines(self, id_: str, of: str = "executions") -> list[dict[str, str]]:
        found = self.sdk.rest_client.get(path=f"/lm/{of}/{id_}/logs")["data"]["result"]
        return [dict(line) for line in found]

    def delete(self, execution_id: str) -> None:
        self.sdk.execution.delete(execution_id)
        wait_until(lambda: not self._is_there(execution_id), what=f"the removal of {execution_id}")

    def _is_there(self, execution_id: str) -> bool:
        with suppress(AIAPINotFoundException):
            self.sdk.execution.get(execution_id)
            return True
        return False

    # --- deployments ---

    def settle(self, deployment_id: str) -> Any:
        """The deployment, once it runs or cannot."""
        get = self.sdk.deployment.get
        return wait_until(
            lambda: (found := get(deployment_id)).status in SETTLED and found,
            seconds=_SECONDS,
            what=f"the change of {deployment_id}",
        )

    def change(self, deployment_id: str, configuration: str) -> Any:
        self.sdk.deployment.modify(deployment_id, None, configuration)
        return self.settle(deployment_id)

    def ask(self, deployment_id: str, path: str = "v1/ask") -> Any:
        return self.sdk.rest_client.get(path=f"/inference/deployments/{deployment_id}/{path}")

    def remove(self, deployment_id: str) -> None:
        """Stop and delete, and wait until nothing of it is left."""
        self.sdk.deployment.modify(deployment_id, TargetStatus.STOPPED)
        self.mooring.wait_for_status(deployment_id, "STOPPED")
        self.mooring.remove(deployment_id)
