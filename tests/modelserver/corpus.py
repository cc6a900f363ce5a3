"""A seeded corpus of signatures and bodies, and what MLflow itself makes of each."""

import json
import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from mlflow.models import ModelSignature
from mlflow.pyfunc import _validate_prediction_input
from mlflow.pyfunc.scoring_server import _decode_json_input, _split_data_and_params, infer_and_parse_data
from mlflow.types.schema import ColSpec, Schema, TensorSpec

from mooring.modelserver.protocols.plain_rows import are_plain_rows, from_plain_rows
from mooring.modelserver.schema import Signature

Generator = random.Random
_FORMS = frozenset({"dataframe_split", "dataframe_records", "inputs", "instances"})


@dataclass(frozen=True)
class Model:
    """One signature, as MLflow has it and as we do."""

    name: str
    schema: Schema

    @property
    def signature(self) -> Signature:
        return Signature.parse(ModelSignature(inputs=self.schema).to_dict())

    @property
    def is_tensor(self) -> bool:
        return bool(self.schema.is_tensor_spec())


def _columns(name: str, *types: str, names: str | list[str] | None = "abcdefghij") -> Model:
    specs = [
        ColSpec(kind.rstrip("?"), None if names is None else names[at], required=not kind.endswith("?"))
        for at, kind in enumerate(types)
    ]
    return Model(name, Schema(specs))


def _tensors(name: str, *specs: tuple[str, tuple[int, ...], str | None]) -> Model:
    return Model(name, Schema([TensorSpec(np.dtype(dtype), shape, tensor) for dtype, shape, tensor in specs]))


_NUMBERS, _OTHERS = ("double", "float", "long", "integer"), ("boolean", "string", "datetime")

MODELS = [
    *(_columns(kind, *[kind] * 3) for kind in _NUMBERS + _OTHERS),
    *(_columns(f"one {kind}", kind) for kind in _NUMBERS + _OTHERS),
    *(_columns(f"unnamed {kind}", *[kind] * 3, names=None) for kind in (*_NUMBERS, "string")),
    *(_columns(f"one unnamed {kind}", kind, names=None) for kind in ("double", "long", "string")),
    _columns("mixed numbers", "double", "long", "float", "integer", "double"),
    _columns("unnamed mixed", "double", "long", "string", names=None),
    _columns("everything", "double", "long", "float", "integer", "boolean", "string", "datetime"),
    _columns("optional", "double", "double?", "string?", "long?"),
    _columns("odd names", "double", "double", "double", "double", names=["a[0]", 'q"', "é\\", "]["]),
    _columns("binary", "double", "binary"),
    _tensors("tensor", ("float64", (-1, 4), None)),
    _tensors("narrow tensor", ("float64", (-1, 1), None)),
    _tensors("flat tensor", ("float64", (-1,), None)),
    _tensors("open tensor", ("float64", (-1, -1), None)),
    _tensors("float32 tensor", ("float32", (-1, 2, 3), None)),
    _tensors("float16 tensor", ("float16", (-1, 2), None)),
    _tensors("int64 tensor", ("int64", (-1, 3), None)),
    _tensors("int32 tensor", ("int32", (-1, 3), None)),
    _tensors("uint8 tensor", ("uint8", (-1, 2, 2), None)),
    _tensors("bool tensor", ("bool", (-1, 2), None)),
    _tensors("fixed tensor", ("float64", (1, 4), None)),
    _tensors("text tensor", ("str", (-1, 2), None)),
    _tensors("named tensor", ("float64", (-1, 2), "a")),
    _tensors("named tensors", ("float32", (-1, 2), "a"), ("int64", (-1,), "b"), ("bool", (-1,), "c")),
    _tensors("named numbers", ("float64", (-1, 2), "a"), ("int64", (-1,), "b")),
]  # fmt: skip

ODD: list[Any] = [
    None, True, False, "", "1.5", "x", "a\0", "\0", 0, 1, -1, -0.0, 0.5, 1.0, 1e16, 1e39, -1e39, 1e308, 70000, 2**31,
    -(2**31) - 1, 2**53, 2**53 + 1, -(2**53) - 1, 2**60 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 10**30, 10**400,
    256, 16777217, 5e-324, 0.1 + 0.2, math.nan, math.inf, [1.0], [[1.0]], [], {}, {"a": 1}, "é",
    "2024-01-01", "2024-01-01T00:00:00", "2024-01-01T00:00:00Z", "1492-01-01", "2300-01-01T00:00:00", "2024-02-30",
    "2024-01-01T00:00:00.123456789",
]  # fmt: skip


