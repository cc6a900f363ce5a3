"""Bulk changes."""

from typing import Any

from mooring.api import envelope
from mooring.domain.lifecycle import TargetStatus
from mooring.services.bulk import Outcome


def result(outcome: Outcome, path: str, noun: str) -> dict[str, Any]:
    """What became of one item; `path` is where objects of its kind (the noun) lie."""
    wish = outcome.wish
    if outcome.error is not None:
        return {"id": wish.id, "error": envelope.content(outcome.error, f"{path}/{wish.id}")}
    deleted = wish.target is TargetStatus.DELETED
    return {"id": wish.id, "message": "Deletion scheduled" if deleted else f"{noun} modification scheduled"}
