import base64
import hashlib
import hmac
import json
import logging
import time
from collections.abc import Mapping

import httpx
import pytest

from mooring.builder.mlflow import RegistryClient
from tests.builder.conftest import PUBLIC_URL, Running, eventually, served
from tests.fake_ai_api import FakeAiApi
from tests.mlflow_server import MlflowServer

DEPLOYMENTS = "/v2/lm/deployments"

pytestmark = pytest.mark.slow


def running_tags(model: str) -> dict[str, str]:
    endpoint = f"{PUBLIC_URL}/models/{model}/api"
    return {"deployed": "true", "deployment_status": "RUNNING", "model_endpoint": endpoint}


def test_a_mark_deploys_moves_and_removes(mlflow: MlflowServer, api: FakeAiApi, running: Running) -> None:
    name = mlflow.new_model()
    mlflow.new_version(name)
    mlflow.new_version(name)
    with running():
        mlflow.set_tag(name, 1, "production", "true")
        eventually(lambda: mlflow.version_tags(name, 1) == {"production": "true"} | running_tags(name))
        assert mlflow.model_tags(name) == {"deployed": "true", "deployed version": "1"}
        assert served(api, name) == [f"models:/{name}/1"]
        [deployment_id] = api.deployments

        mlflow.set_alias(name, 2, "production")
        eventually(lambda: mlflow.version_tags(name, 2) == running_tags(name))
        eventually(lambda: mlflow.version_tags(name, 1).get("deployment_status") == "STOPPED")
        assert mlflow.version_tags(name, 1) == {"production": "true", "deployment_status": "STOPPED"}
        assert mlflow.model_tags(name) == {"deployed": "true", "deployed version": "2"}
        assert list(api.deployments) == [deployment_id]

        mlflow.delete_tag(name, 1, "production")
        mlflow.api("DELETE", "/registered-models/alias", name=name, alias="production")
        eventually(lambda: not api.deployments)
        eventually(lambda: mlflow.version_tags(name, 2) == {"deployment_status": "STOPPED"})
        eventually(lambda: mlflow.model_tags(name) == {})


def test_nothing_is_written_and_nothing_changed_when_all_is_as_it_should_be(
    mlflow: MlflowServer, api: FakeAiApi, running: Running
) -> None:
    name = mlflow.new_model("with blank")
    mlflow.new_version(name, {"production": ""})
    with running():
        eventually(lambda: mlflow.version_tags(name, 1).get("deployment_status") == "RUNNING")
    writes = [each for each in api.requests if each[0] != "GET"]

    with Recorder(mlflow) as recorder, running(registry=recorder.client):
        eventually(lambda: recorder.requests.count("GET") > 12)

    assert set(recorder.requests) == {"GET"}
    assert [each for each in api.requests if each[0] != "GET"] == writes
    url = mlflow.version_tags(name, 1)["model_endpoint"]
    assert url.removeprefix(f"{PUBLIC_URL}/models/with-blank-").endswith("/api")
    assert " " not in url


