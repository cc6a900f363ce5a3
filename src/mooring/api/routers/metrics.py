"""Metrics, tags and custom info of executions, from outside."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from mooring.api import answers, metric_queries
from mooring.api.dependencies import Context, Group
from mooring.api.long_metrics import long_metrics
from mooring.api.schemas import metrics as shapes
from mooring.api.schemas.common import ID_PATTERN, ListingErrorEnvelope
from mooring.services import tracking
from mooring.services.tracked import Filter
from mooring.services.tracked_texts import Text, TextKind
from mooring.services.tracking import Additions, NewMetric

PATH = "/v2/lm/metrics"
_DEFAULT_TOP = 1000
_HIGHEST_TOP = 10_000
_HIGHEST_SKIP = 2**31 - 1
_NOTHING_TRACKED = {"model": ListingErrorEnvelope, "description": "Nothing is tracked for this execution."}
_ANOTHER_GROUPS = {"model": ListingErrorEnvelope, "description": "The execution is not in this resource group."}
router = APIRouter(prefix=PATH, tags=["Metrics"])


def additions(body: shapes.MetricsModify) -> Additions:
    """What a call tracks, as services know it."""
    metrics = [
        NewMetric(
            name=metric.name,
            value=metric.value,
            timestamp=metric.timestamp,
            step=metric.step or 0,
            labels=[label.model_dump() for label in metric.labels or ()],
        )
        for metric in body.metrics or ()
    ]
    tags = [Text(TextKind.TAG, tag.name, tag.value) for tag in body.tags or ()]
    custom_info = [Text(TextKind.CUSTOM_INFO, info.name, info.value) for info in body.custom_info or ()]
    return Additions(body.execution_id, metrics, [*tags, *custom_info])


async def _wanted(
    execution_ids: Annotated[
        list[str] | None, Query(alias="executionIds", description="Up to ten, joined by commas.")
    ] = None,
    expression: Annotated[
        str | None, Query(alias="$filter", description="`executionId eq 'x'` or `executionId in ('x', 'y')`.")
    ] = None,
    tag_filters: Annotated[
        list[str] | None, Query(alias="tagFilters", description="`name=value` and `name!=value`, all have to hold.")
    ] = None,
    select: Annotated[
        list[str] | None, Query(alias="$select", description="`metrics`, `tags`, `customInfo`, or `*`.")
    ] = None,
) -> Filter:
    return metric_queries.read(execution_ids, expression, tag_filters, select)


@router.get("", response_model=shapes.MetricResourceList)
def list_metrics(
    context: Context,
    group: Group,
    wanted: Annotated[Filter, Depends(_wanted)],
    top: Annotated[int, Query(alias="$top", ge=0, le=_HIGHEST_TOP)] = _DEFAULT_TOP,
    skip: Annotated[int, Query(alias="$skip", ge=0, le=_HIGHEST_SKIP)] = 0,
) -> Response:
    """What was tracked for executions, those first that were tracked last; pages are of executions."""
    return long_metrics(context.database, group, wanted, top=top, skip=skip)


@router.patch("", status_code=204, responses={404: _ANOTHER_GROUPS})
def modify_metrics(context: Context, group: Group, body: shapes.MetricsModify) -> Response:
    """Append metrics, add or replace tags and custom info by name. The execution need not be one of this server."""
    new = additions(body)
    with context.database.transaction() as session:
        tracking.add(session, group, new)
    return Response(status_code=204)


@router.delete("", response_model=shapes.MetricsDeleted, responses={404: _NOTHING_TRACKED})
def delete_metrics(
    context: Context, group: Group, execution_id: Annotated[str, Query(alias="executionId", pattern=ID_PATTERN)]
) -> Response:
    """Forget everything that was tracked for an execution."""
    with context.database.transaction() as session:
        tracking.remove(session, group, execution_id)
    return answers.json({"id": execution_id, "message": "Metrics deleted"})
