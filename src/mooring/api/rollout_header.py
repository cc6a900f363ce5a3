"""The header by which a client asks that a change be watched, and taken back if it fails.

A header, because bodies belong to the AI API: other servers of that API do not see it, and clients of it need not know.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Header, Request

from mooring.domain.rollouts import Rollout
from mooring.errors import InvalidRequest

NAME = "Mooring-Rollout"
_EXAMPLE = "return; window=60; max-error-rate=0.05; min-requests=20"
_PATTERN = "^return(; window=[0-9]{1,4})?(; max-error-rate=0[.][0-9]{1,5})?(; min-requests=[1-9][0-9]{0,6})?$"
"""For the documentation: how it is written best. What is told of another one says more than a pattern would."""
_PARAMETERS: Mapping[str, Callable[[str], object]] = {
    "window": lambda text: timedelta(seconds=float(text)),
    "max-error-rate": float,
    "min-requests": int,
}
_NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?(e[+-]?[0-9]+)?", re.ASCII)


async def _rollout(
    request: Request,
    header: Annotated[
        str | None,
        Header(
            alias=NAME,
            max_length=200,
            json_schema_extra={"pattern": _PATTERN},
            description="`return`: if the new configuration fails before it serves, or within `window` seconds after, "
            f"the one that served before is taken again. For example `{_EXAMPLE}`.",
        ),
    ] = None,
) -> Rollout | None:
    if len(request.headers.getlist(NAME)) > 1:
        raise _wrong("it was sent more than once")
    return None if header is None else parse(header)


WantedRollout = Annotated[Rollout | None, Depends(_rollout)]


def parse(header: str) -> Rollout:
    """Raises InvalidRequest."""
    word, *parameters = (part.strip() for part in header.split(";"))
    if word.lower() != "return":
        raise _wrong(f"{word[:40]!r} is nothing that can be asked for")
    try:
        return Rollout(**dict(_values(parameters)))  # type: ignore[arg-type]  # by name, each with its own type
    except (ValueError, OverflowError) as error:
        raise _wrong(str(error)) from None


def _values(parameters: list[str]) -> Iterator[tuple[str, object]]:
    seen: set[str] = set()
    for parameter in parameters:
        name, text = (part.strip() for part in parameter.partition("=")[::2])
        read = _PARAMETERS.get(name.lower())
        if read is None or name.lower() in seen:
            twice = "stands there twice" if read else f"is none of {', '.join(_PARAMETERS)}"
            raise ValueError(f"{name[:40]!r} {twice}")
        if _NUMBER.fullmatch(text) is None:
            raise ValueError(f"{name} is {text[:40]!r}, which is no number")
        seen.add(name.lower())
        yield name.lower().replace("-", "_"), read(text)


def _wrong(why: str) -> InvalidRequest:
    return InvalidRequest(f"the header {NAME}: {why}. Give it like `{_EXAMPLE}`, or leave it out")
