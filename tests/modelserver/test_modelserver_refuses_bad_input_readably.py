"""A refusal names the field, the row and the expected type; the caller never sees a traceback."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.modelserver.conftest import InProcess, Shelf

Server = Callable[..., "InProcess"]
ROW = {
    "age": 41, "visits": 3, "weight": 71.5, "ratio": 0.25, "smoker": True, "city": "Rīga", "seen": "2024-02-29",
}  # fmt: skip


def _refused(server: "InProcess", body: Any, status: int = 400) -> str:
    answer = server.post("/invocations", json.dumps(body).encode())
    assert answer.status_code == status, answer.text
    message: str = answer.json()["message"]
    assert "Traceback" not in message
    assert 'File "' not in message
    return message


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("age", "abc", "column 'age', row 700: expected long, got the string \"abc\""),
        ("age", None, "column 'age', row 700: expected long, got null"),
        ("weight", {"a": 1}, "column 'weight', row 700: expected double, got"),
        ("visits", [1], "column 'visits', row 700: expected integer, got the list [1]"),
        ("seen", "yesterday-ish", "column 'seen', row 700: expected datetime, got the string"),
    ],
)
def test_one_bad_value_among_many(name: str, value: Any, words: str, shelf: "Shelf", ours: Server) -> None:
    rows = [{**ROW, name: value} if number == 700 else ROW for number in range(1000)]
    server = ours(shelf.typed)
    assert words in _refused(server, {"dataframe_records": rows})
    split = {"columns": list(ROW), "data": [list(row.values()) for row in rows]}
    assert words in _refused(server, {"dataframe_split": split})


def test_missing_columns_by_name_and_type(shelf: "Shelf", ours: Server) -> None:
    row = {name: value for name, value in ROW.items() if name not in ("age", "city")} | {"agee": 1}
    message = _refused(ours(shelf.typed), {"dataframe_records": [row]})
    assert "'age' (long), 'city' (string)" in message
    assert "agee" in message


def test_values_that_do_not_fit_a_tensor(shelf: "Shelf", ours: Server) -> None:
    message = _refused(ours(shelf.iris), {"inputs": [[1, 2, 3]]})
    assert "(1, 3)" in message
    assert "(-1, 4)" in message
    message = _refused(ours(shelf.tensors), {"inputs": {"a": [[1, 2], [3, "x"]], "b": [1, 2]}})
    assert "input 'a', row 1: expected float32 tensor of shape (-1, 2), got the list [3, \"x\"]" in message


def test_csv_by_column_and_row(shelf: "Shelf", ours: Server) -> None:
    names = "mean radius,mean texture,mean perimeter,mean area,mean smoothness,mean compactness"
    body = f"{names}\n1,2,3,4,5,6\n1,2,three,4,5,6\n".encode()
    answer = ours(shelf.cancer).post("/invocations", body, "text/csv")
    assert "column 'mean perimeter', row 1: expected double" in answer.json()["message"]


def test_a_missing_value_that_the_model_cannot_use_is_the_callers(shelf: "Shelf", ours: Server) -> None:
    message = _refused(ours(shelf.iris), {"inputs": [[1, 2, 3, 4], [1, 2, None, 4]]})
    assert "row 1: a missing value at [1, 2]" in message


def test_without_a_signature_the_models_complaint_is_passed_on(shelf: "Shelf", ours: Server) -> None:
    message = _refused(ours(shelf.bare), {"inputs": [[1, 2]]})
    assert "2 features" in message
    assert "without a signature" in message


def test_an_exception_of_the_model_is_the_models_fault(
    shelf: "Shelf", ours: Server, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"dataframe_records": [{"order": "raise at noon"}]}
    assert _refused(ours(shelf.moody), body, 500) == "the model failed: RuntimeError: out of mood: at noon"
    assert "Traceback" in caplog.text  # under the request's id, for the operator
    assert _refused(ours(shelf.moody), {"dataframe_records": [{"order": "exit"}]}, 500)
    assert ours(shelf.moody).post("/invocations", b'{"inputs": {"order": ["still here"]}}').status_code == 200


def test_values_of_callers_stay_out_of_the_log(shelf: "Shelf", ours: Server, caplog: pytest.LogCaptureFixture) -> None:
    _refused(ours(shelf.typed), {"dataframe_records": [{**ROW, "age": "my-secret-age"}]})
    assert "column 'age'" in caplog.text
    assert "my-secret-age" not in caplog.text


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("post", "/nowhere", 404), ("post", "/m/ping", 405), ("get", "/invocations", 405), ("get", "/../etc", 404)],
)
def test_wrong_paths_and_methods(method: str, path: str, status: int, shelf: "Shelf", ours: Server) -> None:
    server = ours(shelf.iris)
    answer = server.get(path) if method == "get" else server.post(path, b"{}")
    assert answer.status_code == status
    assert answer.json()["error_code"]
    assert (status != 405) or answer.headers["allow"]


def test_a_body_over_the_limit(shelf: "Shelf", ours: Server) -> None:
    answer = ours(shelf.iris, max_request_bytes=100).post("/invocations", b" " * 101)
    assert answer.status_code == 413
    assert "100 bytes" in answer.json()["message"]


def test_every_answer_has_a_request_id(shelf: "Shelf", ours: Server) -> None:
    assert len(ours(shelf.iris).get("/ping").headers["x-request-id"]) == 32