def test_a_failed_version_is_told_once_the_old_one_serves_and_a_new_mark_tries_again(
    mlflow: MlflowServer, api: FakeAiApi, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    name = mlflow.new_model()
    mlflow.new_version(name, {"production": "true"})
    mlflow.new_version(name)
    good = True

    def outcome(parameters: Mapping[str, str]) -> str:
        return "RUNNING" if good or parameters["modelUri"].endswith("/1") else "DEAD"

    api.outcome = outcome
    with running(), caplog.at_level(logging.INFO, "mooring.builder"):
        eventually(lambda: served(api, name) == [f"models:/{name}/1"])
        good = False
        mlflow.set_tag(name, 2, "production", "true")
        eventually(lambda: mlflow.version_tags(name, 2).get("deployment_status") == "FAILED")
        assert "cannot be loaded" in mlflow.version_tags(name, 2)["deployment_error"]
        assert "deployed" not in mlflow.version_tags(name, 2)
        assert mlflow.version_tags(name, 1) == {"production": "true"} | running_tags(name)
        assert mlflow.model_tags(name)["deployed version"] == "1"
        assert served(api, name) == [f"models:/{name}/1"]

        changes = len([each for each in api.requests if each[0] == "PATCH"])
        looks = api.count("GET", DEPLOYMENTS)
        eventually(lambda: api.count("GET", DEPLOYMENTS) > looks + 10)
        assert len([each for each in api.requests if each[0] == "PATCH"]) == changes == 1
        assert sum("version 2 failed" in message for message in caplog.messages) == 1

        good = True
        mlflow.set_tag(name, 2, "production", "again")
        eventually(lambda: mlflow.version_tags(name, 2) == {"production": "again"} | running_tags(name))
        assert served(api, name) == [f"models:/{name}/2"]


def test_a_version_that_the_api_refuses_is_told(mlflow: MlflowServer, api: FakeAiApi, running: Running) -> None:
    name = mlflow.new_model()
    mlflow.new_version(name, {"production": "true"})
    create = api.answer

    def refuse(method: str, path: str, query: Mapping[str, str], body: dict[str, object]) -> tuple[int, object]:
        if (method, path) == ("POST", DEPLOYMENTS):
            return 400, {"error": {"code": "01000400", "message": "no such plan"}}
        return create(method, path, query, body)

    api.answer = refuse  # type: ignore[method-assign]
    with running():
        eventually(lambda: mlflow.version_tags(name, 1).get("deployment_status") == "FAILED")

    assert mlflow.version_tags(name, 1)["deployment_error"] == "the AI API refuses: no such plan"
    assert api.count("POST", DEPLOYMENTS) == 1


def test_a_restart_finds_its_deployments_by_their_configurations_and_leaves_others_alone(
    mlflow: MlflowServer, api: FakeAiApi, running: Running
) -> None:
    name = mlflow.new_model()
    mlflow.new_version(name, {"production": "true"})
    uri = f"models:/{name}/1"
    ours = api.add_configuration("any name", {"modelUri": uri, "modelName": name})
    other = api.add_configuration("by hand", {"modelUri": uri, "modelName": name, "resourcePlan": "big"})
    newest = api.add_deployment(ours, status="RUNNING", createdAt="2026-01-02T00:00:00Z")
    double = api.add_deployment(ours, status="RUNNING", createdAt="2026-01-01T00:00:00Z")
    by_hand = api.add_deployment(other, status="RUNNING")
    stopped = api.add_deployment(ours, status="STOPPED", targetStatus="STOPPED")

    with running():
        eventually(lambda: not api.deployments.keys() & {double, stopped})
        eventually(lambda: mlflow.version_tags(name, 1) == {"production": "true"} | running_tags(name))

    assert set(api.deployments) == {newest, by_hand}


def test_a_model_that_hangs_does_not_hold_up_another(mlflow: MlflowServer, api: FakeAiApi, running: Running) -> None:
    slow, quick = mlflow.new_model("a-slow"), mlflow.new_model("b-quick")
    mlflow.new_version(slow, {"production": "true"})
    api.outcome = lambda parameters: "PENDING" if parameters["modelName"] == slow else "RUNNING"
    with running(workers=1, deploy_timeout_seconds=3):
        eventually(lambda: mlflow.version_tags(slow, 1).get("deployment_status") == "DEPLOYING")
        mlflow.new_version(quick, {"production": "true"})
        eventually(lambda: served(api, quick) == [f"models:/{quick}/1"])
        eventually(lambda: mlflow.version_tags(slow, 1).get("deployment_status") == "FAILED")
        assert "not RUNNING within 3 s" in mlflow.version_tags(slow, 1)["deployment_error"]

        api.outcome = lambda _: "RUNNING"
        eventually(lambda: mlflow.version_tags(slow, 1) == {"production": "true"} | running_tags(slow))


def test_the_ai_api_away_changes_nothing_and_is_caught_up_with(
    mlflow: MlflowServer, api: FakeAiApi, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    name = mlflow.new_model()
    mlflow.new_version(name, {"production": "true"})
    with running(), caplog.at_level(logging.INFO, "mooring.builder"):
        eventually(lambda: mlflow.version_tags(name, 1).get("deployment_status") == "RUNNING")
        api.stop()
        eventually(lambda: "the AI API is away" in caplog.text)
        mlflow.new_version(name, {"production": "true"})
        api.start()
        eventually(lambda: served(api, name) == [f"models:/{name}/2"])

    assert sum("the AI API is away" in message for message in caplog.messages) == 1
    assert "the AI API is back" in caplog.messages


def test_mlflow_away_changes_nothing_and_is_caught_up_with(
    mlflow: MlflowServer, api: FakeAiApi, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    name = mlflow.new_model()
    mlflow.new_version(name, {"production": "true"})
    with (
        Recorder(mlflow) as recorder,
        running(registry=recorder.client),
        caplog.at_level(logging.INFO, "mooring.builder"),
    ):
        eventually(lambda: mlflow.version_tags(name, 1).get("deployment_status") == "RUNNING")
        recorder.away = True
        eventually(lambda: "MLflow is away" in caplog.text)
        mlflow.delete_tag(name, 1, "production")
        mlflow.new_version(name, {"production": "true"})
        assert served(api, name) == [f"models:/{name}/1"]
        recorder.away = False
        eventually(lambda: served(api, name) == [f"models:/{name}/2"])

    assert sum("MLflow is away" in message for message in caplog.messages) == 1
    assert len(api.deployments) == 1


def test_a_mark_that_moves_by_being_removed_first_interrupts_nobody(
    mlflow: MlflowServer, api: FakeAiApi, running: Running
) -> None:
    name = mlflow.new_model()
    mlflow.new_version(name, {"production": "true"})
    mlflow.new_version(name)
    with running(removal_grace_seconds=60):
        eventually(lambda: served(api, name) == [f"models:/{name}/1"])
        mlflow.delete_tag(name, 1, "production")
        looks = api.count("GET", DEPLOYMENTS)
        eventually(lambda: api.count("GET", DEPLOYMENTS) > looks + 3)
        assert served(api, name) == [f"models:/{name}/1"]
        mlflow.set_tag(name, 2, "production", "true")
        eventually(lambda: served(api, name) == [f"models:/{name}/2"])

    assert not [each for each in api.requests if each[0] == "DELETE"]


def test_the_same_mark_set_again_is_another_try_when_mlflow_tells_us_and_forgeries_are_not(
    mlflow: MlflowServer, api: FakeAiApi, running: Running
) -> None:
    name = mlflow.new_model()
    mlflow.new_version(name, {"production": "true"})
    api.outcome = lambda _: "DEAD"
    with running(webhook_secret="s3cret") as builder:
        eventually(lambda: mlflow.version_tags(name, 1).get("deployment_status") == "FAILED")
        api.outcome = lambda _: "RUNNING"
        event = {"name": name, "version": "1", "key": "production", "value": "true"}
        body = json.dumps({"entity": "model_version_tag", "action": "set", "data": event}).encode()

        assert not builder.handle_webhook(signed("forged", body, "other"), body)
        looks = api.count("GET", DEPLOYMENTS)
        eventually(lambda: api.count("GET", DEPLOYMENTS) > looks + 3)
        assert mlflow.version_tags(name, 1)["deployment_status"] == "FAILED"

        assert builder.handle_webhook(signed("genuine", body, "s3cret"), body)
        eventually(lambda: mlflow.version_tags(name, 1) == {"production": "true"} | running_tags(name))


@pytest.mark.parametrize("body", [b"{}", b"[" * 500_000], ids=["plain", "nested without end"])
def test_a_webhook_wakes_a_builder_that_polls_seldom(
    mlflow: MlflowServer, api: FakeAiApi, running: Running, body: bytes
) -> None:
    name = mlflow.new_model()
    mlflow.new_version(name)
    with running(webhook_secret="s3cret", poll_seconds=600) as builder:
        eventually(lambda: api.count("GET", DEPLOYMENTS) > 0)
        mlflow.set_tag(name, 1, "production", "true")
        assert builder.handle_webhook(signed("genuine", body, "s3cret"), body)
        eventually(lambda: mlflow.version_tags(name, 1) == {"production": "true"} | running_tags(name))


def signed(delivery: str, body: bytes, secret: str) -> dict[str, str]:
    timestamp = str(int(time.time()))
    mac = hmac.new(secret.encode(), f"{delivery}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    signature = "v1," + base64.b64encode(mac).decode()
    return {
        "X-MLflow-Delivery-Id": delivery,
        "X-MLflow-Timestamp": timestamp,
        "X-MLflow-Signature": signature,
    }


class Recorder(httpx.BaseTransport):
    """A registry client through a transport that notes the methods, and can be cut off."""

    def __init__(self, mlflow: MlflowServer) -> None:
        self.requests: list[str] = []
        self.away = False
        self._wire = httpx.HTTPTransport()
        self.client = RegistryClient(mlflow.url, transport=self)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("cut off", request=request)
        self.requests.append(request.method)
        return self._wire.handle_request(request)

    def close(self) -> None:
        self._wire.close()
