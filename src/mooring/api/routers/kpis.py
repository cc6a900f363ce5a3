"""Key figures."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from mooring.api import answers
from mooring.api.callers import Caller, seen_by
from mooring.api.comma_lists import split
from mooring.api.dependencies import Context
from mooring.api.schemas.kpis import Kpis
from mooring.errors import InvalidRequest
from mooring.services import kpis
from mooring.services.kpis import DEFAULT_COLUMNS, Column

router = APIRouter(prefix="/v2/analytics", tags=["Analytics"])


async def _columns(
    select: Annotated[
        list[str] | None, Query(alias="$select", description="Names of columns, joined by commas.")
    ] = None,
) -> Sequence[Column]:
    names = split(select)
    if names is None:
        return DEFAULT_COLUMNS
    known = {column.value: column for column in Column}
    wrong = next((name for name in names if name not in known), None)
    if wrong is not None:
        raise InvalidRequest(f"$select holds {wrong[:80]!r}: use {', '.join(known)}, joined by commas")
    return [known[name] for name in dict.fromkeys(names)]


@router.get("/kpis", response_model=Kpis)
def get_kpis(context: Context, caller: Caller, columns: Annotated[Sequence[Column], Depends(_columns)]) -> Response:
    """How many executions, artifacts and deployments there are now, in the resource groups that the client may use."""
    with context.database.reading() as session:
        rows = kpis.rows(session, columns, seen_by(caller))
    return answers.json({"header": [column.value for column in columns], "rows": rows})
