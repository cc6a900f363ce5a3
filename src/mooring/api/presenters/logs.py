"""Log lines."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from mooring.services.logs import ReplicaLine


def logs(
    lines: Iterable[ReplicaLine], *, container: str, pods: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """The answer of the logs endpoints.

    `container` is the name by which clients of the AI API know what wrote it, `pods` those of replicas or jobs whose
    name is not their id.
    """
    return {"data": {"result": [_line(item, container, pods) for item in lines]}}


def _line(item: ReplicaLine, container: str, pods: Mapping[str, str]) -> dict[str, Any]:
    return {
        "timestamp": item.line.timestamp,
        "msg": item.line.message,
        "container": container,
        "pod": pods.get(item.replica_id, item.replica_id),
        "stream": item.line.stream,
    }
