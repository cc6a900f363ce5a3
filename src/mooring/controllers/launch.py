"""From a revision to what the runtime starts."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from mooring.controllers.containers import OpenedSecrets, container_spec
from mooring.controllers.supplies import Stock
from mooring.domain.resource_plans import RESOURCE_PLANS
from mooring.domain.revisions import ContainerServerSpec, ModelServerSpec
from mooring.runtimes.base import ContainerSpec, Limits, Mount, Readiness, ReplicaSpec, Warm
from mooring.templates.serving_rendering import MODEL_FOLDER

_DEATHS_PER_REQUEST = 2
"""One may be an accident that the request has nothing to do with; the second is no accident."""
_WARM_MODEL_SERVER = "mooring.modelserver.warm"
_THREAD_POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_MAX_THREADS")


@dataclass(frozen=True)
class LaunchOptions:
    """What the operator's settings say about every replica."""

    open_files: int
    stop_grace_seconds: float
    request_seconds: float
    max_request_bytes: int
    journals: Path
    """A folder per deployment lies here, in which its replicas note what they are predicting."""
    workspaces: Path
    """A folder per replica in a container lies here: the files of its secrets, its empty volumes."""


def model_server_replica(
    spec: ModelServerSpec, stock: Stock, deployment_id: str, group: str, options: LaunchOptions
) -> ReplicaSpec:
    """A model server for the model that was fetched, of the size that its resource plan says.

    It may be forked from one that has all imports in memory, which no other resource group's is forked from.

    Raises FileNotFoundError.
    """
    if stock.folder is None:
        raise FileNotFoundError(f"the model {spec.model_uri} is not there yet")
    plan = RESOURCE_PLANS[spec.resource_plan]
    threads = str(min(plan.cpus, os.cpu_count() or 1))
    return ReplicaSpec(
        argv=[
            sys.executable,
            *("-m", "mooring.modelserver"),
            *("--model", str(stock.folder)),
            *("--name", spec.model_name),
            *("--version", spec.model_version),
            *("--uds", "{socket}"),
            *("--journal", str(options.journals / deployment_id)),
            *("--max-deaths", str(_DEATHS_PER_REQUEST)),
            *("--stop-grace-seconds", f"{options.stop_grace_seconds:g}"),
            *("--request-seconds", f"{options.request_seconds:g}"),
            *("--max-request-bytes", str(options.max_request_bytes)),
        ],
        env={**dict.fromkeys(_THREAD_POOLS, threads), "PYTHONUNBUFFERED": "1"},
        limits=Limits(memory_bytes=plan.memory_bytes, open_files=options.open_files),
        stop_grace_seconds=options.stop_grace_seconds,
        warm=Warm(_WARM_MODEL_SERVER, group),
    )


def container_server(
    spec: ContainerServerSpec,
    stock: Stock,
    opened: OpenedSecrets,
    *,
    replica_id: str,
    group: str,
    options: LaunchOptions,
) -> ContainerSpec:
    """A server of the user's own, of the size that its resource plan says.

    Raises OSError when its folders cannot be made; MooringError when a volume cannot be filled.
    """
    if stock.image is None:
        raise FileNotFoundError(f"the image {spec.container.image} is not there yet")
    plan = RESOURCE_PLANS[spec.container.resource_plan]
    grace = spec.stop_grace_seconds
    return container_spec(
        spec.container,
        opened,
        image=stock.image,
        workspace=options.workspaces / replica_id,
        mounts=[Mount(stock.folder, MODEL_FOLDER)] if stock.folder else [],
        readiness=_readiness(spec),
        network=group,
        limits=Limits(plan.memory_bytes, options.open_files, cpus=min(plan.cpus, os.cpu_count() or 1)),
        stop_grace_seconds=options.stop_grace_seconds if grace is None else grace,
    )


def _readiness(spec: ContainerServerSpec) -> Readiness:
    """Only the port that gets the requests can be asked: a question for another one becomes whether this accepts."""
    check = spec.readiness
    path = check.path if check.port == spec.port else None
    return Readiness(spec.port, path, check.initial_delay_seconds, check.timeout_seconds, check.period_seconds)
