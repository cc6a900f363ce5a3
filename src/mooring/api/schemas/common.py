"""What many shapes share."""

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, JsonValue, StringConstraints
from pydantic.alias_generators import to_camel

ID_PATTERN = r"^[A-Za-z0-9_.-]{4,64}$"
NULLABLE: dict[str, JsonValue] = {"x-nullable": True}
"""For `json_schema_extra`: an optional field of an answer that can be null. All others are left out instead."""
_NAME_PATTERN = r"""^[\w\s.!?,;:\[\](){}<>"'=+*/\\^&%@~$#|-]*$"""
_LABEL_KEY_PATTERN = r"^ext\.ai\.sap\.com/[A-Za-z0-9_.-]+$"


class Shape(BaseModel):
    """Field names are camelCase outside; fields that we do not know are tolerated."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="ignore")


def _without_nul(text: str) -> str:
    if "\0" in text:  # PostgreSQL cannot keep it, and nobody means it
        raise ValueError("must not contain the character NUL")
    return text


Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
Name = Annotated[str, StringConstraints(max_length=256, pattern=_NAME_PATTERN)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=256), AfterValidator(_without_nul)]
Text = Annotated[str, StringConstraints(max_length=5000), AfterValidator(_without_nul)]
Url = Annotated[str, StringConstraints(max_length=1024, pattern=r"^[a-z0-9-]+://.+$"), AfterValidator(_without_nul)]
LabelKey = Annotated[str, StringConstraints(max_length=256, pattern=_LABEL_KEY_PATTERN)]


class Label(Shape):
    """A label; its key begins with `ext.ai.sap.com/`."""

    key: LabelKey
    value: Text


class KeyValue(Shape):
    """A label as it is answered."""

    key: str
    value: str


class Done(Shape):
    """The answer to a change that was accepted."""

    id: str
    message: str


class Deletion(Done):
    """The answer to a deletion that was accepted."""

    target_status: str


class Error(Shape):
    """What went wrong."""

    code: str
    message: str
    request_id: str
    target: str
    details: dict[str, Any]


class ErrorEnvelope(Shape):
    """Every answer with a status of 400 or more."""

    error: Error


class Finding(Shape):
    """One thing that is wrong."""

    code: str
    message: str


class ListingError(Shape):
    """What went wrong, thing by thing."""

    code: str
    message: str
    request_id: str
    target: str
    details: list[Finding]


class ListingErrorEnvelope(Shape):
    """Every answer with a status of 400 or more, on metrics and dataset files."""

    error: ListingError
