"""Lists below `/v2/admin`: with `$count=true`, `count` is the number of all items and not that of the answer's."""

from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from mooring.api import answers

WithTotal = Annotated[bool, Query(alias="$count")]


def admin_list(items: Iterable[Mapping[str, Any]], *, with_total: bool, total: Callable[[], int]) -> Response:
    """`{"count", "resources"}`; `total` is asked only when it is wanted."""
    resources = list(items)
    return answers.json({"count": total() if with_total else len(resources), "resources": resources})
