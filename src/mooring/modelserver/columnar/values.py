"""Tables and tensors of any type, from parsed JSON: for many numbers slower than reading those alone."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import orjson

from mooring.modelserver.columnar.columns import Source, Values, converter, numbers_reader
from mooring.modelserver.columnar.headings import Order, headings_of
from mooring.modelserver.columnar.numbers import has_shape
from mooring.modelserver.rows import Array, Layout, Rows, Shape
from mooring.modelserver.schema import Signature

_UNLIKE_MLFLOW = (KeyError, TypeError, ValueError, OverflowError)
_SPLIT = frozenset({"columns", "data", "index"})
_SCALARS = {int, float, bool, str, type(None)}


class ValueDecoder:
    """For every layout."""

    def __init__(self, layout: Layout, signature: Signature, *, are_names_optional: bool = False) -> None:
        self._layout = layout
        self._names = [str(name) for name in layout.names]
        self._is_named = signature.is_named
        self._is_tensor = signature.is_tensor
        self._is_matrix = layout.shape is Shape.MATRIX
        self._headings = headings_of(layout, signature.inputs or ())
        self._shapes = [field.shape for field in signature.inputs or ()]
        self._converters = [] if self._is_tensor else [converter(dtype) for dtype in layout.dtypes]
        if self._is_matrix:
            self._read_matrix = numbers_reader(layout.dtypes[0], 2)
        if self._is_tensor:
            ranks = [len(field.shape) for field in signature.inputs or ()]
            self._read_tensors = list(map(numbers_reader, layout.dtypes, ranks))
        self._takes_plain_rows = are_names_optional and signature.is_named and not signature.is_tensor
        self._forms: Mapping[str, Callable[[Any], Rows | None]] = {
            "dataframe_split": self._split,
            "dataframe_records": self._records,
            "inputs": lambda data: self._arrays(data, Source.SCALARS),
            "instances": lambda data: self._arrays(data, Source.ARRAYS),
            "data": self._plain,
        }

    def decode(self, body: bytes) -> Rows | None:
        """None for all that is not known to reach the model with these values."""
        try:
            return self._read(orjson.loads(body))
        except _UNLIKE_MLFLOW:
            return None

    def _read(self, document: Any) -> Rows | None:
        if type(document) is not dict or (len(document) > 1 and document.pop("params", None) not in (None, {})):
            return None
        if len(document) == 1:
            ((key, value),) = document.items()
            form = self._forms.get(key)
            return form(value) if form else None
        return self._split(document) if document.keys() == {"columns", "data"} else None

    def _split(self, split: dict[str, Any]) -> Rows | None:
        if self._headings is None or not _SPLIT.issuperset(split):
            return None
        rows = self._table(split["data"], self._headings.order(split.get("columns")))
        index = split.get("index")
        if rows is None or index is None:
            return rows
        return rows if set(map(type, index)) == {int} and index == list(range(rows.count)) else None

    def _plain(self, data: Any) -> Rows | None:
        """Rows alone; each is a list."""
        if set(map(type, data)) != {list}:
            return None
        if self._is_tensor or self._headings is None:
            return self._arrays(data, Source.ARRAYS)
        return self._table(data, self._headings.order(self._headings.own))

    def _table(self, data: Any, order: Order | None) -> Rows | None:
        if order is None:
            return None
        if self._is_matrix:
            return self._matrix(data, order)
        if self._is_tensor or set(map(type, data)) != {list}:
            return None
        columns = list(zip(*data, strict=True))
        if len(columns) != order.width:
            return None
        return self._rows(columns if order.places is None else [columns[at] for at in order.places], Source.FRAME)

    def _matrix(self, data: Sequence[Values], order: Order) -> Rows | None:
        matrix = self._read_matrix(data)
        if matrix is None or matrix.shape[1] != order.width:
            return None
        return Rows((matrix if order.places is None else np.take(matrix, order.places, axis=1),), len(matrix))

    def _records(self, records: Any) -> Rows | None:
        """Extra columns may hold anything, and are dropped."""
        if self._is_tensor or not self._is_named or set(map(type, records)) != {dict}:
            return None
        return self._rows(self._by_column(records), Source.FRAME)

    def _arrays(self, data: Any, of_objects: Source) -> Rows | None:
        """`inputs` and `instances`, which differ in what becomes of one object per row."""
        if isinstance(data, dict):
            return self._object(data) if self._is_named else None
        types = set(map(type, data))
        if types == {list} and self._takes_plain_rows:
            return self._plain(data)
        if types == {dict} and self._is_named:
            has_extra = any(len(row) != len(self._names) for row in data)
            return None if has_extra else self._rows(self._by_column(data), of_objects)
        if types == {list} and self._is_matrix and not self._is_named:
            return self._table(data, Order(None, len(self._names)))
        if len(self._names) > 1 or not isinstance(data, list):
            return None
        if self._is_tensor:
            tensor = self._tensor(0, data)
            return None if tensor is None else Rows((tensor,), len(tensor))
        return self._rows([data], Source.ARRAYS) if list not in types else None

    def _object(self, columns: dict[str, Any]) -> Rows | None:
        values = [columns[name] for name in self._names]
        extra = [column for name, column in columns.items() if name not in self._names]
        if any(type(value) is not list or len(value) != len(values[0]) for value in values + extra):
            return None
        # Of anything but scalars NumPy may fail to make an array, and MLflow tries, before it drops the column.
        is_harmless = _SCALARS.issuperset(map(type, chain.from_iterable(extra)))
        return self._rows(values, Source.ARRAYS) if is_harmless else None

    def _by_column(self, records: list[dict[str, Any]]) -> list[Values]:
        return [[record[name] for record in records] for name in self._names]

    def _rows(self, values: Sequence[Values], source: Source) -> Rows | None:
        """From one sequence per column or tensor, in the layout's order."""
        count = len(values[0])
        if len(values) != len(self._names) or not count or any(len(value) != count for value in values):
            return None
        made = self._tensors(values) if self._is_tensor else self._columns(values, source)
        arrays = tuple(array for array in made if array is not None)
        if len(arrays) != len(made):
            return None
        return Rows((np.ascontiguousarray(np.array(arrays).T),) if self._is_matrix else arrays, count)

    def _columns(self, values: Sequence[Values], source: Source) -> list[Array | None]:
        return [convert(column, source) for convert, column in zip(self._converters, values, strict=True)]

    def _tensors(self, values: Sequence[Values]) -> list[Array | None]:
        return list(map(self._tensor, range(len(values)), values))

    def _tensor(self, at: int, values: Values) -> Array | None:
        array = self._read_tensors[at](values)
        return array if array is not None and has_shape(array, self._shapes[at]) else None
