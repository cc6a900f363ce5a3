"""Docker registry secrets."""

from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from mooring.api.schemas.common import Shape
from mooring.api.schemas.secrets import SecretText
from mooring.services.docker_registry_secrets import DATA_KEY

DOCKER_NAME_PATTERN = r"^[a-z0-9](?:_?[a-z0-9.-]+)*[a-z0-9]$"
LONGEST_DOCKER_NAME = 63


class DockerRegistryData(Shape):
    """The text of a Docker config file: `{"auths": {"<registry>": {"username": …, "password": …}}}`."""

    model_config = ConfigDict(extra="forbid")

    config: SecretText = Field(alias=".dockerconfigjson", repr=False)

    @model_validator(mode="before")
    @classmethod
    def _nothing_else(cls, given: object) -> object:
        # In one finding: the library would make one for each of a million keys, and nobody else would be served.
        if isinstance(given, dict) and any(key != DATA_KEY for key in given):
            raise ValueError(f"must hold {DATA_KEY} and nothing else")
        return given


class DockerRegistrySecretCreate(Shape):
    """What is needed to make a docker registry secret."""

    name: Annotated[str, StringConstraints(max_length=LONGEST_DOCKER_NAME, pattern=DOCKER_NAME_PATTERN)]
    data: DockerRegistryData


class DockerRegistrySecretModify(Shape):
    """The credentials that replace the present ones."""

    data: DockerRegistryData


class DockerRegistrySecret(Shape):
    """What may be told about it."""

    name: str


class DockerRegistrySecretList(Shape):
    """A page of docker registry secrets. `count` is the total when `$count=true` was asked for."""

    count: int
    resources: list[DockerRegistrySecret]