def _plain_value(kind: str, rng: Generator) -> Any:
    match kind:
        case "double" | "float" | "float64" | "float32" | "float16":
            return rng.choice([rng.gauss(0, 10), round(rng.random(), 2), float(rng.randrange(100)), rng.randrange(100)])
        case "long" | "int64":
            return rng.choice([rng.randrange(-(2**63), 2**63), rng.randrange(100), -rng.randrange(2**40)])
        case "integer" | "int32":
            return rng.choice([rng.randrange(-(2**31), 2**31), rng.randrange(100)])
        case "uint8":
            return rng.randrange(256)
        case "boolean" | "bool":
            return rng.random() < 0.5
        case "datetime":
            return f"20{rng.randrange(10, 60)}-0{rng.randrange(1, 10)}-1{rng.randrange(10)}T12:00:0{rng.randrange(10)}"
        case _:
            return rng.choice(["", "x", "é\n", "[1]", "a b", '"', "42", "None", "nan"])


def _nested(shape: list[int], value: Callable[[], Any]) -> Any:
    return [_nested(shape[1:], value) for _ in range(shape[0])] if shape else value()


@dataclass(frozen=True)
class Bodies:
    """Bodies for one model; `oddity` is the chance of a strange value, and of one strange thing about the layout."""

    model: Model
    rng: Generator
    oddity: float

    def __iter__(self) -> Iterator[bytes]:
        while True:
            yield self._text(self._body())

    def _is_odd(self) -> bool:
        return self.rng.random() < self.oddity

    def _value(self, kind: str) -> Any:
        return self.rng.choice(ODD) if self.rng.random() < self.oddity / 4 else _plain_value(kind, self.rng)

    def _body(self) -> dict[str, Any]:
        body = self._tensor_body() if self.model.is_tensor else self._table_body()
        if self._is_odd():
            body["params"] = self.rng.choice([{}, None, {"x": 1}, [], 5])
        if self.rng.random() < self.oddity / 8:
            body[self.rng.choice(["unknown", "inputs", "dataframe_records", "data", "columns", "index"])] = [[1]]
        return body

    def _table_body(self) -> dict[str, Any]:
        names, kinds = self._names_and_kinds()
        rows = [[self._value(kind) for kind in kinds] for _ in range(self._height())]
        form = self.rng.choice(["split", "split", "records", "columns", "objects", "rows", "data"])
        if form == "split":
            return {"dataframe_split": self._split(names, rows)}
        if form == "data":
            return {"data": rows} | ({"columns": names} if self._is_odd() else {})
        key = self.rng.choice(["inputs", "instances"])
        if form == "rows":
            return {key: [row[0] for row in rows] if len(kinds) == 1 and self.rng.random() < 0.7 else rows}
        if form == "columns":
            return {key: {name: [row[at] for row in rows] for at, name in enumerate(names)}}
        return {"dataframe_records" if form == "records" else key: [self._record(names, row) for row in rows]}

    def _height(self) -> int:
        return self.rng.choice([1, 1, 2, 3, 7, 0] if self._is_odd() else [1, 1, 2, 3, 7])

    def _names_and_kinds(self) -> tuple[list[str], list[str]]:
        """In another order, with one more, or without one, once in a while."""
        inputs = self.model.schema.inputs
        pairs = [(spec.name or f"c{at}", spec.type.name) for at, spec in enumerate(inputs)]
        if self._is_odd():
            self.rng.shuffle(pairs)
        if self._is_odd():
            pairs.insert(self.rng.randrange(len(pairs) + 1), (self.rng.choice(["extra", "e[", pairs[0][0]]), "double"))
        if len(pairs) > 1 and self.rng.random() < self.oddity / 4:
            pairs.pop(self.rng.randrange(len(pairs)))
        return [name for name, _ in pairs], [kind for _, kind in pairs]

    def _split(self, names: list[str], rows: list[list[Any]]) -> dict[str, Any]:
        is_named = self.model.is_tensor or self.model.schema.has_input_names()
        split: dict[str, Any] = {"columns": names, "data": rows} if is_named != self._is_odd() else {"data": rows}
        if self._is_odd():
            count = len(rows)
            split["index"] = self.rng.choice(
                [list(range(count)), [float(n) for n in range(count)], list(range(1, count + 1)), None, "x", [[0]],
                 [False, True][:count]]
            )  # fmt: skip
        if rows and isinstance(rows[-1], list) and self.rng.random() < self.oddity / 4:
            odd: list[Any] = [rows[-1][:-1], [*rows[-1], 1], [rows[-1]], 5, "abc", {}, None]
            rows[-1] = self.rng.choice(odd)
        return split

    def _record(self, names: list[str], row: list[Any]) -> Any:
        record = dict(zip(names, row, strict=True))
        if self.rng.random() < self.oddity / 8:
            return self.rng.choice([{}, [], 5, {**record, "late": 1}, dict(list(record.items())[1:])])
        return record

    def _tensor_body(self) -> dict[str, Any]:
        height = self._height()
        tensors = {spec.name: self._tensor(spec, height) for spec in self.model.schema.inputs}
        key = self.rng.choice(["inputs", "inputs", "instances", "data"])
        if None in tensors:
            data = tensors[None]
            if self.rng.random() < 0.2 and isinstance(data, list) and data and isinstance(data[0], list):
                return {"dataframe_split": self._split([f"c{at}" for at in range(len(data[0]))], data)}
            return {key: data}
        if self._is_odd():
            tensors["extra"] = self.rng.choice([[1] * height, ["x", 1], [[1], 2], 5])
        if len(tensors) == 1 and self.rng.random() < 0.3:
            return {key: tensors["a"]}
        if key == "instances":
            rows = [{name: _at(tensor, at) for name, tensor in tensors.items()} for at in range(height)]
            return {key: rows}
        return {key: tensors}

    def _tensor(self, spec: TensorSpec, height: int) -> Any:
        shape = [height, *(2 if size < 0 else size for size in spec.shape[1:])]
        if self.rng.random() < self.oddity / 4:
            shape[-1] += 1
        data = _nested(shape, lambda: self._value(spec.type.name))
        if data and data[-1] and isinstance(data[-1], list) and self.rng.random() < self.oddity / 4:
            data[-1] = self.rng.choice([data[-1][:-1], [*data[-1], 1], [data[-1]], [data[-1][0], data[-1]], 5])
        return data

    def _text(self, body: dict[str, Any]) -> bytes:
        text = json.dumps(
            body,
            ensure_ascii=self.rng.random() < 0.5,
            indent=self.rng.choice([None, None, None, 1]),
            separators=self.rng.choice([(",", ":"), None]),
        )
        if self.rng.random() < self.oddity / 8:
            text = text[:-1] + ", " + text[1:]
        return text.encode("utf-8", "surrogatepass")


