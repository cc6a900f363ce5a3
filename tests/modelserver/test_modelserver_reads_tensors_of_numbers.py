"""The quick reading of the Open Inference Protocol's JSON gives the arrays of the careful one, or nothing."""

import json
import math
import random
from typing import Any

import numpy as np
import pytest

from mooring.modelserver.columnar.tensors import read_tensors
from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.protocols.json_body import parse_object
from mooring.modelserver.protocols.tensors import DTYPES, to_array

ODD: list[Any] = [
    None, True, "1", 1.0, 0.5, -0.0, -1, 127, 128, 255, 256, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1,
    2**64, 1e39, 1e308, 70000.0, math.nan, [1], [], {}, [[1]],
]  # fmt: skip
SHAPES: list[Any] = [
    [3],
    [1, 3],
    [3, 1],
    [2, 2],
    [2, 1, 2],
    [],
    [0],
    [2, -1],
    [-2, -2],
    [True],
    [2.0],
    "x",
    None,
    5,
    [[2]],
]


def _tensor(rng: random.Random) -> dict[str, Any]:
    shape = rng.choice(SHAPES[:5] if rng.random() < 0.7 else SHAPES)
    datatype = rng.choice(
        [*DTYPES, "FP16", None, 5] if rng.random() < 0.2 else ["FP64", "FP32", "INT64", "INT8", "UINT64"]
    )
    count = math.prod(shape) if shape in SHAPES[:5] else rng.randrange(4)
    plain = [rng.randrange(100) if "INT" in str(datatype) else rng.gauss(0, 1) for _ in range(count)]
    data: Any = [rng.choice(ODD) if rng.random() < 0.04 else value for value in plain]
    if rng.random() < 0.4 and shape in SHAPES[:5]:
        data = _nested(data, shape)
    tensor = {"name": rng.choice("abc"), "shape": shape, "datatype": datatype, "data": data}
    if rng.random() < 0.05:
        tensor.pop(rng.choice(list(tensor)))
    if rng.random() < 0.05:
        tensor["parameters"] = {}
    return tensor


def _nested(flat: list[Any], shape: list[int]) -> list[Any]:
    if len(shape) == 1:
        return flat
    size = len(flat) // shape[0]
    return [_nested(flat[at : at + size], shape[1:]) for at in range(0, len(flat), size)]


def _request(rng: random.Random) -> bytes:
    request: dict[str, Any] = {"inputs": [_tensor(rng) for _ in range(rng.choice([1, 1, 2]))]}
    if rng.random() < 0.3:
        request |= {
            "id": "7[",
            "outputs": [{"name": "y", "parameters": {"binary_data": True}}],
            "parameters": {"a": [[1]]},
        }
    if rng.random() < 0.05:
        request["inputs"] = rng.choice([[], {}, None, [5], request["inputs"][0]])
    text = json.dumps(request)
    return (text[:-1] + rng.choice(["}", "}", "}", ', "inputs": []}', "}}", "]"])).encode()


def _carefully(body: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, np.dtype[Any]]]]:
    request = parse_object(body)
    tensors = {t["name"]: to_array(t["name"], t["datatype"], t["shape"], t["data"]) for t in request.pop("inputs")}
    return request, tensors


def test_what_is_read_is_what_the_careful_reading_has() -> None:
    rng, taken = random.Random(6), 0
    for _ in range(4000):
        body = _request(rng)
        quick = read_tensors(body, DTYPES)
        if quick is None:
            continue
        taken += 1
        try:
            rest, tensors = _carefully(body)
        except InvalidInput as error:
            pytest.fail(f"{error}: {body[:300]!r}")
        assert quick[0] == rest
        assert list(quick[1]) == list(tensors)
        for name, array in tensors.items():
            mine = quick[1][name]
            assert (mine.dtype, mine.shape, mine.tobytes()) == (array.dtype, array.shape, array.tobytes()), body[:300]
    assert taken > 400


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{}", b"[]", b'{"inputs": 5}', b'{"inputs": [5]}', b'{"inputs": [{}]}', b'{"inputs": [[]]}', b"\xff",
        b'{"inputs": [{"name": "a", "shape": [1], "datatype": "FP64", "data": []}]}',
        b'{"inputs": [{"name": "a", "shape": 1, "datatype": "FP64", "data": [1]}]}',
        b'{"inputs": [{"name": "a", "shape": [1], "datatype": ["FP64"], "data": [1]}]}',
        b'{"inputs": [{"name": "a", "shape": [1, 2], "datatype": "FP64", "data": [[1, [2]]]}]}',
        b'{"inputs": [{"name": "a", "shape": [1], "datatype": "FP64", "data": {}}], "id": '
        + b"[" * 1000 + b"]" * 1000 + b"}",
        b'{"id": ' + b'{"a": ' * 1000 + b"1" + b"}" * 1000 + b', "inputs": []}',
    ],
)  # fmt: skip
def test_what_is_broken_is_left_to_the_careful_reading(body: bytes) -> None:
    assert read_tensors(body, DTYPES) is None
