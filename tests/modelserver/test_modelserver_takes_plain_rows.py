"""The body of fedml's documentation, `{"data": [[…]]}`, is answered as the same rows with names are."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

if TYPE_CHECKING:
    from tests.modelserver.conftest import InProcess, Shelf

Server = Callable[[Path], "InProcess"]


def _ask(server: "InProcess", body: Any) -> Any:
    answer = server.post("/invocations", json.dumps(body).encode())
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_rows_take_the_names_of_the_signature(shelf: "Shelf", ours: Server, rows: pd.DataFrame) -> None:
    server, few = ours(shelf.cancer), rows.head(5)
    named = _ask(server, {"dataframe_split": few.to_dict(orient="split", index=False)})
    # As the documentation has it: `json.dumps({'data': frame.values.tolist()})`.
    assert _ask(server, {"data": few.values.tolist()}) == named
    turned = few[few.columns[::-1]]
    assert _ask(server, {"columns": list(turned.columns), "data": turned.values.tolist()}) == named


@pytest.mark.parametrize("model", ["iris", "bare"])
def test_rows_without_names_are_an_array(model: str, shelf: "Shelf", ours: Server) -> None:
    server, few = ours(getattr(shelf, model)), [[5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]]
    assert _ask(server, {"data": few}) == _ask(server, {"inputs": few}) == {"predictions": [0, 2]}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"data": [[1, 2, 3, 4, 5, 6], [1, 2]]}, "data, row 1: expected 6 values (mean radius, "),
        ({"data": [[1, 2, 3, 4, 5, "x"]]}, "row 0: expected double"),
        ({"data": [{"mean radius": 1}]}, "exactly one of the keys"),
        ({"data": [1, 2, 3, 4, 5, 6]}, "exactly one of the keys"),
        ({"data": [[1, 2, 3, 4, 5, 6]], "more": 1}, "exactly one of the keys"),
        ({"columns": 5, "data": [[1, 2, 3, 4, 5, 6]]}, ""),
    ],
)
def test_what_does_not_fit_is_refused_in_words(body: Any, told: str, shelf: "Shelf", ours: Server) -> None:
    answer = ours(shelf.cancer).post("/invocations", json.dumps(body).encode())
    assert answer.status_code == 400
    assert told in answer.json()["message"]
