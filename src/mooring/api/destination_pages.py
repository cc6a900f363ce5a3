"""Pages of destinations: asked for by number, told about in headers."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Query
from starlette.datastructures import URL

_USUAL, _MOST = 100, 1000
_HIGHEST = 2**31 - 1


@dataclass(frozen=True)
class DestinationPage:
    """`number` counts from 1; None asks for all. What the answer's headers tell, was asked for."""

    number: int | None
    page_size: int
    with_pages: bool
    with_total: bool

    @property
    def size(self) -> int | None:
        """The most that is answered; None for all."""
        return None if self.number is None else self.page_size

    @property
    def skip(self) -> int:
        return 0 if self.number is None else (self.number - 1) * self.page_size

    def headers(self, url: URL, total: int) -> dict[str, str]:
        """`Page-Count` and `Entity-Count` where asked for, `Link` to the pages around this one."""
        pages = 1 if self.number is None else max(1, -(-total // self.page_size))
        found = {}
        if self.with_pages:
            found["Page-Count"] = str(pages)
        if self.with_total:
            found["Entity-Count"] = str(total)
        if self.number is not None:
            links = {"first": 1, "prev": self.number - 1, "next": self.number + 1, "last": pages}
            found["Link"] = ", ".join(
                f'<{_at(url, number)}>; rel="{rel}"' for rel, number in links.items() if 1 <= number <= pages
            )
        return found


def _at(url: URL, number: int) -> str:
    """The same request for another page, as a reference that is right behind any proxy."""
    other = url.remove_query_params("$page").include_query_params(**{"$page": number})
    return f"{other.path}?{other.query}"


async def _page(
    number: Annotated[int | None, Query(alias="$page", ge=1, le=_HIGHEST)] = None,
    page_size: Annotated[int, Query(alias="$pageSize", ge=1, le=_MOST)] = _USUAL,
    with_pages: Annotated[bool, Query(alias="$pageCount")] = False,
    with_total: Annotated[bool, Query(alias="$entityCount")] = False,
) -> DestinationPage:
    return DestinationPage(number, page_size, with_pages, with_total)


PageOfDestinations = Annotated[DestinationPage, Depends(_page)]
