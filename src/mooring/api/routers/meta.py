"""What this server can do."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from mooring.api import answers
from mooring.api.dependencies import Context
from mooring.api.schemas import meta as shapes

AI_API_VERSION = "2.42.0"
router = APIRouter(prefix="/v2/lm", tags=["Meta"])

_META: dict[str, Any] = {
    "runtimeIdentifier": "aicore",
    "runtimeApiVersion": AI_API_VERSION,
    "description": "Mooring",
    "aiApi": {
        "version": AI_API_VERSION,
        "capabilities": {
            "multitenant": True,
            "shareable": True,
            "staticDeployments": False,
            "userDeployments": True,
            "userExecutions": True,
            "timeToLiveDeployments": True,
            "executionSchedules": True,
            "logs": {"executions": True, "deployments": True},
            "bulkUpdates": {"executions": True, "deployments": True},
        },
        "limits": {
            "executions": {"maxRunningCount": -1},
            "deployments": {"maxRunningCount": -1},
            "timeToLiveDeployments": {"minimum": "10m", "maximum": "-1"},
        },
    },
    "extensions": {
        "analytics": {"version": "1.0.0"},
        "resourceGroups": {"version": "1.2.0"},
        "dataset": {
            "version": "1.0.0",
            "capabilities": {"upload": True, "download": True, "delete": True},
            "limits": {"maxUploadFileSize": 104_857_600, "maxFilesPerDataset": -1, "acceptedContentTypes": []},
        },
        "metrics": {"version": "1.0.0", "capabilities": {"extendedResults": True}},
        "rollout": {"version": "1.0.0"},  # ours: the header Mooring-Rollout
    },
}


@router.get("/meta", response_model=shapes.Meta)
def get_meta() -> Response:
    """Capabilities and limits."""
    return answers.json(_META)


@router.get("/meta/versions", response_model=shapes.ApiVersions)
def get_versions(context: Context) -> Response:
    """The versions of the API that are served."""
    version = {"versionId": "v2", "url": f"{context.public_url}/v2", "description": "AI API v2"}
    return answers.json({"versions": [version]})


@router.get("/healthz", response_model=shapes.Health)
def get_health(context: Context) -> Response:
    """Whether the control plane works, in the words of the AI API."""
    if context.ready():
        return answers.json({"status": "READY", "message": "The control plane works."})
    return answers.json({"status": "NOT READY", "message": "The control plane is starting."})
