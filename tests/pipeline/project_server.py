"""An AI API server in memory with a training and a server of its model, and a Destination service beside it."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from tests.fake_ai_api import FakeAiApi
from tests.pipeline.project_files import EXECUTABLES, SCENARIO

Object = dict[str, Any]
Answer = tuple[int, object]
_PREFIX = "/destination-configuration/v1/subaccountDestinations"


class ProjectServer(FakeAiApi):
    """`run(parameters)` says what an execution ends as; `writes` are the requests that change something."""

    def __init__(self) -> None:
        super().__init__(lambda parameters: "DEAD" if parameters.get("greeting") == "broken" else "RUNNING")
        self.run: Callable[[Mapping[str, str]], str] = lambda _: "COMPLETED"
        self.artifacts: dict[str, Object] = {}
        self.executions: dict[str, Object] = {}
        self.destinations: dict[str, Object] = {}
        self.lines: dict[str, list[str]] = {}
        self.unknown_for = 0
        """So many questions after a POST are answered with 404."""

    @property
    def writes(self) -> list[tuple[str, str]]:
        return [each for each in self.requests if each[0] != "GET"]

    def answer(self, method: str, path: str, query: Mapping[str, str], body: Object) -> Answer:
        with self.lock:
            if path.startswith(_PREFIX):
                return self._destination(method, path.removeprefix(_PREFIX).strip("/"), body)
            parts = path.strip("/").split("/")[2:]
            if method == "GET" and len(parts) == 2 and parts[0] in ("executions", "deployments") and self.unknown_for:
                self.unknown_for -= 1
                return 404, {"error": {"code": "404", "message": "not yet"}}
            found = self._project(method, parts, query, body)
            if found is None:
                found = super().answer(method, path, query, body)
                self._complete()
                return found
        if isinstance(found, list):
            skip, top = int(query.get("$skip", 0)), int(query.get("$top", 10000))
            return 200, {"count": len(found), "resources": found[skip : skip + top]}
        return found

    def _project(
        self, method: str, parts: list[str], query: Mapping[str, str], body: Object
    ) -> list[Object] | Answer | None:
        match parts:
            case ["artifacts"] if method == "POST":
                id_ = self._artifact(body)
                return 201, {"id": id_, "message": "Artifact acknowledged", "url": body["url"]}
            case ["artifacts"]:
                return [each for each in self.artifacts.values() if each["name"] == query["name"]]
            case ["scenarios", scenario, "executables", executable]:
                known = EXECUTABLES.get((scenario, executable))
                return (200, known.model_dump(mode="json", by_alias=True)) if known else None
            case ["executions"] if method == "POST":
                return self._run(body)
            case ["executions"]:
                return list(self.executions.values())
            case ["executions", id_] if id_ in self.executions:
                return self._execution(method, self.executions[id_])
            case [_, id_, "logs"]:
                moment = "2025-01-02T03:04:05Z"
                lines = [{"timestamp": moment, "msg": line} for line in self.lines.get(self._name(id_), [])]
                return 200, {"data": {"result": lines}}
        return None

    def _name(self, id_: str) -> str:
        owner = self.executions.get(id_) or self.deployments.get(id_) or {}
        return str(self.configurations.get(owner.get("configurationId", ""), {}).get("name"))

    def _artifact(self, body: Object) -> str:
        id_ = str(uuid.uuid4())
        self.artifacts[id_] = {"id": id_, **body}
        return id_

    def _run(self, body: Object) -> Answer:
        id_ = "e" + uuid.uuid4().hex[:15]
        self.executions[id_] = {
            "id": id_,
            "status": "UNKNOWN",
            "targetStatus": "COMPLETED",
            **body,
            **self._owner(body),
        }
        return 202, {"id": id_, "message": "Execution scheduled", "status": "UNKNOWN"}

    def _execution(self, method: str, found: Object) -> Answer:
        if method == "DELETE":
            if found["status"] in ("PENDING", "RUNNING"):
                return 412, {"error": {"code": "412", "message": "it runs"}}
            del self.executions[found["id"]]
        elif method == "PATCH":
            found["status"] = "STOPPED"
        elif found["status"] == "UNKNOWN":
            found["status"] = "RUNNING"
        elif found["status"] == "RUNNING":
            self._end(found)
        return 200, found

    def _end(self, found: Object) -> None:
        parameters = {
            each["key"]: each["value"] for each in self.configurations[found["configurationId"]]["parameterBindings"]
        }
        found["status"] = self.run(parameters)
        if found["status"] == "COMPLETED":
            url = f"ai://default/{found['id']}/weights"
            id_ = self._artifact({"name": "the weights", "kind": "model", "url": url, "scenarioId": SCENARIO})
            found["outputArtifacts"] = [self.artifacts[id_]]
        elif found["status"] == "DEAD":
            found["statusMessage"] = "no rows"

    def _complete(self) -> None:
        """What the smaller server leaves out."""
        for found in self.deployments.values():
            found.update(self._owner(found))
            if found["status"] == "RUNNING":
                found["deploymentUrl"] = f"{self.url}/v2/inference/deployments/{found['id']}"

    def _owner(self, body: Object) -> Object:
        owner = self.configurations[body["configurationId"]]
        names = {"configurationName": "name", "scenarioId": "scenarioId", "executableId": "executableId"}
        return {key: owner[name] for key, name in names.items()}

    def _destination(self, method: str, name: str, body: Object) -> Answer:
        if method == "GET":
            found = self.destinations.get(name)
            return (200, found) if found else (404, {"ErrorMessage": "no such destination"})
        if method == "POST" and body["Name"] in self.destinations:
            return 409, {"ErrorMessage": "it is there"}
        self.destinations[body["Name"]] = body
        return (201, None) if method == "POST" else (200, {"Count": 1})
