"""Health says what is true, and a registry's event is taken only with its signature."""

from collections.abc import Mapping
from pathlib import Path

import httpx

from tests.api.api_server import Server, running_server


def test_health_without_a_token(server: Server) -> None:
    assert httpx.get(f"{server.url}/healthz").status_code == 200
    assert httpx.get(f"{server.url}/readyz").status_code == 200


def test_a_control_plane_that_is_not_ready_says_so(tmp_path: Path) -> None:
    with running_server(tmp_path, ready=lambda: False) as server, server.http() as http:
        assert http.get("/healthz").status_code == 200
        refused = http.get("/readyz")
        assert (refused.status_code, "starting" in refused.json()["error"]["message"]) == (503, True)
        assert http.get("/v2/lm/healthz").json()["status"] == "NOT READY"


def test_health_in_the_words_of_the_ai_api(http: httpx.Client) -> None:
    assert http.get("/v2/lm/healthz").json()["status"] == "READY"


def test_no_webhook_without_a_registry(server: Server) -> None:
    assert httpx.post(f"{server.url}/webhooks/mlflow", content=b"{}").status_code == 404


def test_a_signed_event_is_taken_and_another_is_not(tmp_path: Path) -> None:
    def check(headers: Mapping[str, str], body: bytes) -> bool:
        return headers.get("x-mlflow-signature") == "v1,right" and body == b"event"

    with running_server(tmp_path, webhook=check) as server:
        url = f"{server.url}/webhooks/mlflow"
        right = httpx.post(url, content=b"event", headers={"X-MLflow-Signature": "v1,right"})
        wrong = httpx.post(url, content=b"event", headers={"X-MLflow-Signature": "v1,wrong"})
        changed = httpx.post(url, content=b"other", headers={"X-MLflow-Signature": "v1,right"})
    assert (right.status_code, right.content) == (204, b"")
    assert [wrong.status_code, changed.status_code] == [401, 401]


def test_controllers_are_woken_after_changes_only(server: Server, http: httpx.Client) -> None:
    before = len(server.wakes)
    http.get("/v2/lm/deployments")
    http.post("/v2/lm/deployments", json={"configurationId": "no-such"})
    assert len(server.wakes) == before
