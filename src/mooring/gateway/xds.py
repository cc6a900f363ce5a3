"""The form in which Envoy reads configuration from files."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Json = dict[str, Any]

_TYPES = "type.googleapis.com/"
CLUSTER = "envoy.config.cluster.v3.Cluster"
LISTENER = "envoy.config.listener.v3.Listener"
ROUTES = "envoy.config.route.v3.RouteConfiguration"


def typed(message: str, fields: Json) -> Json:
    """A message together with its type (`google.protobuf.Any` in JSON)."""
    return {"@type": _TYPES + message, **fields}


def extension(name: str, message: str, fields: Json) -> Json:
    """An extension of Envoy with its settings."""
    return {"name": name, "typed_config": typed(message, fields)}


def seconds(value: float) -> str:
    """A duration in protobuf's JSON form."""
    return f"{value:.3f}s"


def file_source(path: Path) -> Json:
    """Configuration comes from this file; Envoy reads it again whenever something is renamed onto it."""
    return {"path_config_source": {"path": str(path)}, "resource_api_version": "V3"}


def document(message: str, resources: Sequence[Json]) -> bytes:
    """The whole content of one configuration file. Its version follows from its content."""
    body = [typed(message, resource) for resource in resources]
    version = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:16]
    return json.dumps({"version_info": version, "resources": body}, separators=(",", ":")).encode()


def version_of(content: bytes) -> str:
    """The version that Envoy reports once it has taken this document over."""
    return str(json.loads(content)["version_info"])


def resources_of(content: bytes) -> list[Json]:
    """The resources of a document, without their type."""
    found: list[Json] = json.loads(content)["resources"]
    return [{key: value for key, value in item.items() if key != "@type"} for item in found]
