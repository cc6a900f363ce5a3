"""Scenarios and the executables in them."""

from datetime import datetime
from urllib.parse import quote

from mooring.client.connection import ApiObject, Connection


class Scenario(ApiObject):
    """A use case, with its executables."""

    id: str
    name: str = ""
    description: str | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None


class Parameter(ApiObject):
    """What an executable can be told in a configuration; with no default it has to be."""

    name: str
    type: str = "string"
    default: str | None = None
    description: str | None = None


class ArtifactSlot(ApiObject):
    """An artifact that an executable takes or makes."""

    name: str
    kind: str | None = None
    description: str | None = None


class Executable(ApiObject):
    """A template of a scenario: `deployable` ones serve, the others run once."""

    id: str
    scenario_id: str = ""
    name: str = ""
    version_id: str = ""
    description: str | None = None
    deployable: bool = False
    parameters: tuple[Parameter, ...] | None = None
    input_artifacts: tuple[ArtifactSlot, ...] | None = None
    output_artifacts: tuple[ArtifactSlot, ...] | None = None
    created_at: datetime | None = None
    modified_at: datetime | None = None


class Scenarios:
    """`/lm/scenarios`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> list[Scenario]:
        return self._connection.read_all(Scenario, "/lm/scenarios")

    def get(self, scenario_id: str) -> Scenario:
        return self._connection.read(Scenario, f"/lm/scenarios/{quote(scenario_id, safe='')}")


class Executables:
    """`/lm/scenarios/{id}/executables`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, scenario_id: str) -> list[Executable]:
        path = f"/lm/scenarios/{quote(scenario_id, safe='')}/executables"
        return self._connection.read_all(Executable, path)

    def get(self, scenario_id: str, executable_id: str) -> Executable:
        path = f"/lm/scenarios/{quote(scenario_id, safe='')}/executables/{quote(executable_id, safe='')}"
        return self._connection.read(Executable, path)
