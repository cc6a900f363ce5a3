"""The Open Inference Protocol, version 2, over REST: metadata, readiness, and the model's own numbers."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import mlflow
import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.modelserver.conftest import InProcess, Shelf

Server = Callable[..., "InProcess"]
IRIS = {"name": "x", "shape": [2, 4], "datatype": "FP64", "data": [5.1, 3.5, 1.4, 0.2, 6.7, 3.0, 5.2, 2.3]}


def _infer(server: "InProcess", body: Any, path: str = "/v2/models/m/infer") -> Any:
    answer = server.post(path, json.dumps(body).encode())
    assert answer.status_code == 200, answer.text
    return answer.json()


def _refused(server: "InProcess", body: Any) -> str:
    answer = server.post("/v2/models/m/infer", body if isinstance(body, bytes) else json.dumps(body).encode())
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["error"]
    error: str = answer.json()["error"]
    return error


def test_metadata_and_health(shelf: "Shelf", ours: Server) -> None:
    server = ours(shelf.iris)
    assert server.get("/v2").json()["name"] == "mooring"
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/m/ready", "/v2/models/m/versions/3/ready"):
        assert server.get(path).status_code == server.get(f"/m{path}").status_code == 200
    assert server.get("/v2/models/m/versions/3").json() == {
        "name": "m",
        "versions": ["3"],
        "platform": "mlflow_pyfunc",
        "inputs": [{"name": "input-0", "datatype": "FP64", "shape": [-1, 4]}],
        "outputs": [{"name": "output-0", "datatype": "INT64", "shape": [-1]}],
    }


def test_unknown_models_and_versions(shelf: "Shelf", ours: Server) -> None:
    for path in ("/v2/models/n", "/v2/models/m/versions/4", "/v2/models/m/versions/4/ready", "/v2/models/"):
        answer = ours(shelf.iris).get(path)
        assert answer.status_code == 404
        assert list(answer.json()) == ["error"]


@pytest.mark.parametrize("data", [IRIS["data"], [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]])
def test_flat_and_nested_tensors(data: Any, shelf: "Shelf", ours: Server) -> None:
    for path in ("/v2/models/m/infer", "/v2/models/m/versions/3/infer", "/m/v2/models/m/infer"):
        answer = _infer(ours(shelf.iris), {"id": "seven", "inputs": [{**IRIS, "data": data}]}, path)
        assert answer == {
            "model_name": "m",
            "model_version": "3",
            "id": "seven",
            "outputs": [{"name": "output-0", "shape": [2], "datatype": "INT64", "data": [0, 2]}],
        }


def test_columns_give_the_numbers_of_predict(shelf: "Shelf", ours: Server, rows: pd.DataFrame) -> None:
    tensors = [
        {"name": name, "shape": [569, 1], "datatype": "FP64", "data": rows[name].tolist()} for name in rows.columns
    ]
    expected = mlflow.pyfunc.load_model(str(shelf.cancer)).predict(rows).tolist()
    output = _infer(ours(shelf.cancer), {"inputs": tensors[::-1]})["outputs"][0]
    assert output["data"] == expected
    for tensor in tensors:
        tensor["shape"] = [569]
    assert _infer(ours(shelf.cancer), {"inputs": tensors})["outputs"][0]["data"] == expected


def test_every_type_of_column_there_and_back(shelf: "Shelf", ours: Server) -> None:
    columns: dict[str, tuple[str, list[Any]]] = {
        "age": ("INT64", [2**53 + 1, -1]), "visits": ("INT32", [1, 2]), "weight": ("FP64", [0.1, None]),
        "ratio": ("FP32", [0.1, 2.5]), "smoker": ("BOOL", [True, False]), "city": ("BYTES", ["é", ""]),
        "seen": ("BYTES", ["2024-02-29T12:30:00", "2024-01-01T00:00:00"]),
    }  # fmt: skip
    inputs = [{"name": n, "shape": [2, 1], "datatype": kind, "data": data} for n, (kind, data) in columns.items()]
    outputs = {o["name"]: o for o in _infer(ours(shelf.typed), {"inputs": inputs})["outputs"]}
    assert {name: (o["datatype"], o["shape"]) for name, o in outputs.items()} == {
        name: (kind, [2, 1]) for name, (kind, _) in columns.items()
    }
    seen = outputs.pop("seen")["data"]
    assert [pd.Timestamp(text) for text in seen] == [pd.Timestamp(text) for text in columns.pop("seen")[1]]
    assert {name: o["data"] for name, o in outputs.items()} == {name: data for name, (_, data) in columns.items()}


def test_parameters_and_wanted_outputs(shelf: "Shelf", ours: Server) -> None:
    inputs = [
        {"name": "a", "shape": [1, 2], "datatype": "FP32", "data": [0.5, 2]},
        {"name": "b", "shape": [1], "datatype": "INT32", "data": [7]},
    ]
    answer = _infer(ours(shelf.tensors), {"inputs": inputs, "outputs": [{"name": "b"}]})
    assert answer["outputs"] == [{"name": "b", "shape": [1], "datatype": "INT64", "data": [7]}]
    assert "'c' does not exist: use a, b" in _refused(
        ours(shelf.tensors), {"inputs": inputs, "outputs": [{"name": "c"}]}
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"datatype": "FP16"}, "datatype 'FP16' is not one of"),
        ({"datatype": None}, "datatype None"),
        ({"datatype": "BYTES"}, "value 0: expected a string"),
        ({"shape": [2, 3]}, "shape [2, 3] needs 6 values, data has 8"),
        ({"shape": [4, 2]}, "(4, 2)"),
        ({"shape": [-1, 4]}, "whole numbers"),
        ({"shape": "x"}, "whole numbers"),
        ({"data": "x"}, "must be a list"),
        ({"data": [[1], 2]}, "nested"),
        ({"data": [1, 2, 3, 4, 5, 6, 7, "8"]}, "value 7: expected a number"),
        ({"data": [1, 2, 3, 4, 5, 6, 7, True]}, "value 7: expected a number"),
        ({"data": [1, 2, 3, 4, 5, 6, 7, None]}, "missing value"),
        ({"datatype": "INT8", "data": [1, 2, 3, 4, 5, 6, 7, 1000]}, "INT8"),
        ({"datatype": "INT64", "data": [1, 2, 3, 4, 5, 6, 7, 1.5]}, "value 7: expected an integer"),
        ({"name": 5}, "'name' must be a string"),
    ],
)
def test_wrong_tensors(change: dict[str, Any], words: str, shelf: "Shelf", ours: Server) -> None:
    assert words in _refused(ours(shelf.iris), {"inputs": [{**IRIS, **change}]})


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"{}", b'{"inputs": []}', b'{"inputs": {}}', b'{"inputs": [1]}', b"\xff", b'{"inputs": [{}]}',
     b'{"inputs": null}', b'{"id": 5, "inputs": []}'],
)  # fmt: skip
def test_wrong_requests(body: bytes, shelf: "Shelf", ours: Server) -> None:
    assert _refused(ours(shelf.iris), body)


def test_numbers_are_not_bent_into_the_columns_type(shelf: "Shelf", ours: Server) -> None:
    good = {"age": "INT64", "visits": "INT32", "weight": "FP64", "ratio": "FP32", "smoker": "BOOL"}
    inputs = [{"name": n, "shape": [1], "datatype": kind, "data": [kind == "BOOL" or 1]} for n, kind in good.items()]
    inputs += [{"name": n, "shape": [1], "datatype": "BYTES", "data": ["2024-01-01"]} for n in ("city", "seen")]
    assert _infer(ours(shelf.typed), {"inputs": inputs})
    fraction = [{**inputs[0], "datatype": "FP64", "data": [1.5]}, *inputs[1:]]
    assert "input 'age': expected INT64 (long), got FP64" in _refused(ours(shelf.typed), {"inputs": fraction})
    wide = [inputs[0], {**inputs[1], "datatype": "INT64", "data": [2**31]}, *inputs[2:]]
    assert "'visits': a value does not fit INT32" in _refused(ours(shelf.typed), {"inputs": wide})
    assert "input 'age' is missing" in _refused(ours(shelf.typed), {"inputs": inputs[1:]})
