"""Bodies of requests as people would write them, for the interactive documentation. A test sends each of them."""

from typing import Any

_CONFIGURATION = "0f6c2f44-1b7a-4d0e-9a51-6c1b1f0f0001"
_LABELS = [{"key": "ext.ai.sap.com/team", "value": "blue"}]
_BODIES: dict[tuple[str, str], dict[str, Any]] = {
    ("post", "/v2/lm/configurations"): {
        "name": "wine",
        "scenarioId": "mooring",
        "executableId": "model-server",
        "parameterBindings": [{"key": "modelUri", "value": "models:/wine/1"}],
    },
    ("post", "/v2/lm/artifacts"): {
        "name": "wine-quality",
        "kind": "dataset",
        "url": "ai://default/wine/quality",
        "scenarioId": "mooring",
        "labels": _LABELS,
    },
    ("post", "/v2/lm/deployments"): {"configurationId": _CONFIGURATION, "ttl": "2h"},
    ("patch", "/v2/lm/deployments"): {"deployments": [{"id": "d1a2b3c4d5e6f701", "targetStatus": "STOPPED"}]},
    ("patch", "/v2/lm/deployments/{deploymentId}"): {"configurationId": _CONFIGURATION},
    ("post", "/v2/lm/executions"): {"configurationId": _CONFIGURATION},
    ("patch", "/v2/lm/executions"): {"executions": [{"id": "e1a2b3c4d5e6f701", "targetStatus": "STOPPED"}]},
    ("patch", "/v2/lm/executions/{executionId}"): {"targetStatus": "STOPPED"},
    ("post", "/v2/lm/executionSchedules"): {
        "name": "every night",
        "cron": "0 3 * * *",
        "configurationId": _CONFIGURATION,
    },
    ("patch", "/v2/lm/executionSchedules/{executionScheduleId}"): {"cron": "30 3 * * *"},
    ("patch", "/v2/lm/metrics"): {
        "executionId": "e1a2b3c4d5e6f701",
        "metrics": [{"name": "accuracy", "value": 0.93, "step": 1}],
        "tags": [{"name": "stage", "value": "test"}],
    },
    ("post", "/v2/admin/resourceGroups"): {"resourceGroupId": "team-blue", "labels": _LABELS},
    ("patch", "/v2/admin/resourceGroups/{resourceGroupId}"): {"labels": _LABELS},
    ("post", "/v2/admin/repositories"): {
        "name": "templates",
        "url": "https://git.example/team/templates.git",
        "username": "reader",
        "password": "its-token",
    },
    ("patch", "/v2/admin/repositories/{repositoryName}"): {"username": "reader", "password": "its-new-token"},
    ("post", "/v2/admin/applications"): {
        "applicationName": "wine-templates",
        "repositoryName": "templates",
        "revision": "main",
        "path": "templates",
    },
    ("patch", "/v2/admin/applications/{applicationName}"): {
        "repositoryUrl": "https://git.example/team/templates.git",
        "revision": "main",
        "path": "templates",
    },
    ("post", "/v2/admin/objectStoreSecrets"): {
        "name": "wine-data",
        "type": "S3",
        "bucket": "wine",
        "endpoint": "s3.example",
        "region": "eu-central-1",
        "data": {"AWS_ACCESS_KEY_ID": "an-id", "AWS_SECRET_ACCESS_KEY": "its-secret"},
    },
    ("post", "/v2/admin/dockerRegistrySecrets"): {
        "name": "images",
        "data": {".dockerconfigjson": '{"auths": {"images.example": {"username": "reader", "password": "secret"}}}'},
    },
    ("patch", "/v2/admin/dockerRegistrySecrets/{dockerRegistryName}"): {
        "data": {".dockerconfigjson": '{"auths": {"images.example": {"username": "reader", "password": "other"}}}'},
    },
    ("post", "/v2/admin/secrets"): {"name": "api-keys", "data": {"weather": "c2VjcmV0"}, "labels": _LABELS},
    ("patch", "/v2/admin/secrets/{secretName}"): {"data": {"weather": "b3RoZXI="}},
    ("patch", "/v2/admin/resources/nodes"): {"resourcePlans": [{"name": "infer.s", "request": 1}]},
}
_BODIES["patch", "/v2/admin/objectStoreSecrets/{objectStoreName}"] = _BODIES["post", "/v2/admin/objectStoreSecrets"]
_BODIES["patch", "/tracking/{permission}/api/v1/metrics"] = _BODIES["patch", "/v2/lm/metrics"]


def of_body(method: str, path: str) -> dict[str, Any] | None:
    """The body to send to this operation; None when there is no example of it."""
    return _BODIES.get((method, path))
