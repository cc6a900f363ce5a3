"""The binary extension of the Open Inference Protocol: raw tensors in and out, and no length that breaks it."""

import json
import random
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

if TYPE_CHECKING:
    import httpx

    from tests.modelserver.conftest import InProcess, Shelf

Server = Callable[..., "InProcess"]
Array = np.ndarray[Any, np.dtype[Any]]
INFER = "/v2/models/m/infer"
RAW = "application/octet-stream"
DATATYPES = {
    "BOOL": "?", "INT8": "i1", "INT16": "<i2", "INT32": "<i4", "INT64": "<i8", "UINT8": "u1", "UINT16": "<u2",
    "UINT32": "<u4", "UINT64": "<u8", "FP16": "<f2", "FP32": "<f4", "FP64": "<f8",
}  # fmt: skip
IRIS = np.array([[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]])


def _tensor(name: str, datatype: str, shape: tuple[int, ...], raw: bytes) -> tuple[dict[str, Any], bytes]:
    parameters = {"binary_data_size": len(raw)}
    return {"name": name, "datatype": datatype, "shape": list(shape), "parameters": parameters}, raw


def _packed(*tensors: tuple[dict[str, Any], bytes], **request: Any) -> tuple[bytes, int]:
    head = json.dumps({"inputs": [tensor for tensor, _ in tensors], **request}).encode()
    return head + b"".join(raw for _, raw in tensors), len(head)


def _send(server: "InProcess", body: bytes, length: int | str) -> "httpx.Response":
    return server.post(INFER, body, RAW, inference_header_content_length=str(length))


def _outputs(answer: "httpx.Response") -> dict[str, tuple[dict[str, Any], bytes]]:
    assert answer.status_code == 200, answer.text
    if "inference-header-content-length" not in answer.headers:
        return {output["name"]: (output, b"") for output in answer.json()["outputs"]}
    length = int(answer.headers["inference-header-content-length"])
    rest, outputs = answer.content[length:], {}
    for output in json.loads(answer.content[:length])["outputs"]:
        size = output.get("parameters", {}).get("binary_data_size", 0)
        outputs[output["name"]], rest = (output, rest[:size]), rest[size:]
    assert rest == b""
    return outputs


