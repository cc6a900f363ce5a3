"""Moments that clients give."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

_FORM = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d.*", re.ASCII)


def _in_utc(moment: datetime) -> datetime:
    """Clients that leave the zone out mean UTC."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie between the years 1 and 9999, in UTC") from None


def _as_text(given: object) -> object:
    """Numbers, which pydantic would take for seconds since 1970, are not meant."""
    if isinstance(given, datetime) or (isinstance(given, str) and _FORM.fullmatch(given)):
        return given
    raise ValueError("must be a moment as in 2026-01-31T12:00:00Z")


def _in_whole_seconds(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)


Moment = Annotated[datetime, BeforeValidator(_as_text), AfterValidator(_in_utc)]
"""RFC 3339, in UTC."""
WholeSecond = Annotated[Moment, AfterValidator(_in_whole_seconds)]
"""RFC 3339, in UTC, without its fractions."""
