"""A time to live is kept as it was given, or refused with words."""

import httpx
import pytest

from tests.api.api_server import new_configuration, new_deployment


@pytest.mark.parametrize("ttl", ["10m", "10M", "2h", "7D", "999999999999999d"])
def test_a_ttl_is_kept_as_it_was_given(http: httpx.Client, ttl: str) -> None:
    assert http.get(f"/v2/lm/deployments/{new_deployment(http, ttl=ttl)}").json()["ttl"] == ttl


@pytest.mark.parametrize("ttl", ["9m", "2", "h", "2w", "-1h", "1,", "9999999999999999d", "", 5])
def test_a_ttl_out_of_range_is_refused(http: httpx.Client, ttl: object) -> None:
    body = {"configurationId": new_configuration(http), "ttl": ttl}
    answer = http.post("/v2/lm/deployments", json=body)
    assert answer.status_code == 400
    assert "ttl" in answer.json()["error"]["message"]
