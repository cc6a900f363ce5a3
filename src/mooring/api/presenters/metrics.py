"""What was tracked for executions."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from mooring.api.answers import encode
from mooring.services.paging import ListedRow
from mooring.services.tracked import Part, Tracked
from mooring.services.tracked_texts import TextKind

_PIECE = 500


def tracked(found: Tracked, parts: frozenset[Part]) -> Iterator[dict[str, Any]]:
    """One item per execution, with the parts that were asked for; these are there even when they are empty."""
    for row in found.resources:
        execution_id = row.execution_id
        shown = {"executionId": execution_id, "createdAt": row.created_at, "modifiedAt": row.modified_at}
        if Part.METRICS in parts:
            shown["metrics"] = _metrics(found.metrics.get(execution_id, ()))
        if Part.TAGS in parts:
            shown["tags"] = _texts(found, execution_id, TextKind.TAG)
        if Part.CUSTOM_INFO in parts:
            shown["customInfo"] = _texts(found, execution_id, TextKind.CUSTOM_INFO)
        yield shown


def _metrics(rows: Sequence[ListedRow]) -> orjson.Fragment:
    """Made in pieces: there may be very many, and nobody else gets a turn while one piece is encoded."""
    pieces = (rows[start : start + _PIECE] for start in range(0, len(rows), _PIECE))
    return orjson.Fragment(b"[" + b",".join(encode([_metric(row) for row in piece])[1:-1] for piece in pieces) + b"]")


def _metric(row: Any) -> dict[str, Any]:
    _, name, value, timestamp, step, labels = row
    return {"name": name, "value": value, "timestamp": timestamp, "step": step, "labels": labels}


def _texts(found: Tracked, execution_id: str, kind: TextKind) -> list[dict[str, str]]:
    return [{"name": row.name, "value": row.value} for row in found.texts.get((execution_id, kind), ())]
