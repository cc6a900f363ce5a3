"""NumPy's own files as bodies, and answers in the form that the caller takes."""

import json
import random
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, Any

import mlflow
import numpy as np
import pandas as pd
import pytest

from mooring.modelserver.errors import InvalidInput
from mooring.modelserver.protocols import npy

if TYPE_CHECKING:
    from tests.modelserver.conftest import InProcess, Shelf

Server = Callable[..., "InProcess"]
Array = np.ndarray[Any, np.dtype[Any]]
NPY = "application/x-npy"
SPLIT = json.dumps({"inputs": [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]}).encode()


def _file(array: Array, **options: Any) -> bytes:
    stream = BytesIO()
    np.save(stream, array, **options)
    return stream.getvalue()


def _head(descr: str, shape: str, fortran: str = "False") -> bytes:
    text = f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


@pytest.mark.parametrize("kind", [NPY, "application/octet-stream"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_table_as_one_array(kind: str, order: Any, shelf: "Shelf", ours: Server, rows: pd.DataFrame) -> None:
    expected = mlflow.pyfunc.load_model(str(shelf.cancer)).predict(rows).tolist()
    body = _file(np.array(rows.to_numpy(), order=order))
    answer = ours(shelf.cancer).post("/invocations", body, kind)
    assert answer.json()["predictions"] == expected
    assert npy.read(ours(shelf.cancer).post("/invocations", body, kind, accept=NPY).content).tolist() == expected


def test_a_tensor_of_another_byte_order_and_type(shelf: "Shelf", ours: Server) -> None:
    values = np.array([[5, 3, 1, 0], [6, 3, 5, 2]])
    for dtype in (">f8", "<f4", "<i2"):
        assert ours(shelf.iris).post("/invocations", _file(values.astype(dtype)), NPY).json() == {"predictions": [0, 2]}


def test_texts_and_times(shelf: "Shelf", ours: Server) -> None:
    for array in (np.array(["a", "ä"]), np.array([b"a", "ä".encode()])):
        assert ours(shelf.echo).post("/invocations", _file(array), NPY).json() == {"predictions": ["a", "ä"]}
    times = np.array(["2024-01-01"], "datetime64[D]")
    assert ours(shelf.echo).post("/invocations", _file(times), NPY).json() == {"predictions": ["2024-01-01"]}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not a .npy file"),
        (_file(np.array([{}]), allow_pickle=True), "type 'object' is not taken"),
        (_file(np.zeros(2, "i4,f8")), "for records"),
        (_head("'<f8'", "(2, 4)") + b"\0" * 63, "63 bytes of values"),
        (_head("'<f8'", "(2, 4)") + b"\0" * 65, "65 bytes of values"),
        (_head("'<f8'", "(-2, -4)") + b"\0" * 64, "whole numbers"),
        (_head("'<f8'", "(True, 8)") + b"\0" * 64, "whole numbers"),
        (_head("'<f8'", "(0, 10**9)"), "not a .npy file"),
        (_head("[('a', '<f8')]", "(8,)") + b"\0" * 64, "for records"),
        (_head("'<f8'", "[8]") + b"\0" * 64, "whole numbers"),
        (_head("'<f8', 'more': 1", "(8,)") + b"\0" * 64, "descr, fortran_order and shape"),
        (_head("'<f8'", "(0, 1" + "0" * 40 + ")"), "too large"),
        (_head("'<f8'", "(1" + "0" * 40 + ",)"), "too large"),
        (_head("'S0'", "(1,)"), "is not taken"),
        (_head("'<f8'", "(8,)", "'no'") + b"\0" * 64, "not a .npy file"),
        (_head("__import__('os').getcwd()", "(8,)") + b"\0" * 64, "not a .npy file"),
        (b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535, "not a .npy file"),
        (b"\x93NUMPY\x03\x00\x02\x00\x00\x00{}", "not a .npy file"),
        (_file(np.array([b"\xff"])), "UTF-8"),
    ],
)
def test_what_is_no_array_of_values_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        npy.read(body)
    assert words in refusal.value.message


def test_arrays_that_do_not_fit_the_model(shelf: "Shelf", ours: Server) -> None:
    narrow = ours(shelf.cancer).post("/invocations", _file(np.zeros((2, 5))), NPY)
    assert narrow.status_code == 400
    assert "shape [2, 5], and the model takes 6 columns: send [rows, 6]" in narrow.json()["message"]
    assert "Open Inference" in ours(shelf.tensors).post("/invocations", _file(np.zeros(2)), NPY).json()["message"]


def test_no_mutation_of_a_file_breaks_its_reader() -> None:
    chance, body, taken = random.Random(6), _file(np.arange(12.0).reshape(3, 4)), 0
    for _ in range(3000):
        changed = bytearray(body)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(changed) if chance.random() < 0.3 else 80)
            changed[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        try:
            assert npy.read(bytes(changed)).nbytes <= 8 * 96
            taken += 1
        except InvalidInput:
            continue
    assert 0 < taken < 3000


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("text/csv;q=0.5, application/x-npy", NPY),
        ("text/*", "text/csv"),
        ("text/html, application/xhtml+xml, */*;q=0.8", "application/json"),
        ("application/json;q=0.1, text/csv;q=0.2", "text/csv"),
        ("*/*, application/json;q=0", NPY),
    ],
)
def test_the_best_form_that_the_caller_takes(accept: str, kind: str, shelf: "Shelf", ours: Server) -> None:
    answer = ours(shelf.iris).post("/invocations", SPLIT, accept=accept)
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)


@pytest.mark.parametrize("accept", ["text/html", "image/*", "application/json;q=0", "", "application/json;q=2"])
def test_nothing_that_the_caller_takes(accept: str, shelf: "Shelf", ours: Server) -> None:
    answer = ours(shelf.iris).post("/invocations", SPLIT, accept=accept)
    assert answer.status_code == 406
    assert answer.json()["error_code"] == "NOT_ACCEPTABLE"


def test_tables_as_csv(shelf: "Shelf", ours: Server) -> None:
    records = json.dumps({"inputs": {"word": ["a,b", 'say "x"', "z"], "number": [1.5, 2.0, 3.0]}}).encode()
    answer = ours(shelf.echo).post("/invocations", records, accept="text/csv")
    assert answer.text.splitlines()[:3] == ["word,number", '"a,b",1.5', '"say ""x""",2.0']
    wide = json.dumps({"inputs": [[[1, 2], [3, 4]]]}).encode()
    assert ours(shelf.echo).post("/invocations", wide, accept="text/csv").status_code == 406
    flat = ours(shelf.echo).post("/invocations", json.dumps({"inputs": [[1, 2], [3, 4]]}).encode(), accept="text/csv")
    assert flat.text == "output-0.0,output-0.1\n1,2\n3,4\n"


def test_answers_that_are_not_one_array(shelf: "Shelf", ours: Server) -> None:
    records = json.dumps({"inputs": {"a": [1, 2], "b": [3, 4]}}).encode()
    assert ours(shelf.echo).post("/invocations", records, accept=NPY).status_code == 406
