"""What is tracked for executions."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, StringConstraints

from mooring.api.schemas.common import Done, Id, Key, Shape

_MOST_METRICS = 1000
_MOST_LABELS = 20
_MOST_TEXTS = 100
_HIGHEST_STEP = 2**31 - 1


def _text_only(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("must be a text such as 2024-05-01T10:00:00Z")
    return value


def _in_utc(moment: datetime) -> datetime:
    """A moment without a zone is one of UTC: that is how the SDK means it."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("must lie between the years 1 and 9999 in UTC") from None


Moment = Annotated[datetime, BeforeValidator(_text_only), AfterValidator(_in_utc)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Step = Annotated[int, Field(ge=0, le=_HIGHEST_STEP)]
LongText = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]


class NameValue(Shape):
    """A tag, or the label of a metric."""

    name: Key
    value: Key


class CustomInfo(Shape):
    """More about an execution, often JSON in a text; all of one execution together have at most 5,000,000 bytes."""

    name: Key
    value: LongText


class NewMetric(Shape):
    """A measured value. The time is that of the call when it is absent or null."""

    name: Key
    value: Number
    timestamp: Moment | None = None
    step: Step | None = None
    labels: Annotated[list[NameValue], Field(max_length=_MOST_LABELS)] | None = None


class MetricsModify(Shape):
    """Metrics that are appended, tags and custom info that are added or replaced by name."""

    execution_id: Id
    metrics: Annotated[list[NewMetric], Field(max_length=_MOST_METRICS)] | None = None
    tags: Annotated[list[NameValue], Field(max_length=_MOST_TEXTS)] | None = None
    custom_info: Annotated[list[CustomInfo], Field(max_length=_MOST_TEXTS)] | None = None


class Metric(Shape):
    """A measured value."""

    name: str
    value: float
    timestamp: AwareDatetime
    step: int
    labels: list[NameValue]


class MetricResource(Shape):
    """What was tracked for one execution; with `$select`, only what was asked for."""

    execution_id: str
    created_at: AwareDatetime
    modified_at: AwareDatetime
    metrics: list[Metric] = Field(default_factory=list)
    tags: list[NameValue] = Field(default_factory=list)
    custom_info: list[CustomInfo] = Field(default_factory=list)


class MetricResourceList(Shape):
    """A page of executions and what was tracked for them."""

    count: int
    resources: list[MetricResource]


class MetricsDeleted(Done):
    """The answer to a deletion."""
