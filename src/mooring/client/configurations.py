"""Configurations: an executable with its parameters and artifacts bound, never changed once made."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import quote

from mooring.client.connection import PAGE_SIZE, ApiObject, Connection, parse


class ParameterBinding(ApiObject):
    """A parameter and its value."""

    key: str
    value: str


class ArtifactBinding(ApiObject):
    """An input of the executable and the artifact that goes in."""

    key: str
    artifact_id: str


class Configuration(ApiObject):
    """As the server keeps it; the bindings stand in the order in which they were sent."""

    id: str
    name: str
    scenario_id: str
    executable_id: str
    parameter_bindings: tuple[ParameterBinding, ...] = ()
    input_artifact_bindings: tuple[ArtifactBinding, ...] = ()
    created_at: datetime | None = None

    @property
    def parameters(self) -> dict[str, str]:
        return {binding.key: binding.value for binding in self.parameter_bindings}

    @property
    def inputs(self) -> dict[str, str]:
        """The ids of the artifacts by the names of the inputs."""
        return {binding.key: binding.artifact_id for binding in self.input_artifact_bindings}


class _Created(ApiObject):
    id: str


class Configurations:
    """`/lm/configurations`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def create(
        self,
        name: str,
        scenario_id: str,
        executable_id: str,
        *,
        parameters: Mapping[str, str] | None = None,
        artifacts: Mapping[str, str] | None = None,
    ) -> str:
        """Its id. `artifacts` maps an input's name to an artifact id. Raises ApiError."""
        body = {
            "name": name,
            "scenarioId": scenario_id,
            "executableId": executable_id,
            "parameterBindings": [{"key": key, "value": value} for key, value in (parameters or {}).items()],
            "inputArtifactBindings": [
                {"key": key, "artifactId": artifact} for key, artifact in (artifacts or {}).items()
            ],
        }
        return parse(_Created, self._connection.call("POST", "/lm/configurations", body=body)).id

    def get(self, configuration_id: str) -> Configuration:
        return self._connection.read(Configuration, f"/lm/configurations/{quote(configuration_id, safe='')}")

    def list(
        self,
        *,
        scenario_id: str | None = None,
        executable_ids: Sequence[str] = (),
        search: str | None = None,
        page_size: int = PAGE_SIZE,
    ) -> list[Configuration]:
        """All of them, over all pages; `search` is a part of the name."""
        params = {
            "scenarioId": scenario_id,
            "executableIds": ",".join(executable_ids) or None,
            "$search": search,
        }
        return self._connection.read_all(Configuration, "/lm/configurations", params=params, page_size=page_size)
