"""MLflow's deployments interface over the AI API: what it asks for, what it leaves alone, and how it fails."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from mlflow.deployments import get_deploy_client
from mlflow.deployments.interface import _target_help
from mlflow.exceptions import MlflowException

from mooring.compat import mlflow_plugin
from mooring.compat.mlflow_inputs import body_of
from tests.compat.endpoint import Endpoint
from tests.fake_ai_api import FakeAiApi

URI = "models:/iris/1"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeAiApi]:
    with FakeAiApi() as server:
        monkeypatch.setenv("AICORE_BASE_URL", f"{server.url}/v2")
        monkeypatch.setenv("AICORE_AUTH_URL", server.url)
        monkeypatch.setenv("AICORE_CLIENT_ID", server.client_id)
        monkeypatch.setenv("AICORE_CLIENT_SECRET", server.client_secret)
        yield server


@pytest.fixture
def client(api: FakeAiApi) -> Any:
    return get_deploy_client("mooring")


def _parameters(api: FakeAiApi, deployment_id: str) -> dict[str, str]:
    configuration = api.configurations[api.deployments[deployment_id]["configurationId"]]
    return {each["key"]: each["value"] for each in configuration["parameterBindings"]}


def test_create_answers_when_it_serves(api: FakeAiApi, client: Any) -> None:
    made = client.create_deployment("iris", URI, config={"resource_plan": "basic"})
    assert (made["name"], made["flavor"], made["status"]) == ("iris", "python_function", "RUNNING")
    assert _parameters(api, made["deployment_id"]) == {
        "modelUri": URI, "modelName": "iris", "resourcePlan": "basic", "deploymentName": "iris",
    }  # fmt: skip
    assert client.get_deployment("iris") == made
    assert client.list_deployments() == [made]


def test_a_name_that_is_there_is_refused(api: FakeAiApi, client: Any) -> None:
    client.create_deployment("iris", URI)
    with pytest.raises(MlflowException, match="already") as caught:
        client.create_deployment("iris", "models:/iris/2")
    assert caught.value.error_code == "RESOURCE_ALREADY_EXISTS"
    client.create_deployment("iris2", URI)
    assert len(api.deployments) == 2


def test_deployments_of_others_are_neither_shown_nor_touched(api: FakeAiApi, client: Any) -> None:
    theirs = api.add_deployment(api.add_configuration("iris", {"modelUri": URI, "modelName": "iris"}))
    assert client.list_deployments() == []
    client.delete_deployment("iris")
    made = client.create_deployment("iris", URI)
    client.delete_deployment("iris")
    assert made["deployment_id"] != theirs
    assert list(api.deployments) == [theirs]


def test_update_keeps_the_deployment_and_what_is_not_said(api: FakeAiApi, client: Any) -> None:
    made = client.create_deployment("iris", URI, config={"resource_plan": "basic"})
    changed = client.update_deployment("iris", "models:/iris/2")
    assert (changed["deployment_id"], changed["model_uri"]) == (made["deployment_id"], "models:/iris/2")
    assert _parameters(api, made["deployment_id"])["resourcePlan"] == "basic"
    # The same once more asks for nothing; the first version again takes its configuration again.
    client.update_deployment("iris", "models:/iris/2")
    assert client.update_deployment("iris", URI)["configuration_id"] == made["configuration_id"]
    assert api.count("PATCH", f"/v2/lm/deployments/{made['deployment_id']}") == 2
    assert len(api.configurations) == 2


def test_one_that_cannot_start_is_told_and_removed(api: FakeAiApi, client: Any) -> None:
    api.outcome = lambda _: "DEAD"
    with pytest.raises(MlflowException, match="models:/iris/1 cannot be loaded"):
        client.create_deployment("iris", URI)
    assert api.deployments == {}


def test_an_update_that_fails_is_told_and_leaves_the_deployment(api: FakeAiApi, client: Any) -> None:
    made = client.create_deployment("iris", URI)
    api.outcome = lambda parameters: "RUNNING" if parameters["modelUri"] == URI else "DEAD"
    with pytest.raises(MlflowException, match="models:/iris/2 cannot be loaded"):
        client.update_deployment("iris", "models:/iris/2")
    assert list(api.deployments) == [made["deployment_id"]]
    assert client.update_deployment("iris", URI)["status"] == "RUNNING"


def test_waiting_has_an_end_and_can_be_left_out(api: FakeAiApi, client: Any) -> None:
    api.outcome = lambda _: "PENDING"
    with pytest.raises(MlflowException, match="PENDING") as caught:
        client.create_deployment("slow", URI, config={"timeout_seconds": "0.5"})
    assert caught.value.error_code == "DEADLINE_EXCEEDED"
    assert client.create_deployment("other", URI, config={"wait": "false"})["status"] in ("UNKNOWN", "PENDING")


def test_delete_can_be_repeated(api: FakeAiApi, client: Any) -> None:
    client.create_deployment("iris", URI)
    client.delete_deployment("iris")
    client.delete_deployment("iris")
    assert api.deployments == {}
    with pytest.raises(MlflowException, match="no deployment 'iris'") as caught:
        client.get_deployment("iris")
    assert caught.value.error_code == "RESOURCE_DOES_NOT_EXIST"


def test_predict_asks_the_deployment_with_a_token(api: FakeAiApi, client: Any, endpoint: Endpoint) -> None:
    made = client.create_deployment("iris", URI)
    with pytest.raises(MlflowException, match="no URL yet"):
        client.predict("iris", [[1.0]])
    url = f"{endpoint.url}/v2/inference/deployments/{made['deployment_id']}"
    api.deployments[made["deployment_id"]]["deploymentUrl"] = url
    frame = pd.DataFrame({"a": [1.0], "b": [2.0]})
    assert client.predict("iris", frame).get_predictions()[0].tolist() == [0.5, 1.5]
    ((path, headers, body),) = endpoint.seen
    assert path == f"/v2/inference/deployments/{made['deployment_id']}/invocations"
    assert headers["authorization"].startswith("Bearer token-")
    assert headers["ai-resource-group"] == "default"
    assert json.loads(body) == {"dataframe_split": {"columns": ["a", "b"], "data": [[1.0, 2.0]]}}


@pytest.mark.parametrize(
    ("inputs", "body"),
    [
        (np.array([[1.5, 2]]), {"inputs": [[1.5, 2.0]]}),
        ({"a": np.array([1, 2]), "b": [3, 4]}, {"inputs": {"a": [1, 2], "b": [3, 4]}}),
        ({"dataframe_records": [{"a": 1}]}, {"dataframe_records": [{"a": 1}]}),
        ('{"instances": [1]}', {"instances": [1]}),
        ([[1, 2]], {"inputs": [[1, 2]]}),
    ],
)
def test_inputs_of_every_kind_become_a_body(inputs: Any, body: Any) -> None:
    assert json.loads(body_of(inputs)) == body


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda c: c.create_deployment("a b", URI), "no name"),
        (lambda c: c.create_deployment("iris", URI, flavor="onnx"), "onnx"),
        (lambda c: c.create_deployment("iris", URI, config={"replicas": "2"}), "not known: replicas"),
        (lambda c: c.create_deployment("iris", URI, config={"timeout_seconds": "soon"}), "timeout_seconds"),
        (lambda c: c.create_deployment("iris", URI, config={"wait": "perhaps"}), "wait"),
        (lambda c: c.create_deployment("iris", URI, endpoint="e"), "no endpoints"),
        (lambda c: c.predict(None, [[1]]), "which deployment"),
        (lambda c: c.update_deployment("nobody", URI), "no deployment 'nobody'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(call: Any, told: str, api: FakeAiApi, client: Any) -> None:
    with pytest.raises(MlflowException, match=told):
        call(client)
    assert api.deployments == api.configurations == {}


def test_errors_of_the_server_are_mlflows(api: FakeAiApi, client: Any) -> None:
    api.fail_next(403, body=b'{"error": {"code": "1", "message": "not for you"}}')
    with pytest.raises(MlflowException, match="not for you") as caught:
        client.list_deployments()
    assert caught.value.error_code == "PERMISSION_DENIED"


def test_several_of_one_name_are_told_with_their_ids(api: FakeAiApi, client: Any) -> None:
    configuration = api.add_configuration("iris", {"modelUri": URI, "deploymentName": "iris"})
    ids = [api.add_deployment(configuration) for _ in range(2)]
    with pytest.raises(MlflowException, match="several") as caught:
        client.get_deployment("iris")
    assert all(each in str(caught.value) for each in ids)


def test_targets_lead_to_their_servers(api: FakeAiApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    get_deploy_client(f"mooring:{api.url}").create_deployment("iris", URI)
    values = {name: str(value) for name, value in _environment(api).items()}
    for name in values:
        monkeypatch.delenv(name)
    aicore = tmp_path / "home" / ".aicore"
    aicore.mkdir()
    (aicore / "config_team.json").write_text(json.dumps(values))
    assert [each["name"] for each in get_deploy_client("mooring:/team").list_deployments()] == ["iris"]
    with pytest.raises(MlflowException, match="no credentials"):
        get_deploy_client("mooring").list_deployments()
    home = tmp_path / "installation"
    home.mkdir()
    (home / "service-key.json").write_text(json.dumps(api.service_key()))
    monkeypatch.setenv("MOORING_HOME", str(home))
    assert [each["name"] for each in get_deploy_client("mooring").list_deployments()] == ["iris"]


@pytest.mark.parametrize("target", ["mooring:/../x", "mooring://host", "mooring:ftp://x", "mooring:/absent"])
def test_targets_that_lead_nowhere_are_refused(target: str, api: FakeAiApi) -> None:
    with pytest.raises(MlflowException, match="target"):
        get_deploy_client(target).list_deployments()
    assert api.requests == []


def test_no_other_server_is_told_the_secret(api: FakeAiApi, endpoint: Endpoint) -> None:
    with pytest.raises(MlflowException, match="no credentials are known for"):
        get_deploy_client(f"mooring:{endpoint.url}").list_deployments()
    assert endpoint.seen == []


def test_help_tells_targets_and_options() -> None:
    told = _target_help("mooring")
    assert told == mlflow_plugin.target_help()
    for word in ("mooring:/PROFILE", "mooring:http://", "resource_plan", "timeout_seconds", "port"):
        assert word in told


def test_run_local_refuses_what_it_does_not_know() -> None:
    for given in ({"colour": "red"}, {"port": "http"}):
        with pytest.raises(MlflowException, match="host and port"):
            mlflow_plugin.run_local("iris", URI, config=given)
    with pytest.raises(MlflowException, match="exit code 3"):
        mlflow_plugin.run_local("iris", "/nowhere/at/all", config={"port": "0"})


def _environment(api: FakeAiApi) -> dict[str, str]:
    return {
        "AICORE_BASE_URL": f"{api.url}/v2",
        "AICORE_AUTH_URL": api.url,
        "AICORE_CLIENT_ID": api.client_id,
        "AICORE_CLIENT_SECRET": api.client_secret,
    }