def _at(tensor: Any, row: int) -> Any:
    return tensor[row] if isinstance(tensor, list) and row < len(tensor) else tensor


class Refused(Exception):
    """MLflow does not take this body."""


def as_mlflow_has_it(body: bytes, model: Model) -> Any:
    """What reaches the model behind MLflow's scoring server. Raises Refused."""
    try:
        data, params = _split_data_and_params(_without_plain_rows(body, model))
        parsed = infer_and_parse_data(data, model.schema)
        return _validate_prediction_input(parsed, params, model.schema, None)[0]
    except Exception as error:
        raise Refused(str(error)) from error


def _without_plain_rows(body: bytes, model: Model) -> dict[str, Any]:
    """`{"data": …}`, which MLflow does not know, in the form for which it stands."""
    document: dict[str, Any] = _decode_json_input(body)
    if _FORMS.isdisjoint(document) and are_plain_rows(document):
        inference = from_plain_rows(document, model.signature)
        return {inference.form.value: inference.data, "params": inference.params}
    return document


def difference(ours: Any, theirs: Any) -> str | None:
    """None when both are of one type and hold the same values, NaN and the sign of zero included."""
    if type(ours) is not type(theirs):
        return f"{type(ours)} is not {type(theirs)}"
    if isinstance(ours, dict):
        if list(ours) != list(theirs):
            return f"{list(ours)} is not {list(theirs)}"
        return next(filter(None, (difference(ours[name], theirs[name]) for name in ours)), None)
    if isinstance(ours, pd.DataFrame):
        return _frame_difference(ours, theirs)
    return _array_difference(ours, theirs)


def _frame_difference(ours: pd.DataFrame, theirs: pd.DataFrame) -> str | None:
    if list(ours.columns) != list(theirs.columns) or list(ours.index) != list(theirs.index):
        return f"{ours!r}: other labels than {theirs!r}"
    for at, name in enumerate(ours.columns):
        mine, reference = ours.iloc[:, at], theirs.iloc[:, at]
        if mine.dtype != reference.dtype:
            return f"column {name}: {mine.dtype} is not {reference.dtype}"
        if found := _array_difference(mine.to_numpy(), reference.to_numpy()):
            return f"column {name}: {found}"
    return None


def _array_difference(ours: Any, theirs: Any) -> str | None:
    if ours.dtype != theirs.dtype or ours.shape != theirs.shape:
        return f"{ours.dtype}{ours.shape} is not {theirs.dtype}{theirs.shape}"
    if ours.dtype == object:
        is_same = [_canonical(v) for v in ours.ravel()] == [_canonical(v) for v in theirs.ravel()]
    else:
        is_same = np.ascontiguousarray(ours).tobytes() == np.ascontiguousarray(theirs).tobytes()
    return None if is_same else f"{ours!r} is not {theirs!r}"


def _canonical(value: Any) -> tuple[type, str]:
    return type(value), repr(value)
