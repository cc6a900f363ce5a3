"""Execution schedules."""

from datetime import datetime
from typing import Any

from mooring.services.execution_schedules import status_at
from mooring.services.paging import ListedRow
from mooring.store.tables import ExecutionSchedule


def execution_schedule(row: ExecutionSchedule | ListedRow, now: datetime) -> dict[str, Any]:
    """As it is now. A limit that is not set is left out."""
    shown = {
        "id": row.id,
        "name": row.name,
        "cron": row.cron,
        "configurationId": row.configuration_id,
        "status": status_at(now, suspended=row.suspended, end=row.end).value,
        "createdAt": row.created_at,
        "modifiedAt": row.modified_at,
    }
    optional = {"start": row.start, "end": row.end}
    shown.update((name, value) for name, value in optional.items() if value is not None)
    return shown
