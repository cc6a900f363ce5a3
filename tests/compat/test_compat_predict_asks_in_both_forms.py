"""`predict` in fedml's two forms, against a server that keeps what it was sent."""

import json
from typing import Any

import pandas as pd
import pytest

from mooring.compat import CompatError, predict
from mooring.compat.errors import PredictionFailed
from tests.compat.endpoint import Endpoint
from tests.fake_ai_api import FakeAiApi

ROWS = [[1.0, 2.0], [3.0, 4.0]]
FORBIDDEN = "b3arer-of-another"


def test_the_published_form_answers_a_frame(endpoint: Endpoint) -> None:
    # As published: a serialised object, and an endpoint that begins with a space.
    found = predict(endpoint_url=f" {endpoint.url}/invocations", data=json.dumps({"data": ROWS}))
    assert isinstance(found, pd.DataFrame)
    assert found.to_dict("list") == {"prediction_result": [0.5, 1.5]}
    ((path, headers, body),) = endpoint.seen
    assert (path, headers["content-type"]) == ("/invocations", "application/json")
    assert json.loads(body) == {"data": ROWS}  # encoded once
    assert "authorization" not in headers


def test_the_current_form_answers_json(endpoint: Endpoint) -> None:
    url = f"{endpoint.url}/invocations"
    for found in (
        predict(url, "text/csv", "a,b\n1,2\n"),
        predict(endpoint_url=url, content_type="text/csv", data=b"a,b\n1,2\n"),
    ):
        assert found == {"predictions": [0.5, 1.5]}
    assert {(headers["content-type"], body) for _, headers, body in endpoint.seen} == {("text/csv", b"a,b\n1,2\n")}


@pytest.mark.parametrize(
    ("data", "sent"),
    [
        ({"inputs": ROWS}, {"inputs": ROWS}),
        (pd.DataFrame(ROWS, columns=["a", "b"]), {"dataframe_split": {"columns": ["a", "b"], "data": ROWS}}),
        ("plain text", None),
    ],
)
def test_data_is_sent_as_it_is_or_as_json(data: Any, sent: Any, endpoint: Endpoint) -> None:
    predict(endpoint.url, data)
    body = endpoint.seen[0][2]
    assert body == data.encode() if sent is None else json.loads(body) == sent


@pytest.mark.parametrize("path", ["/v2/inference/deployments/d123", "/models/iris", "/models/iris/"])
def test_a_url_of_ours_alone_is_enough(path: str, endpoint: Endpoint) -> None:
    predict(f"{endpoint.url}{path}", {"data": ROWS})
    assert endpoint.seen[0][0] == f"{path.rstrip('/')}/invocations"


def test_a_model_of_mlflow_1_answers_a_bare_list(endpoint: Endpoint) -> None:
    endpoint.answer = b"[7, 8]"
    assert predict(endpoint.url, {"data": ROWS})["prediction_result"].tolist() == [7, 8]


@pytest.mark.parametrize(
    ("status", "told"), [(413, "send fewer rows"), (401, "wants a token"), (400, "row 3 is wrong"), (500, "row 3")]
)
def test_refusals_are_told_with_their_reason(status: int, told: str, endpoint: Endpoint) -> None:
    endpoint.status, endpoint.answer = status, b"row 3 is wrong"
    with pytest.raises(PredictionFailed, match=told) as caught:
        predict(f"{endpoint.url}/invocations", {"data": ROWS})
    assert caught.value.status == status
    assert len(endpoint.seen) == 1


def test_nobody_there_and_nonsense_are_told(endpoint: Endpoint) -> None:
    endpoint.answer = b"<html>"
    with pytest.raises(PredictionFailed, match="no JSON"):
        predict(endpoint.url, {"data": ROWS})
    url = endpoint.url
    endpoint.close()
    with pytest.raises(PredictionFailed, match="no answer within 2 s"):
        predict(url, {"data": ROWS}, timeout_seconds=2)
    for wrong in ("", "iris.example.com/invocations", "ftp://a/b", "http://a:b"):
        with pytest.raises(CompatError, match="no URL"):
            predict(wrong, {"data": ROWS})


def test_wrong_calls_are_told(endpoint: Endpoint) -> None:
    for arguments in ((), ("application/json",) * 3):
        with pytest.raises(CompatError, match="call predict"):
            predict(endpoint.url, *arguments)
    with pytest.raises(CompatError, match="as JSON"):
        predict(endpoint.url, {"data": object()})
    assert endpoint.seen == []


def test_credentials_of_the_environment_are_for_their_server_only(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeAiApi() as api:
        monkeypatch.setenv("AICORE_AUTH_URL", f"{api.url}/oauth/token")
        monkeypatch.setenv("AICORE_CLIENT_ID", api.client_id)
        monkeypatch.setenv("AICORE_CLIENT_SECRET", api.client_secret)
        monkeypatch.setenv("AICORE_RESOURCE_GROUP", "team")
        monkeypatch.setenv("AICORE_BASE_URL", f"{api.url}/v2")
        predict(endpoint.url, {"data": ROWS})
        assert api.tokens_given == 0
        monkeypatch.setenv("AICORE_BASE_URL", f"{endpoint.url}/v2")
        predict(endpoint.url, {"data": ROWS})
        predict(endpoint.url, {"data": ROWS}, token=FORBIDDEN)
    first, second, third = (headers for _, headers, _ in endpoint.seen)
    assert "authorization" not in first
    assert (second["authorization"], second["ai-resource-group"]) == ("Bearer token-1", "team")
    assert third["authorization"] == f"Bearer {FORBIDDEN}"
