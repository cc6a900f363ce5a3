"""The trap of the AI API that the gateway guards (section 10 of the reference); the others are in tests/api."""

import pytest

from tests.gateway.world import World


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_trap_19_inference_keeps_path_query_method_and_body(shared: World, method: str) -> None:
    path = "/v2/inference/deployments/ddefault/v2/predict/"
    answer = shared.ask(f"{path}?input_data=1.5&input_data=2", method=method, content=b"body")
    seen = answer.json()
    assert (seen["method"], seen["path"], seen["query"]) == (method, "/v2/predict/", "input_data=1.5&input_data=2")
    assert seen["length"] == 4


def test_trap_19_a_post_without_a_body_arrives(shared: World) -> None:
    seen = shared.ask("/v2/inference/deployments/ddefault/v2/hello/", method="POST").json()
    assert (seen["path"], seen["length"]) == ("/v2/hello/", 0)


@pytest.mark.parametrize("status", [400, 404, 422, 500])
def test_trap_19_the_errors_of_a_container_stay_its_own(shared: World, status: int) -> None:
    answer = shared.ask(f"/v2/inference/deployments/ddefault/status/{status}", method="POST")
    assert answer.status_code == status
    assert answer.json()["path"] == f"/status/{status}"


def test_trap_13_inference_without_a_group_is_in_the_default_one(shared: World) -> None:
    assert shared.ask("/v2/inference/deployments/ddefault/v1/x").json()["name"] == "one"
    assert shared.ask("/v2/inference/deployments/dteam/v1/x").status_code == 404
