"""What a deployment's replicas have written."""

from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from mooring.api import answers
from mooring.api.dependencies import Context, DeploymentId, Group
from mooring.api.presenters.deployments import log_line
from mooring.api.schemas.deployments import Logs
from mooring.errors import InvalidRequest
from mooring.services import logs
from mooring.store.types import utc_now

router = APIRouter(prefix="/v2/lm/deployments", tags=["Deployment"])
_DEFAULT_SPAN = timedelta(hours=1)


async def _window(
    start: Annotated[datetime | None, Query(description="RFC 3339; one hour ago when absent.")] = None,
    end: Annotated[datetime | None, Query(description="RFC 3339; now when absent.")] = None,
    top: Annotated[int, Query(alias="$top", ge=1, le=5000)] = 1000,
    order: Annotated[Literal["asc", "desc"], Query(alias="$order")] = "asc",
) -> logs.Window:
    now = utc_now()
    return logs.Window(
        start=_in_utc(start, "start") if start else now - _DEFAULT_SPAN,
        end=_in_utc(end, "end") if end else now,
        top=top,
        newest_first=order == "desc",
    )


@router.get("/{deploymentId}/logs", response_model=Logs)
def get_logs(
    context: Context, group: Group, deployment_id: DeploymentId, window: Annotated[logs.Window, Depends(_window)]
) -> Response:
    """The lines of all its replicas, merged by time."""
    with context.database.reading() as session:
        replica_ids = logs.replicas_of(session, group, deployment_id)
    lines = logs.read(context.logs, replica_ids, window)
    return answers.json({"data": {"result": [log_line(line) for line in lines]}})


def _in_utc(moment: datetime, parameter: str) -> datetime:
    """Clients that leave the zone out mean UTC."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidRequest(f"{parameter}: must lie between the years 1 and 9999, in UTC") from None
