"""What was tracked for executions."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from mooring.services.paging import ListedRow
from mooring.services.tracked import Part


def resource(row: Any, texts: Mapping[Part, Sequence[ListedRow]], parts: Collection[Part]) -> dict[str, Any]:
    """An execution and its texts; those that were asked for are there even when they are empty."""
    shown = {"executionId": row.execution_id, "createdAt": row.created_at, "modifiedAt": row.modified_at}
    for part in (Part.TAGS, Part.CUSTOM_INFO):
        if part in parts:
            shown[part.value] = [{"name": text.name, "value": text.value} for text in texts.get(part, ())]
    return shown


def metric(row: Any) -> dict[str, Any]:
    """A measured value."""
    _, name, value, timestamp, step, labels = row
    return {"name": name, "value": value, "timestamp": timestamp, "step": step, "labels": labels}
