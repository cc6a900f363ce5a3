"""The objects in Kubernetes: Service, Deployment and APIRule (v2, the only version that Kyma still takes)."""

from typing import Any

import yaml

from mooring.compat.kyma.cluster import Cluster
from mooring.compat.kyma.images import Image

PORT = 8080
_GATEWAY = "kyma-system/kyma-gateway"
_USER = 65534
_PROBE_SECONDS = 10
_START_SECONDS = 600

Manifest = dict[str, Any]


def manifests(service_name: str, cluster: Cluster, image: Image, replicas: int) -> list[Manifest]:
    """In the order in which they are applied; the same names each time, so that a new version keeps the URL."""
    return [
        _service(service_name, cluster.namespace),
        _deployment(service_name, cluster.namespace, image, replicas),
        _api_rule(service_name, cluster.namespace),
    ]


def as_yaml(documents: list[Manifest]) -> str:
    """One text that `kubectl apply -f` takes."""
    return yaml.safe_dump_all(documents, sort_keys=False)


def _metadata(name: str, namespace: str) -> Manifest:
    labels = {"app.kubernetes.io/name": name, "app.kubernetes.io/managed-by": "mooring"}
    return {"name": name, "namespace": namespace, "labels": labels}


def _service(name: str, namespace: str) -> Manifest:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _metadata(name, namespace),
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": PORT, "targetPort": PORT}]},
    }


def _deployment(name: str, namespace: str, image: Image, replicas: int) -> Manifest:
    # APIRule v2 reaches only what is in the mesh.
    labels = {"app": name, "sidecar.istio.io/inject": "true"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": _metadata(name, namespace),
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "imagePullSecrets": [{"name": image.pull_secret}],
                    "containers": [_container(name, image)],
                },
            },
        },
    }


def _container(name: str, image: Image) -> Manifest:
    ready = {"httpGet": {"path": "/v2/health/ready", "port": PORT}, "periodSeconds": _PROBE_SECONDS}
    live = {"httpGet": {"path": "/v2/health/live", "port": PORT}, "periodSeconds": _PROBE_SECONDS}
    return {
        "name": name,
        "image": image.reference,
        "ports": [{"containerPort": PORT}],
        "startupProbe": {**live, "failureThreshold": _START_SECONDS // _PROBE_SECONDS},
        "readinessProbe": ready,
        "livenessProbe": {**live, "failureThreshold": 3},
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
    }


def _api_rule(name: str, namespace: str) -> Manifest:
    # Without authentication, as fedml exposes a service.
    rule = {"path": "/*", "methods": ["GET", "POST"], "noAuth": True}
    return {
        "apiVersion": "gateway.kyma-project.io/v2",
        "kind": "APIRule",
        "metadata": _metadata(name, namespace),
        "spec": {
            "hosts": [name],
            "gateway": _GATEWAY,
            "service": {"name": name, "namespace": namespace, "port": PORT},
            "rules": [rule],
        },
    }
