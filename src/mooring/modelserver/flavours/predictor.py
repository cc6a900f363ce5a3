"""What every flavour's predictor is: rows in, predictions out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from mooring.modelserver.rows import Rows

Ask = Callable[[Rows], object]
"""Blocks. Raises whatever the model's library raises."""


class Predictor(Protocol):
    """Asks a model for the predictions of typed rows. Thread-safe as far as the model itself is.

    What it returns is what `pyfunc.predict` returns for the same rows. When `are_rows_independent`, its first dimension
    is the rows, and `cutting.part` gives each request its own.
    """

    @property
    def are_rows_independent(self) -> bool:
        """Whether rows of several requests may be predicted at once, and the answer be cut apart again."""

    @property
    def name(self) -> str:
        """For logs and metrics: `sklearn`, `pyfunc`, `onnx`, …"""

    def predict(self, rows: Rows) -> object:
        """Blocks. Raises whatever the model's library raises."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One way to ask a model, not yet compared with pyfunc's."""

    name: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class Chosen:
    """The `Predictor` of a model that is served."""

    name: str
    predict: Ask
    are_rows_independent: bool
