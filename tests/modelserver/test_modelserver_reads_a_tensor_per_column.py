"""A table that comes as one tensor per column is the same table, whichever way it is put together."""

import numpy as np
import pytest

from mooring.modelserver.columnar.layout import layout_of
from mooring.modelserver.protocols.array_rows import rows_of
from mooring.modelserver.protocols.tensors import Array
from mooring.modelserver.schema import Signature

_SIGNATURE = Signature.parse(
    {"inputs": '[{"type": "double", "name": "a"}, {"type": "double", "name": "b"}, {"type": "double", "name": "c"}]'}
)
_LAYOUT = layout_of(_SIGNATURE)
_WANTED = np.arange(12.0).reshape(4, 3)


def _columns(*shape: int) -> dict[str, Array]:
    return {name: np.ascontiguousarray(_WANTED[:, at]).reshape(shape) for at, name in enumerate("abc")}


_NARROW = {name: column.astype(np.float32) for name, column in _columns(4).items()}


@pytest.mark.parametrize(
    "arrays",
    [
        _columns(4), _columns(4, 1), dict(reversed(_columns(4, 1).items())), {**_columns(4), "a": _columns(4, 1)["a"]},
        {**_columns(4), "more": np.ones(7)}, {**_columns(4), "b": _columns(4)["b"].astype(np.int64)}, _NARROW,
        {"table": _WANTED},
    ],
)  # fmt: skip
def test_all_forms_make_the_same_rows(arrays: dict[str, Array]) -> None:
    rows = rows_of(arrays, _LAYOUT, _SIGNATURE)
    assert rows is not None
    assert rows.count == 4
    (matrix,) = rows.arrays
    assert matrix.dtype == np.float64
    assert matrix.flags.c_contiguous
    assert np.array_equal(matrix, _WANTED)


@pytest.mark.parametrize(
    "arrays",
    [
        {"a": np.ones(4), "b": np.ones(4)}, {**_columns(4), "c": np.ones(3)}, {name: np.ones(0) for name in "abc"},
        {name: np.ones((2, 2)) for name in "abc"}, {name: np.ones((4, 1, 1)) for name in "abc"},
        {name: np.array(1.0) for name in "abc"}, {name: np.ones(4, bool) for name in "abc"}, {},
    ],
)  # fmt: skip
def test_what_is_no_such_table_is_left_to_the_general_way(arrays: dict[str, Array]) -> None:
    assert rows_of(arrays, _LAYOUT, _SIGNATURE) is None
