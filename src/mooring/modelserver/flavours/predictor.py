"""What every flavour's predictor is: rows in, predictions out."""

from typing import Protocol

from mooring.modelserver.rows import Rows


class Predictor(Protocol):
    """Asks a model for the predictions of typed rows. Thread-safe as far as the model itself is.

    What it returns is what `pyfunc.predict` returns for the same rows: an array, a series or a frame whose first
    dimension is the rows, unless `are_rows_independent` is false, when it may be anything.
    """

    @property
    def are_rows_independent(self) -> bool:
        """Whether rows of several requests may be predicted at once, and the answer be cut apart again."""

    @property
    def name(self) -> str:
        """For logs and metrics: `sklearn`, `pyfunc`, `onnx`, …"""

    def predict(self, rows: Rows) -> object:
        """Blocks. Raises whatever the model's library raises."""
