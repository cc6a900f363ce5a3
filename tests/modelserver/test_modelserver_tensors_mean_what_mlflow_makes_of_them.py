"""The columnar way of tensors hands the model the very values and types that the general way, MLflow's own, makes."""

import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from mlflow.models import ModelSignature
from mlflow.types.schema import ColSpec, Schema, TensorSpec

from mooring.modelserver import rules
from mooring.modelserver.columnar.layout import layout_of
from mooring.modelserver.inference import Form, Inference
from mooring.modelserver.protocols.array_rows import rows_of
from mooring.modelserver.protocols.fitting import fitted
from mooring.modelserver.rows import Rows, Shape
from mooring.modelserver.schema import Signature

if TYPE_CHECKING:
    import pandas as pd

Array = np.ndarray[Any, np.dtype[Any]]
TYPES = ["double", "float", "long", "integer", "boolean", "string"]
DTYPES = ["f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "?", "O"]
FITTING = {"double": "fiu", "float": "fiu", "long": "iu", "integer": "iu", "boolean": "b", "string": "O"}


def _described(schema: Schema) -> Signature:
    return Signature.parse(ModelSignature(inputs=schema).to_dict())


def _values(chance: random.Random, dtype: "np.dtype[Any]", count: int) -> Array:
    if dtype.kind == "O":
        return np.array([chance.choice(["a", "", "Häfen", "1", "nan"]) for _ in range(count)], dtype=object)
    if dtype.kind == "b":
        return np.array([chance.random() < 0.5 for _ in range(count)])
    if dtype.kind == "f":
        special = [0.0, -0.0, 0.1, 1e-30, float("nan"), float("inf"), 16777217.0, chance.gauss(0, 1e4)]
        with np.errstate(over="ignore"):
            return np.array([chance.choice(special) for _ in range(count)]).astype(dtype)
    limits = np.iinfo(dtype)
    whole = [0, 1, limits.min, limits.max, chance.randrange(limits.min, limits.max), 7]
    return np.array([chance.choice(whole) for _ in range(count)], dtype=dtype)


def _generally(arrays: dict[str, Array], schema: Schema, signature: Signature) -> Any:
    inference = Inference(Form.ARRAYS, fitted(dict(arrays), signature))
    return rules.enforce(rules.convert(inference, schema), schema)


def _columns(rows: Rows, shape: Shape) -> list[Array]:
    return list(rows.arrays[0].T) if shape is Shape.MATRIX else list(rows.arrays)


def _same(ours: Array, theirs: "pd.Series[Any]") -> bool:
    if ours.dtype.kind == "O":
        return bool(ours.tolist() == theirs.tolist())
    expected = theirs.to_numpy()
    return bool(ours.dtype == expected.dtype) and ours.tobytes() == expected.tobytes()


@pytest.mark.parametrize("is_one_type", [True, False])
def test_tables(is_one_type: bool) -> None:
    chance, taken = random.Random(6), 0
    for _ in range(250):
        types = [chance.choice(TYPES)] * 3 if is_one_type else [chance.choice(TYPES) for _ in range(3)]
        schema = Schema([ColSpec(kind, name) for kind, name in zip(types, "abc", strict=True)])
        signature, count = _described(schema), chance.randrange(1, 5)
        layout = layout_of(signature)
        likely = [[d for d in DTYPES if np.dtype(d).kind in FITTING[kind]] for kind in types]
        dtypes = [np.dtype(chance.choice(some if chance.random() < 0.9 else DTYPES)) for some in likely]
        arrays = {n: _values(chance, d, count) for n, d in zip("abc", dtypes, strict=True)}
        rows = rows_of(arrays, layout, signature)
        if rows is None or layout is None:
            continue
        taken += 1
        frame = _generally(arrays, schema, signature)
        assert rows.count == len(frame)
        for name, ours in zip("abc", _columns(rows, layout.shape), strict=True):
            assert _same(ours, frame[name]), (types, arrays, name)
    assert taken > 80


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "i4", "i2", "u1", "?"])
def test_a_matrix_is_its_columns(dtype: str) -> None:
    chance = random.Random(6)
    for kind in TYPES[:5]:
        schema = Schema([ColSpec(kind, name) for name in "ab"])
        signature = _described(schema)
        layout = layout_of(signature)
        matrix = _values(chance, np.dtype(dtype), 8).reshape(4, 2)
        rows = rows_of({"whole": matrix}, layout, signature)
        if rows is None or layout is None:
            assert np.dtype(dtype).kind not in FITTING[kind] or kind in ("integer", "long")
            continue
        frame = _generally({"whole": matrix}, schema, signature)
        for name, ours in zip("ab", _columns(rows, layout.shape), strict=True):
            assert _same(ours, frame[name]), (kind, matrix)


def test_tensors() -> None:
    chance, taken = random.Random(6), 0
    for _ in range(200):
        wanted, given = (np.dtype(chance.choice(["f4", "f8", "i8", "u1"])) for _ in range(2))
        given = wanted if chance.random() < 0.7 else given
        schema = Schema([TensorSpec(wanted, (-1, 2), "a"), TensorSpec(wanted, (-1,), "b")])
        signature, count = _described(schema), chance.randrange(1, 4)
        width = chance.choice((2, 2, 2, 3))
        arrays = {
            "a": _values(chance, given, count * width).reshape(count, width),
            "b": _values(chance, wanted, count),
        }
        rows = rows_of(arrays, layout_of(signature), signature)
        if rows is None:
            continue
        taken += 1
        theirs = _generally(arrays, schema, signature)
        for name, ours in zip("ab", rows.arrays, strict=True):
            assert ours.dtype == theirs[name].dtype
            assert ours.tobytes() == theirs[name].tobytes()
    assert taken > 50


def test_what_the_general_way_decides() -> None:
    signature = _described(Schema([ColSpec("double", "a"), ColSpec("double", "b", required=False)]))
    layout, column = layout_of(signature), np.ones(2)
    assert rows_of({"a": column, "b": column}, layout, signature) is not None
    assert rows_of({"a": column}, layout, signature) is None
    assert rows_of({"b": column}, layout, signature) is None
    assert rows_of({"a": column, "b": np.ones(3)}, layout, signature) is None
    assert rows_of({"a": column, "b": np.array(["x", "y"], dtype=object)}, layout, signature) is None
    assert rows_of({"a": np.ones(0), "b": np.ones(0)}, layout, signature) is None
    assert rows_of({"a": column, "b": column}, None, signature) is None
