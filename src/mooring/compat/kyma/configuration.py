"""The configuration file of `deploy_to_kyma`: fedml's keys, each of them checked before anything is done."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError

from mooring.compat.errors import CompatError

_LARGEST_BYTES = 1024 * 1024
_SERVICE_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_MODEL_URI = re.compile(r"(runs|models|dbfs|mlflow-artifacts|s3|gs|abfss|wasbs):/.+")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?")


def _service_name(value: Any) -> Any:
    if not isinstance(value, str) or not _SERVICE_NAME.fullmatch(value):
        raise ValueError(
            "becomes a name in Kubernetes, a host name and an image's name: 1 to 63 lower-case letters, digits and "
            "hyphens, beginning with a letter, not ending with a hyphen"
        )
    return value


def _model_uri(value: Any) -> Any:
    if not isinstance(value, str) or not _MODEL_URI.fullmatch(value.strip()):
        raise ValueError("is no URI of a model: write runs:/RUN_ID/NAME or models:/NAME/VERSION")
    return value.strip()


def _truth(value: Any) -> Any:
    """fedml took the text `true` only; JSON's own true made it fail."""
    match value:
        case bool():
            return value
        case str() if value.strip().lower() in ("true", "false", ""):
            return value.strip().lower() == "true"
    raise ValueError("is true or false")


def _count(value: Any) -> Any:
    if isinstance(value, str) and value.strip().isdecimal():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 100:
        raise ValueError("is a number from 1 to 100")
    return value


def _login_server(value: Any) -> Any:
    host = value.strip().removeprefix("https://").rstrip("/").lower() if isinstance(value, str) else ""
    if not _HOST.fullmatch(host):
        raise ValueError("is the registry's login server, such as myregistry.azurecr.io")
    return host


def _existing_file(value: Any) -> Any:
    path = Path(value).expanduser() if isinstance(value, str) and value else None
    if path is None or not path.is_file():
        raise ValueError("is the path of a file that exists")
    return path


Text = Annotated[str, Field(min_length=1)]


class _Common(BaseModel):
    """Keys that every configuration has."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+", alias="DATABRICKS_URL")]
    access_token: Annotated[SecretStr, Field(min_length=1, alias="DATABRICKS_ACCESS_TOKEN")]
    model_uri: Annotated[str, BeforeValidator(_model_uri), Field(alias="MODEL_URI")]
    service_name: Annotated[str, BeforeValidator(_service_name), Field(alias="SERVICE_NAME")]
    kubeconfig: Annotated[Path, BeforeValidator(_existing_file), Field(alias="KUBECONFIG_PATH")]
    overwrite: Annotated[bool, BeforeValidator(_truth)] = Field(default=False, alias="OVERWRITE_SERVICE")
    replicas: Annotated[int, BeforeValidator(_count)] = Field(default=1, alias="NUM_REPLICAS")


class AzureConfiguration(_Common):
    """The image goes into an Azure Container Registry."""

    login_server: Annotated[str, BeforeValidator(_login_server), Field(alias="ACR")]
    principal: Annotated[Text, Field(alias="SERVICE_PRINCIPAL_ID")]
    password: Annotated[SecretStr, Field(min_length=1, alias="SERVICE_PRINCIPAL_PASSWORD")]
    kind: Literal["acr"] = "acr"


class AmazonConfiguration(_Common):
    """The image goes into an Elastic Container Registry of AWS."""

    profile: Annotated[Text, Field(alias="PROFILE_NAME")]
    kind: Literal["ecr"] = "ecr"


Configuration = AzureConfiguration | AmazonConfiguration
ConfigurationT = TypeVar("ConfigurationT", bound=_Common)


def read_configuration(path: Path | str) -> Configuration:
    """Raises CompatError, naming every key that is missing or wrong (and no value: some are secrets)."""
    document = _document(Path(path).expanduser())
    registry = document.get("CONTAINER_REGISTRY_TYPE")
    match registry.strip().lower() if isinstance(registry, str) else registry:
        case "acr":
            return _checked(AzureConfiguration, document, path)
        case "ecr":
            return _checked(AmazonConfiguration, document, path)
    raise CompatError(f"{path}: CONTAINER_REGISTRY_TYPE is ACR (Azure) or ECR (AWS)")


def _document(path: Path) -> Mapping[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise CompatError(f"{path} is larger than a configuration can be ({_LARGEST_BYTES} bytes)")
        document = json.loads(path.read_bytes())
    except OSError as error:
        raise CompatError(f"the configuration {path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        raise CompatError(f"the configuration {path} is no JSON{place}") from None
    if not isinstance(document, dict):
        raise CompatError(f"the configuration {path} is no JSON object")
    return document


def _checked(kind: type[ConfigurationT], document: Mapping[str, Any], path: Path | str) -> ConfigurationT:
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        told = [_told(each["loc"], each["type"], each["msg"]) for each in error.errors(include_input=False)]
        raise CompatError(f"{path}: {'; '.join(told)}") from None


def _told(place: tuple[int | str, ...], kind: str, message: str) -> str:
    key = place[0] if place else "?"
    match kind:
        case "missing":
            return f"{key} is missing"
        case "value_error":
            return f"{key} {message.removeprefix('Value error, ')}"
        case "string_too_short" | "too_short":
            return f"{key} is empty"
        case "string_pattern_mismatch":
            return f"{key} has to begin with https://"
    return f"{key}: {message}"