def _texts(*values: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


def test_raw_tensors_in_and_out(shelf: "Shelf", ours: Server) -> None:
    body, length = _packed(
        _tensor("x", "FP64", (2, 4), IRIS.tobytes()), id="7", parameters={"binary_data_output": True}
    )
    answer = _send(ours(shelf.iris), body, length)
    assert answer.headers["content-type"] == RAW
    output, raw = _outputs(answer)["output-0"]
    assert output == {
        "name": "output-0", "shape": [2], "datatype": "INT64", "parameters": {"binary_data_size": 16},
    }  # fmt: skip
    assert np.frombuffer(raw, "<i8").tolist() == [0, 2]


def test_each_side_chooses_for_itself(shelf: "Shelf", ours: Server) -> None:
    raw_in, length = _packed(_tensor("x", "FP64", (2, 4), IRIS.tobytes()))
    assert _send(ours(shelf.iris), raw_in, length).json()["outputs"][0]["data"] == [0, 2]
    tensor = {"name": "x", "datatype": "FP64", "shape": [2, 4], "data": IRIS.tolist()}
    wanted = [{"name": "output-0", "parameters": {"binary_data": True}}]
    answer = ours(shelf.iris).post(INFER, json.dumps({"inputs": [tensor], "outputs": wanted}).encode())
    assert np.frombuffer(_outputs(answer)["output-0"][1], "<i8").tolist() == [0, 2]


@pytest.mark.parametrize("datatype", DATATYPES)
def test_every_number_there_and_back(datatype: str, shelf: "Shelf", ours: Server) -> None:
    values = np.array([0, 1, 1, 0], DATATYPES[datatype])
    body, length = _packed(_tensor("x", datatype, (2, 2), values.tobytes()), parameters={"binary_data_output": True})
    output, raw = _outputs(_send(ours(shelf.echo), body, length))["output-0"]
    assert output["datatype"] == ("FP32" if datatype == "FP16" else datatype)
    assert output["shape"] == [2, 2]
    assert np.frombuffer(raw, DATATYPES[output["datatype"]]).tolist() == values.tolist()


def test_brain_floats_become_floats(shelf: "Shelf", ours: Server) -> None:
    halves = np.array([1.5, -2.0], "<f4").view("<u4") >> 16
    body, length = _packed(_tensor("x", "BF16", (2,), halves.astype("<u2").tobytes()))
    assert _send(ours(shelf.echo), body, length).json()["outputs"][0]["data"] == [1.5, -2.0]


def test_text_of_any_length(shelf: "Shelf", ours: Server) -> None:
    words = [b"", "Häfen".encode(), b"x" * 70_000]
    body, length = _packed(_tensor("x", "BYTES", (3,), _texts(*words)), parameters={"binary_data_output": True})
    output, raw = _outputs(_send(ours(shelf.echo), body, length))["output-0"]
    assert (output["datatype"], output["shape"], raw) == ("BYTES", [3], _texts(*words))
    assert "UTF-8" in _refused(ours(shelf.echo), *_packed(_tensor("x", "BYTES", (1,), _texts(b"\xff"))))


def test_one_matrix_is_a_whole_table(shelf: "Shelf", ours: Server, rows: pd.DataFrame) -> None:
    matrix = rows.to_numpy()
    whole = _packed(_tensor("rows", "FP64", matrix.shape, matrix.tobytes()))
    columns = _packed(*(_tensor(str(n), "FP64", (569, 1), rows[n].to_numpy().tobytes()) for n in rows.columns))
    narrow = _packed(_tensor("rows", "FP64", (569, 2), matrix[:, :2].tobytes()))
    server = ours(shelf.cancer)
    assert _outputs(_send(server, *whole)) == _outputs(_send(server, *columns))
    assert "is missing" in _refused(server, *narrow)


def _refused(server: "InProcess", body: bytes, length: int | str) -> str:
    answer = _send(server, body, length)
    assert answer.status_code == 400, (answer.status_code, answer.text)
    error: str = answer.json()["error"]
    return error


@pytest.mark.parametrize("length", ["-1", "1e3", "", "９", "99999999999999999999999", "1000000", " 5"])
def test_wrong_header_lengths(length: str, shelf: "Shelf", ours: Server) -> None:
    body, _ = _packed(_tensor("x", "FP64", (2, 4), IRIS.tobytes()))
    # As bytes: what a header may not say is to reach the server as well.
    headers = {b"content-type": RAW.encode(), b"inference-header-content-length": length.encode()}
    request = ours(shelf.iris)._client.post(INFER, content=body, headers=headers)
    answer = ours(shelf.iris)._await(request)
    assert answer.status_code == 400
    assert "content-length" in answer.json()["error"] or "JSON" in answer.json()["error"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"parameters": {"binary_data_size": -1}}, "whole number"),
        ({"parameters": {"binary_data_size": True}}, "whole number"),
        ({"parameters": {"binary_data_size": 2**70}}, "64 bytes are left"),
        ({"parameters": {"binary_data_size": 63}}, "is 64 bytes, got 63"),
        ({"parameters": {}}, "data must be a list"),
        ({"parameters": []}, "data must be a list"),
        ({"parameters": "x"}, "must be an object"),
        ({"data": [1]}, "both data and binary_data_size"),
        ({"shape": [2, -4]}, "whole numbers"),
        ({"shape": [2**62, 4]}, "bytes, got 64"),
        ({"shape": [0, 10**30]}, "too large"),
        ({"datatype": "FP128"}, "datatype 'FP128'"),
        ({"datatype": ["FP64"]}, "datatype ['FP64']"),
        ({"name": None}, "'name' must be a string"),
    ],
)
def test_wrong_tensors(change: dict[str, Any], words: str, shelf: "Shelf", ours: Server) -> None:
    tensor, raw = _tensor("x", "FP64", (2, 4), IRIS.tobytes())
    assert words in _refused(ours(shelf.iris), *_packed(({**tensor, **change}, raw)))


def test_tensors_share_no_bytes_and_leave_none(shelf: "Shelf", ours: Server) -> None:
    server, tensor = ours(shelf.iris), _tensor("x", "FP64", (2, 4), IRIS.tobytes())
    body, length = _packed(tensor)
    assert "3 bytes are left over" in _refused(server, body + b"abc", length)
    assert "0 bytes are left" in _refused(server, *_packed(tensor, (tensor[0], b"")))
    assert "there twice" in _refused(server, *_packed(tensor, tensor))
    assert "too few bytes" in _refused(server, *_packed(_tensor("x", "BYTES", (2**40,), b"\0\0\0\0")))
    assert "beyond the end" in _refused(server, *_packed(_tensor("x", "BYTES", (1,), b"\xff\xff\xff\xff")))
    assert "left over" in _refused(server, *_packed(_tensor("x", "BYTES", (1,), _texts(b"a", b"b"))))
    assert "0 or 1" in _refused(server, *_packed(_tensor("x", "BOOL", (1,), b"\2")))


def test_without_a_length_there_are_no_raw_tensors(shelf: "Shelf", ours: Server) -> None:
    body, _ = _packed(_tensor("x", "FP64", (2, 4), IRIS.tobytes()))
    assert ours(shelf.iris).post(INFER, body, RAW).status_code == 415
    assert ours(shelf.iris).post(INFER, body).status_code == 400


def test_no_mutation_breaks_it(shelf: "Shelf", ours: Server) -> None:
    chance = random.Random(6)
    body, length = _packed(_tensor("a", "FP32", (1, 2), b"\0" * 8), _tensor("b", "BYTES", (2,), _texts(b"x", b"yz")))
    for _ in range(300):
        changed = bytearray(body)
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(changed))
            changed[at : at + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        answer = _send(ours(shelf.echo), bytes(changed), length + chance.choice((0, 0, 0, -1, 1)))
        assert answer.status_code in (200, 400), answer.text
