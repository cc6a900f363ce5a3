"""The three kinds of secrets: names, and what is known not to be secret."""

from collections.abc import Collection, Mapping
from typing import Any

from mooring.domain.object_stores import StoreType
from mooring.services.generic_secrets import ALL_GROUPS
from mooring.store.tables import DockerRegistrySecret, GenericSecret, ObjectStoreSecret

_STORAGE = "storage.ai.sap.com/"
_KUBEFLOW = "serving.kubeflow.org/s3-"
_SHOWN = (
    "bucket",
    "endpoint",
    "region",
    "pathPrefix",
    "hdfsNameNode",
    "containerUri",
    "subscriptionId",
    "tenantId",
    "projectId",
)
_OF_KUBEFLOW = ("usehttps", "verifyssl", "endpoint", "region")


def generic_secret(row: GenericSecret, groups: Collection[str]) -> dict[str, Any]:
    """`groups` are those that the caller may know of: a secret of all groups can be used in each at once."""
    shown: dict[str, Any] = {"name": row.name, "createdAt": row.created_at, "labels": row.labels}
    if row.scope == ALL_GROUPS:
        shown["resourceGroupSecretsSyncStatus"] = dict.fromkeys(groups, True)
    return shown


def docker_registry_secret(row: DockerRegistrySecret) -> dict[str, Any]:
    return {"name": row.name}


def object_store_secret(row: ObjectStoreSecret) -> dict[str, Any]:
    """The name is the one that it was created with: what a script compares with what it has sent.

    AI Core shows it with a suffix, so whatever works there looks for the name's beginning or takes either.
    """
    return {"name": row.name, "metadata": _metadata(row)}


def _metadata(row: ObjectStoreSecret) -> dict[str, str]:
    known = row.properties
    metadata = {f"{_STORAGE}type": row.type, **_named(_STORAGE, _SHOWN, known)}
    if row.type == StoreType.S3.value:
        metadata |= _named(_KUBEFLOW, _OF_KUBEFLOW, known)
    return metadata


def _named(prefix: str, names: Collection[str], known: Mapping[str, str]) -> dict[str, str]:
    return {prefix + name: known[name] for name in names if name in known}
