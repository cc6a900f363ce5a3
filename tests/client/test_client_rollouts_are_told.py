"""A change that the server watches: asked for with a header, and read from the deployment."""

import pytest

from mooring.client.client import AIClient
from mooring.client.deployments import Deployment, DeploymentFailed
from mooring.client.rollouts import Rollout
from tests.fake_ai_api import FakeAiApi

PARAMETERS = {"modelUri": "models:/m/1"}


def told(**details: object) -> Deployment:
    return Deployment.model_validate(
        {"id": "d1", "configurationId": "c1", "status": "RUNNING", "statusDetails": details}
    )


def test_it_is_asked_for_only_when_it_is_wanted(api: FakeAiApi, client: AIClient) -> None:
    first, second = (api.add_configuration(name, PARAMETERS) for name in ("first", "second"))
    id_ = client.deployments.create(first)
    client.deployments.wait(id_, timeout_seconds=10, poll_seconds=0.01)
    client.deployments.change_configuration(id_, second, rollout=Rollout(5, 0.5, 7))
    header = {
        method: headers.get("mooring-rollout") for (method, _), headers in zip(api.requests, api.headers, strict=True)
    }
    assert header["POST"] is None
    assert header["PATCH"] == "return; window=5; max-error-rate=0.5; min-requests=7"


@pytest.mark.parametrize(
    ("details", "watched"),
    [
        ({"rollout": {"state": "starting"}}, True),
        ({"rollout": {"state": "watched"}}, True),
        ({"rollout": {"state": "kept"}}, False),
        ({"rollout": {"state": "failed"}}, False),
        ({"rollout": None}, False),
        ({}, False),
    ],
)
def test_whether_it_is_watched(details: dict[str, object], *, watched: bool) -> None:
    assert told(**details).is_watched() is watched


def test_what_went_back_says_why() -> None:
    returned = told(returned={"fromConfigurationId": "c2", "reason": "broken"})
    assert returned.returned_from("c2") == "broken"
    assert returned.returned_from("c3") is None
    assert returned.returned_from("c1") is None, "that is what serves"


def test_nobody_waits_for_what_went_back(api: FakeAiApi, client: AIClient) -> None:
    good, bad = (api.add_configuration(name, PARAMETERS) for name in ("good", "bad"))
    facts = {"statusDetails": {"returned": {"fromConfigurationId": bad, "reason": "broken"}}}
    id_ = api.add_deployment(good, status="RUNNING", latestRunningConfigurationId=good, **facts)
    with pytest.raises(DeploymentFailed, match="went back to what served before: broken"):
        client.deployments.wait(id_, configuration_id=bad, timeout_seconds=10, poll_seconds=0.01)
