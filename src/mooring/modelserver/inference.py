"""What a protocol hands to the data plane: input in one of a few forms, not yet checked against the signature."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol


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
    """One decoded request, and how its protocol writes the answer."""

    @property
    def inference(self) -> Inference:
        """What is asked of the model."""

    def encode(self, prediction: object) -> bytes:
        """The body of the answer, from whatever the model returned."""
