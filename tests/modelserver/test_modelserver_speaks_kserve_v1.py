"""KServe's first protocol: states, `:predict`, and errors in its form."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import mlflow
import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.modelserver.conftest import InProcess, Shelf

Server = Callable[..., "InProcess"]
PREDICT = "/v1/models/m:predict"


def test_models_and_their_state(shelf: "Shelf", ours: Server) -> None:
    assert ours(shelf.iris).get("/v1/models").json() == {"models": ["m"]}
    assert ours(shelf.iris).get("/v1/models/m").json() == {"name": "m", "ready": True}
    for path in ("/v1/models/other", "/v1/models/other:predict", "/v1/models/m:explain"):
        assert list(ours(shelf.iris).get(path).json()) == ["error"]
    assert ours(shelf.iris).get(PREDICT).status_code == 405


@pytest.mark.parametrize("path", ["/", "/m/"])
def test_its_client_is_told_that_the_server_is_alive(path: str, shelf: "Shelf", ours: Server) -> None:
    """As `InferenceRESTClient.is_server_live` asks, which follows no redirection."""
    answer = ours(shelf.iris).get(path, accept="*/*")
    assert (answer.status_code, answer.json()) == (200, {"status": "alive"})


@pytest.mark.parametrize("key", ["instances", "inputs"])
def test_rows_with_and_without_names(key: str, shelf: "Shelf", ours: Server, rows: pd.DataFrame) -> None:
    expected = {"predictions": mlflow.pyfunc.load_model(str(shelf.cancer)).predict(rows).tolist()}
    for given in (rows.to_dict(orient="records"), rows.to_numpy().tolist()):
        for path in (PREDICT, f"/m{PREDICT}"):
            assert ours(shelf.cancer).post(path, json.dumps({key: given}).encode()).json() == expected


def test_tensors_and_parameters(shelf: "Shelf", ours: Server) -> None:
    body = {"instances": [{"a": [1, 2], "b": 3}, {"a": [4, 5], "b": 6}]}
    assert ours(shelf.tensors).post(PREDICT, json.dumps(body).encode()).json() == {
        "predictions": {"a": [[1.0, 2.0], [4.0, 5.0]], "b": [3, 6]}
    }
    row = {"age": 1, "visits": 1, "weight": 1.0, "ratio": 1.0, "smoker": True, "city": "x", "seen": "2024-01-01"}
    answer = ours(shelf.typed).post(PREDICT, json.dumps({"inputs": [row], "params": {"show": True}}).encode())
    assert "('show', True)" in answer.json()["predictions"][0]


@pytest.mark.parametrize(
    "body", [{}, {"instances": [], "inputs": []}, {"instances": "x"}, {"instances": [[1]]}, [], {"dataframe_split": {}}]
)
def test_errors_are_in_its_form(body: Any, shelf: "Shelf", ours: Server) -> None:
    answer = ours(shelf.cancer).post(PREDICT, json.dumps(body).encode())
    assert answer.status_code == 400, answer.text
    assert list(answer.json()) == ["error"]


def test_other_media_types(shelf: "Shelf", ours: Server) -> None:
    assert ours(shelf.iris).post(PREDICT, b"a,b", "text/csv").status_code == 415
