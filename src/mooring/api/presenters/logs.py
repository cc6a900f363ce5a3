"""Log lines."""

from collections.abc import Iterable
from typing import Any

from mooring.services.logs import ReplicaLine


def logs(lines: Iterable[ReplicaLine], *, container: str) -> dict[str, Any]:
    """The answer of the logs endpoints; `container` is the name by which clients of the AI API know what wrote it."""
    return {"data": {"result": [_line(item, container) for item in lines]}}


def _line(item: ReplicaLine, container: str) -> dict[str, Any]:
    return {
        "timestamp": item.line.timestamp,
        "msg": item.line.message,
        "container": container,
        "pod": item.replica_id,
        "stream": item.line.stream,
    }
