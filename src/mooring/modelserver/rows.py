"""The typed input of one request, or of a batch of them: what decoders make and predictors take.

There are two ways through the model server. The *columnar* way: a decoder compiled from the signature makes `Rows`,
rows of several requests become one batch, and a predictor of the model's flavour is asked. A decoder takes only what
MLflow is known to take with these very values; whatever else comes in goes the *general* way (`rules`), where MLflow's
own functions decide, one request at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


class Shape(Enum):
    """How `Rows.arrays` is to be read."""

    MATRIX = "matrix"  # a table whose columns all have one type: one array of (rows, columns), C-contiguous
    COLUMNS = "columns"  # a table: one array of (rows,) per column of the signature, in its order
    TENSORS = "tensors"  # one array of (rows, …) per tensor of the signature, in its order


@dataclass(frozen=True)
class Layout:
    """What the rows of one model look like: compiled once from its signature."""

    shape: Shape
    names: tuple[str | None, ...]
    """Of columns or tensors, in the signature's order; None where they have none."""
    dtypes: tuple[np.dtype[Any], ...]
    """As MLflow's enforcement hands them to the model: float64 for `double`, object for `string`, …"""


@dataclass(frozen=True, slots=True)
class Rows:
    """`count` rows under a model's layout. Nobody writes into the arrays."""

    arrays: tuple[Array, ...]
    count: int

    def part(self, start: int, stop: int) -> "Rows":
        """Some of the rows, without a copy."""
        return Rows(tuple(array[start:stop] for array in self.arrays), stop - start)

    @staticmethod
    def together(parts: Sequence["Rows"]) -> "Rows":
        """One batch, in order. All are of one layout."""
        if len(parts) == 1:
            return parts[0]
        columns = zip(*(part.arrays for part in parts), strict=True)
        return Rows(tuple(np.concatenate(arrays) for arrays in columns), sum(part.count for part in parts))
