"""Which log lines a request asks for."""

from datetime import timedelta
from typing import Annotated, Literal

from fastapi import Depends, Query

from mooring.api.schemas.moments import Moment
from mooring.services import logs
from mooring.store.types import utc_now

_DEFAULT_SPAN = timedelta(hours=1)


async def _window(
    start: Annotated[Moment | None, Query(description="RFC 3339; one hour ago when absent.")] = None,
    end: Annotated[Moment | None, Query(description="RFC 3339; now when absent.")] = None,
    top: Annotated[int, Query(alias="$top", ge=1, le=5000)] = 1000,
    order: Annotated[Literal["asc", "desc"], Query(alias="$order")] = "asc",
) -> logs.Window:
    now = utc_now()
    return logs.Window(start or now - _DEFAULT_SPAN, end or now, top, newest_first=order == "desc")


LogWindow = Annotated[logs.Window, Depends(_window)]
