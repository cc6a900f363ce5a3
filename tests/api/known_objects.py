"""One object of each kind in a resource group, for whoever needs paths that lead to something."""

import copy
from dataclasses import dataclass
from typing import Any

import httpx

from mooring.api import openapi_examples
from mooring.domain.lifecycle import Status
from mooring.store.tables import Execution
from tests.api.api_server import Server, new_configuration, workflow_executable

WORKFLOW = "known-workflow"


@dataclass(frozen=True)
class KnownObjects:
    """What exists, by the names of path parameters, and what can be made of it.

    `ends` are objects for deletion (nothing depends on them), `next_file` is a path at which nothing lies.
    """

    ids: dict[str, str]
    ends: dict[str, str]
    next_file: str
    next_configuration: str
    workflow_configuration: str
    repository_url: str

    def ids_for(self, method: str) -> dict[str, str]:
        """Objects with which this method makes sense."""
        if method == "put":
            return {**self.ids, "path": self.next_file}
        return {**self.ids, **self.ends} if method == "delete" else self.ids

    def body(self, method: str, path: str) -> dict[str, Any] | None:
        """The example of this operation, naming objects that exist."""
        example = copy.deepcopy(openapi_examples.of_body(method, path))
        if example is None:
            return None
        known = {
            "configurationId": self.workflow_configuration if "execution" in path else self.next_configuration,
            "executionId": self.ids["executionId"],
            "repositoryName": self.ids["repositoryName"],
            "repositoryUrl": self.repository_url,
        }
        if method == "patch":
            known["name"] = self.ids["objectStoreName"]
        if method == "post" and path.startswith("/v2/admin/"):  # others may have sent the example as it stands
            group = self.ids["resourceGroupId"]
            known |= {"name": f"n-{group}", "url": f"https://git.example/n/{group}.git"}
            known |= {"applicationName": f"b-{group}", "path": "other-templates"}
        example.update({name: value for name, value in known.items() if name in example})
        for kind, name in (("deployments", "deploymentId"), ("executions", "executionId")):
            for item in example.get(kind, ()):
                item["id"] = self.ends[name]  # whoever is changed by itself must not have been stopped before
        return example

    def query(self, method: str, path: str) -> dict[str, str] | None:
        """Parameters without which this operation leads to nothing."""
        if path != "/v2/lm/metrics" or method == "patch":
            return None
        return {"executionIds" if method == "get" else "executionId": self.ids["executionId"]}


def make(server: Server, http: httpx.Client, group: str) -> KnownObjects:
    """By an admin of the whole tenant, whose client names the group."""
    workflow_executable(server, WORKFLOW)
    deployable = new_configuration(http)
    workflow = _made(http, "/v2/lm/configurations", {"name": "w", "scenarioId": "workflows", "executableId": WORKFLOW})
    repository, url = _repository(http, group)
    spare_repository, _ = _repository(http, f"{group}-spare")
    running = _deployment(http, deployable)
    server.act(running, Status.RUNNING)
    executing = _execution(http, workflow)
    with server.database.transaction() as session:
        session.get_one(Execution, executing).status = Status.RUNNING.value
    ids = {
        "scenarioId": "mooring",
        "executableId": "model-server",
        "configurationId": deployable,
        "artifactId": _made_from_example(http, "/v2/lm/artifacts"),
        "deploymentId": running,
        "executionId": executing,
        "executionScheduleId": _made(
            http, "/v2/lm/executionSchedules", {"name": "s", "cron": "0 3 * * *", "configurationId": workflow}
        ),
        "resourceGroupId": group,
        "repositoryName": repository,
        "applicationName": _application(http, repository, f"a-{group}"),
        "dockerRegistryName": _named(http, "/v2/admin/dockerRegistrySecrets", f"d-{group}"),
        "objectStoreName": _named(http, "/v2/admin/objectStoreSecrets", f"o-{group}"),
        "secretName": _named(http, "/v2/admin/secrets", f"s-{group}"),
        "ServiceName": http.get("/v2/admin/services").json()["resources"][0]["name"],
        "path": _uploaded(http, "default/known/file.csv"),
    }
    ends = {
        "deploymentId": _deployment(http, deployable),
        "executionId": _execution(http, workflow),
        "resourceGroupId": _group(http, f"{group}.spare"),
        "repositoryName": spare_repository,
    }
    return KnownObjects(
        ids=ids,
        ends=ends,
        next_file="default/known/next.csv",
        next_configuration=new_configuration(http, "models:/wine/2"),
        workflow_configuration=workflow,
        repository_url=url,
    )


def _deployment(http: httpx.Client, configuration_id: str) -> str:
    return _made(http, "/v2/lm/deployments", {"configurationId": configuration_id})


def _execution(http: httpx.Client, configuration_id: str) -> str:
    return _made(http, "/v2/lm/executions", {"configurationId": configuration_id})


def _group(http: httpx.Client, name: str) -> str:
    _made(http, "/v2/admin/resourceGroups", {"resourceGroupId": name})
    return name


def _repository(http: httpx.Client, mark: str) -> tuple[str, str]:
    name, url = f"r-{mark}", f"https://git.example/{mark}.git"
    _made(http, "/v2/admin/repositories", {"name": name, "url": url, "username": "u", "password": "p"})
    return name, url


def _application(http: httpx.Client, repository: str, name: str) -> str:
    source = {"repositoryName": repository, "revision": "main", "path": "templates"}
    _made(http, "/v2/admin/applications", {"applicationName": name, **source})
    return name


def _made(http: httpx.Client, path: str, body: dict[str, Any]) -> str:
    answer = http.post(path, json=body)
    assert answer.status_code < 300, (path, answer.text)
    made: str = answer.json().get("id", "")
    return made


def _made_from_example(http: httpx.Client, path: str) -> str:
    return _made(http, path, openapi_examples.of_body("post", path) or {})


def _uploaded(http: httpx.Client, path: str) -> str:
    answer = http.put(f"/v2/lm/dataset/files/{path}", content=b"a,b\n1,2\n")
    assert answer.status_code == 201, answer.text
    return path


def _named(http: httpx.Client, path: str, name: str) -> str:
    _made(http, path, {**(openapi_examples.of_body("post", path) or {}), "name": name})
    return name
