"""The order of calls of the public CI/CD scripts, with the official SDK: run in an environment that has nothing else.

Reads the variables of `mooring env`, `GROUP` (also the destination's name), `APPLICATION` and `GREETING`; prints what
was found as one JSON document.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import requests
from ai_api_client_sdk.exception import AIAPIServerException
from ai_api_client_sdk.models.artifact import Artifact
from ai_api_client_sdk.models.input_artifact_binding import InputArtifactBinding
from ai_api_client_sdk.models.parameter_binding import ParameterBinding
from ai_api_client_sdk.models.status import Status
from ai_api_client_sdk.models.target_status import TargetStatus
from ai_core_sdk.ai_core_v2_client import AICoreV2Client

SCENARIO = "team-project"
_ROUNDS = 300
_PAUSE_SECONDS = 0.2
_HTTP_SECONDS = 60


class Flow:
    """One run; `told` is what is printed."""

    def __init__(self) -> None:
        env = os.environ
        self.base_url, self.auth_url = env["AICORE_BASE_URL"], env["AICORE_AUTH_URL"] + "/oauth/token"
        self.client = AICoreV2Client(
            base_url=self.base_url,
            auth_url=self.auth_url,
            client_id=env["AICORE_CLIENT_ID"],
            client_secret=env["AICORE_CLIENT_SECRET"],
            resource_group=env["GROUP"],
        )
        self.told: dict[str, Any] = {}

    def run(self) -> None:
        self.client.resource_groups.create(resource_group_id=os.environ["GROUP"])
        self.sync(os.environ["APPLICATION"])
        self.clean_up()
        rows = self.artifact("rows", Artifact.Kind.DATASET, "ai://default/rows")
        training = self.configuration("flow-train", {"greeting": os.environ["GREETING"]}, {"rows": rows})
        execution = self.client.execution.create(training).id
        self.told["training"] = self.follow(self.client.execution, execution, "COMPLETED")
        (weights,) = self.client.execution.get(execution).output_artifacts
        serving = self.configuration("flow-serve", {"greeting": os.environ["GREETING"]}, {"weights": weights.id})
        deployment = self.client.deployment.create(serving).id
        self.told["server"] = self.follow(self.client.deployment, deployment, "RUNNING")
        self.told |= {"execution": execution, "deployment": deployment, "configurations": [training, serving]}
        self.told["destination"] = [self.set_destination(deployment) for _ in range(2)]
        self.told["answers"] = self.change(deployment, weights.id)

    def sync(self, application: str) -> None:
        self.client.applications.refresh(application)
        self.until(lambda: self.client.applications.get_status(application).sync_status == "Synced")

    def clean_up(self) -> None:
        """All of the resource group, as far as it lets itself be deleted at once; the rest is gone in the next run."""
        there = self.client.deployment.query().resources
        for each in there:
            with suppress(AIAPIServerException):
                self.client.deployment.modify(each.id, TargetStatus.STOPPED)
            with suppress(AIAPIServerException):
                self.client.deployment.delete(each.id)
        self.told["deployments_before"] = [each.id for each in there]
        for each in self.client.execution.query().resources:
            with suppress(AIAPIServerException):
                self.client.execution.delete(each.id)

    def artifact(self, name: str, kind: Any, url: str) -> str:
        for each in self.client.artifact.query().resources:
            if (each.name, each.kind, each.url, each.scenario_id) == (name, kind, url, SCENARIO):
                return str(each.id)
        return str(self.client.artifact.create(name, kind, url, SCENARIO).id)

    def configuration(self, executable: str, parameters: dict[str, str], inputs: dict[str, str]) -> str:
        """Found again by the JSON of all that it says, in this order."""
        bindings = ([*map(list, parameters.items())], [*map(list, inputs.items())])
        wanted = json.dumps([executable, SCENARIO, executable, *bindings])
        for each in self.client.configuration.query().resources:
            values = [[bound.key, bound.value] for bound in each.parameter_bindings]
            artifacts = [[bound.key, bound.artifact_id] for bound in each.input_artifact_bindings]
            if json.dumps([each.name, each.scenario_id, each.executable_id, values, artifacts]) == wanted:
                return str(each.id)
        made = self.client.configuration.create(
            executable,
            SCENARIO,
            executable,
            [ParameterBinding(*each) for each in parameters.items()],
            [InputArtifactBinding(*each) for each in inputs.items()],
        )
        return str(made.id)

    def follow(self, owners: Any, id_: str, wanted: str) -> list[str]:
        """The lines of its log, each once, until it has this status (or is DEAD)."""
        lines: list[str] = []
        start = None
        for _ in range(_ROUNDS):
            found = owners.get(id_)
            start = start or found.submission_time
            logged = owners.query_logs(id_, start=start).data.result
            lines += [each.msg for each in logged if not each.msg.startswith("time=")]
            if logged:
                start = logged[-1].timestamp + timedelta(seconds=1)
            if found.status.value == wanted:
                return lines
            assert found.status is not Status.DEAD, (found.status_message, lines)
            time.sleep(_PAUSE_SECONDS)
        raise TimeoutError(f"{id_} is not {wanted}")

    def set_destination(self, deployment: str) -> list[int]:
        """The statuses: made, or there already and changed."""
        key = {name: os.environ[f"DESTINATION_{name}"] for name in ("AUTH_URL", "CLIENT_ID", "CLIENT_SECRET")}
        asked = requests.post(
            f"{key['AUTH_URL']}/oauth/token?grant_type=client_credentials",
            auth=(key["CLIENT_ID"], key["CLIENT_SECRET"]),
            timeout=_HTTP_SECONDS,
        )
        assert asked.status_code == 200, asked.text
        headers = {"Authorization": f"Bearer {asked.json()['access_token']}"}
        url = f"{os.environ['DESTINATION_BASE_URL']}/destination-configuration/v1/subaccountDestinations"
        body = {
            "Name": os.environ["GROUP"],
            "Description": "made by a script",
            "Type": "HTTP",
            "ProxyType": "Internet",
            "URL": f"{self.base_url}/inference/deployments/{deployment}",
            "Authentication": "OAuth2ClientCredentials",
            "clientId": os.environ["AICORE_CLIENT_ID"],
            "clientSecret": os.environ["AICORE_CLIENT_SECRET"],
            "tokenServiceURL": self.auth_url,
            "tokenServiceURLType": "Dedicated",
        }
        made = requests.post(url, json=body, headers=headers, timeout=_HTTP_SECONDS)
        if made.status_code != 409:
            return [made.status_code]
        return [409, requests.put(url, json=body, headers=headers, timeout=_HTTP_SECONDS).status_code]

    def change(self, deployment: str, weights: str) -> list[str]:
        """The script of the static URL: another configuration for the same deployment, which answers all along."""
        path = f"/inference/deployments/{deployment}/v2/hello/"
        answers = [self.client.rest_client.post(path)["greeting"]]
        other = self.configuration("flow-serve", {"greeting": "changed"}, {"weights": weights})
        self.client.deployment.modify(deployment, None, other)
        self.told["status_after_patch"] = self.client.deployment.get(deployment).status.value

        def runs() -> bool:
            answers.append(self.client.rest_client.post(path)["greeting"])
            return bool(self.client.deployment.get(deployment).status is Status.RUNNING)

        self.until(runs)
        return [*answers, self.client.rest_client.post(path)["greeting"]]

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(_ROUNDS):
            if condition():
                return
            time.sleep(_PAUSE_SECONDS)
        raise TimeoutError("it does not come true")


if __name__ == "__main__":
    flow = Flow()
    flow.run()
    sys.stdout.write(json.dumps(flow.told))
