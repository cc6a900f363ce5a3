"""How each peer wants to be asked: the path, the headers, an array as a body, and the numbers in its answer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import orjson

from bench.serving.models import Array

_JSON = {"Content-Type": "application/json"}
_BYTES = {"Content-Type": "application/octet-stream"}
_DATATYPES = {"float64": "FP64", "float32": "FP32"}


@dataclass(frozen=True)
class Body:
    """One way to ask. `headers` may depend on the length of a binary body's JSON part, so they come with a sample."""

    path: str
    encode: Callable[[Array], bytes]
    decode: Callable[[bytes], Any]
    headers: Callable[[Array], Mapping[str, str]] = field(default=lambda _: _JSON)
    path_of_many: str | None = None
    """Another path on more than one connection, where a server has batches on some paths only."""

    def path_for(self, connections: int) -> str:
        """Where so many connections ask."""
        return self.path if connections == 1 else self.path_of_many or self.path


def _dumps(document: object) -> bytes:
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY)


def _predictions(answer: bytes) -> Any:
    return orjson.loads(answer)["predictions"]


def _first_output(answer: bytes) -> Any:
    return orjson.loads(answer)["outputs"][0]["data"]


def _columns(table: Array) -> list[str]:
    return [f"f{number}" for number in range(table.shape[1])]


def _tensor(name: str, array: Array) -> dict[str, object]:
    return {"name": name, "shape": list(array.shape), "datatype": _DATATYPES[str(array.dtype)]}


def _columns_as_tensors(table: Array) -> bytes:
    """A frame in MLServer's `pd` codec: one tensor per column."""
    columns = [np.ascontiguousarray(table[:, [number]]) for number in range(table.shape[1])]
    named = zip(_columns(table), columns, strict=True)
    return _dumps({"inputs": [{**_tensor(name, column), "data": column.ravel()} for name, column in named]})


def _binary_head(name: str, array: Array) -> bytes:
    tensor = {**_tensor(name, array), "parameters": {"binary_data_size": array.nbytes}}
    return _dumps({"inputs": [tensor]})


def split(path: str = "/invocations") -> Body:
    """MLflow's `dataframe_split`."""
    return Body(
        path, lambda array: _dumps({"dataframe_split": {"columns": _columns(array), "data": array}}), _predictions
    )


def named(path: str, name: str, answer: str | None) -> Body:
    """The nested list under one name; `answer` names the list in the answer, which is the list itself when None."""
    return Body(
        path,
        lambda array: _dumps({name: array}),
        lambda data: orjson.loads(data) if answer is None else orjson.loads(data)[answer],
    )


def tensor(path: str, name: str) -> Body:
    """The Open Inference Protocol with one tensor."""
    return Body(
        path, lambda array: _dumps({"inputs": [{**_tensor(name, array), "data": array.ravel()}]}), _first_output
    )


def columns(path: str) -> Body:
    """The Open Inference Protocol with one tensor per column."""
    return Body(path, _columns_as_tensors, _first_output)


def binary_tensor(path: str, name: str) -> Body:
    """The Open Inference Protocol with its binary extension; the answer is JSON."""
    return Body(
        path,
        lambda array: _binary_head(name, array) + array.tobytes(),
        _first_output,
        lambda array: {**_BYTES, "Inference-Header-Content-Length": str(len(_binary_head(name, array)))},
    )


def raw(path: str) -> Body:
    """Nothing but the values."""
    return Body(path, lambda array: array.tobytes(), _predictions, lambda _: _BYTES)
