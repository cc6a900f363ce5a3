"""What a protocol hands to the data plane: input in one of a few forms, not yet checked against the signature."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from mooring.modelserver.http import Response
from mooring.modelserver.rows import Rows


class Form(Enum):
    """How the input is laid out; the first four are the keys of MLflow's JSON bodies."""

    SPLIT = "dataframe_split"  # {"columns": [...], "index"?: [...], "data": [[row], ...]}
    RECORDS = "dataframe_records"  # [{column: value}, ...]
    INPUTS = "inputs"  # a tensor, {name: tensor}, or records
    INSTANCES = "instances"  # a tensor, or one object per row
    CSV = "text/csv"  # str, the first line has the column names
    PARQUET = "application/vnd.apache.parquet"  # bytes
    ARRAYS = "arrays"  # {name: numpy array}, types already checked by the protocol
    PLAIN = "plain"  # handed to the model as it is


@dataclass(frozen=True, slots=True)
class Inference:
    """One request for predictions. `params` are the caller's, unchecked (MLflow ignores what it does not know)."""

    form: Form
    data: object
    params: Mapping[str, object] | None = None


class Call(Protocol):
    """One request on the general way, and how its protocol writes the answer."""

    @property
    def inference(self) -> Inference:
        """What is asked of the model."""

    @property
    def encode(self) -> Callable[[Any], bytes | Response]:
        """The answer, or only its body, from whatever the model returned."""


@dataclass(frozen=True, slots=True)
class Columnar:
    """One request on the columnar way, and how its protocol writes the answer."""

    rows: Rows
    encode: Callable[[Any], bytes | Response]
    """From the predictions of these rows, in the container that the model answers in."""


class Reader(Protocol):
    """How one protocol reads one kind of body."""

    def columnar(self, body: bytes) -> Columnar | None:
        """Never raises: None for whatever is not known to be taken by MLflow with these very values."""

    def call(self, body: bytes) -> Call:
        """Raises InvalidInput and UnsupportedMediaType."""


@dataclass(frozen=True, slots=True)
class General:
    """A reader that knows the general way only."""

    call: Callable[[bytes], Call]

    def columnar(self, _: bytes) -> Columnar | None:
        """Nothing."""
        return None
