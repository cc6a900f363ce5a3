"""Float64 arrays, as a request has them, to the rows of a layout."""

from collections.abc import Sequence

import numpy as np

from mooring.modelserver.columnar.numbers import cast_exactly
from mooring.modelserver.rows import Array, Layout, Rows, Shape


class Assembly:
    """Compiled for one layout of numbers. What it makes is None where a value does not fit its column."""

    def __init__(self, layout: Layout) -> None:
        self._dtypes = layout.dtypes
        self._is_one_array = len(layout.dtypes) == 1 or layout.shape is Shape.MATRIX
        self._is_table = layout.shape is not Shape.TENSORS
        self._blocks = [
            (dtype, [at for at, other in enumerate(layout.dtypes) if other == dtype])
            for dtype in dict.fromkeys(layout.dtypes)
        ]

    def whole(self, values: Array) -> Rows | None:
        """From the only array that there is: a table of (rows, columns), or the one tensor."""
        if self._is_one_array:
            cast = cast_exactly(values, self._dtypes[0])
            return None if cast is None else Rows((cast,), len(cast))
        columns = [values[:, 0]] * len(self._dtypes)
        for dtype, places in self._blocks:
            block = cast_exactly(values[:, places], dtype)
            if block is None:
                return None
            for at, place in enumerate(places):
                columns[place] = block[:, at]
        return Rows(tuple(columns), len(values))

    def parts(self, parts: Sequence[Array]) -> Rows | None:
        """From one array per column or tensor, in the layout's order. They must have the same number of rows."""
        count = len(parts[0])
        if any(len(part) != count for part in parts):
            return None
        if self._is_table:
            return self.whole(np.ascontiguousarray(np.array(parts).T))
        arrays = [cast_exactly(part, dtype) for part, dtype in zip(parts, self._dtypes, strict=True)]
        known = tuple(array for array in arrays if array is not None)
        return Rows(known, count) if len(known) == len(arrays) else None
