"""Quotas, nodes, instance types, services and the tenant: what is answered is what is there."""

import os
from typing import Any

import httpx
import pytest

from mooring.domain.resource_plans import RESOURCE_PLANS
from tests.api.api_server import Server, new_deployment
from tests.api.test_api_errors_have_one_shape import error_of

QUOTAS = "/v2/admin/resourceQuota"
NODES = "/v2/admin/resources/nodes"
UNLIMITED = 2**31 - 1


def _get(http: httpx.Client, path: str) -> dict[str, Any]:
    answer = http.get(path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _bound(server: Server, group: str) -> httpx.Client:
    token = server.context.tokens.issue(server.client.id, groups=[group]).value
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {token}"}, timeout=30)


@pytest.mark.parametrize("noun", ["applications", "repositories", "secrets", "dockerRegistrySecrets"])
def test_quotas_of_what_is_counted(http: httpx.Client, noun: str) -> None:
    shown = _get(http, f"{QUOTAS}/{noun}")
    assert shown["usage"]["count"] >= 0
    assert shown["quota"] == {"maxCount": UNLIMITED}
    assert _get(http, f"{QUOTAS}/{noun}?quotaOnly=true") == {"quota": {"maxCount": UNLIMITED}}


def test_the_quota_of_resource_groups(server: Server, http: httpx.Client, group: str) -> None:
    shown = _get(http, f"{QUOTAS}/resourceGroups")
    assert shown["usage"]["count"] >= 2
    assert shown["quota"] == {"maxCount": server.context.max_resource_groups}
    assert "usage" not in _get(http, f"{QUOTAS}/resourceGroups?quotaOnly=True")
    with _bound(server, group) as bound:
        assert _get(bound, f"{QUOTAS}/resourceGroups")["usage"] == {"count": 1}


def test_the_quota_of_secrets_is_that_of_a_scope(http: httpx.Client, group: str) -> None:
    secret = {"name": "one", "data": {"key": "dmFsdWU="}}
    assert http.post("/v2/admin/secrets", json=secret, headers={"AI-Tenant-Scope": "false"}).status_code == 200
    path = f"{QUOTAS}/secrets"
    own = http.get(path, headers={"AI-Tenant-Scope": "false"}).json()
    for_all = http.get(path, headers={"AI-Tenant-Scope": "true", "AI-Resource-Group": "*"}).json()
    assert own["usage"] == {"count": 1}
    assert for_all["quota"] == {"maxCount": 5}
    assert http.get(path).json() == http.get(path, headers={"AI-Tenant-Scope": "true"}).json()


def test_the_quota_of_executables(http: httpx.Client) -> None:
    shown = _get(http, f"{QUOTAS}/executables")
    assert shown["usage"]["servingTemplateCount"] >= 1
    assert shown["usage"]["workflowTemplateCount"] >= 0
    quota = {"servingTemplateMaxCount": UNLIMITED, "workflowTemplateMaxCount": UNLIMITED}
    assert shown["quota"] == quota
    assert _get(http, f"{QUOTAS}/executables?quotaOnly=true") == {"quota": quota}


def test_the_quota_of_deployments(server: Server, http: httpx.Client, group: str) -> None:
    deployment_id = new_deployment(http)
    item = {"id": deployment_id, "resourcePlanType": "starter", "configuredMaxReplicas": 1}
    assert item in _get(http, f"{QUOTAS}/deployments")["usage"]["items"]
    with _bound(server, group) as bound:
        shown = _get(bound, f"{QUOTAS}/deployments")
    assert shown["usage"] == {"count": 1, "items": [item]}
    assert [quota["resourcePlanType"] for quota in shown["quotas"]] == list(RESOURCE_PLANS)
    limit = {"maxCount": UNLIMITED, "maxReplicaPerDeployment": 1}
    assert all(quota["deploymentQuota"] == limit for quota in shown["quotas"])
    assert _get(http, f"{QUOTAS}/deployments?quotaOnly=1").keys() == {"quotas"}


@pytest.mark.parametrize("path", [f"{QUOTAS}/nothing", QUOTAS, "/v2/admin/resources", "/v2/admin/resources/plans"])
def test_what_is_not_there(http: httpx.Client, path: str) -> None:
    error_of(http.get(path), 404)


def test_a_quota_flag_that_is_none(http: httpx.Client) -> None:
    error_of(http.get(f"{QUOTAS}/secrets?quotaOnly=perhaps"), 400)


def test_nodes_are_asked_for_by_plan(http: httpx.Client) -> None:
    assert _get(http, NODES)["resourcePlans"].keys() == RESOURCE_PLANS.keys()
    wishes = [{"name": "infer.s", "request": 10}, {"name": "train.l", "request": 1}]
    answer = http.patch(NODES, json={"resourcePlans": wishes})
    assert (answer.status_code, answer.json().keys()) == (200, {"message"})
    assert http.patch(NODES, json={"resourcePlans": [{"name": "train.l", "request": 0}]}).status_code == 200
    shown = _get(http, NODES)["resourcePlans"]
    assert shown["infer.s"] == {"provisioned": 0, "requested": 10}
    assert shown["train.l"] == {"provisioned": 0, "requested": 0}


@pytest.mark.parametrize(
    "plans",
    [
        [{"name": "serve.s", "request": 1}],
        [{"name": "basic", "request": 11}],
        [{"name": "basic", "request": -1}],
        [{"name": "basic", "request": True}],
        [{"name": "basic", "request": "1"}],
        [{"name": "basic", "request": 0.5}],
        [{"name": "basic"}],
        [{"request": 1}],
        [{"name": "", "request": 1}],
        [{"name": "ba\0ic", "request": 1}],
        [{"name": "basic", "request": 1}, {"name": "basic", "request": 2}],
        [{"name": "basic", "request": 1}, {"name": "unknown", "request": 1}],
        None,
        {},
        [None],
    ],
)
def test_bad_wishes_change_nothing(http: httpx.Client, plans: Any) -> None:
    error = error_of(http.patch(NODES, json={"resourcePlans": plans}), 400)
    assert "resourcePlans" in error["message"]
    assert _get(http, NODES)["resourcePlans"]["basic"]["requested"] == 0


def test_only_a_client_of_the_whole_tenant_asks_for_nodes(server: Server, group: str) -> None:
    with _bound(server, group) as bound:
        error_of(bound.patch(NODES, json={"resourcePlans": []}), 403)
        assert bound.get(NODES).status_code == 200


def test_instance_types_are_what_this_machine_has(http: httpx.Client) -> None:
    shown = _get(http, "/v2/admin/resources/instanceTypes")["instanceTypes"]
    assert shown.keys() == RESOURCE_PLANS.keys()
    assert shown["starter"]["cpu"] == 1
    assert shown["basic.8x"]["cpu"] == min(31, len(os.sched_getaffinity(0)))
    for instance_type in shown.values():
        assert instance_type["memory"][-2:] in ("Gi", "Mi")
        assert instance_type["gpu"] in (0, 1)
        assert instance_type["billableUnitsPerHour"] == 0


def test_services(server: Server, http: httpx.Client) -> None:
    shown = _get(http, "/v2/admin/services")
    assert shown["count"] == len(shown["resources"]) == 2
    for service in shown["resources"]:
        assert service["url"].startswith(server.url)
        assert _get(http, f"/v2/admin/services/{service['name']}") == {**service, "capabilities": {}}
    error_of(http.get("/v2/admin/services/cashapp"), 404)
    error_of(http.get("/v2/admin/services/" + "x" * 33), 400)


def test_the_tenant(http: httpx.Client) -> None:
    shown = _get(http, "/v2/admin/tenantInfo")
    assert shown == {"tenantId": "mooring", "servicePlan": "extended", "status": "PROVISIONED"}
