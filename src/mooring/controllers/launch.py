"""From a revision to a command line."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from mooring.domain.resource_plans import RESOURCE_PLANS
from mooring.domain.revisions import ModelServerSpec
from mooring.runtimes.base import Limits, ReplicaSpec

_DEATHS_PER_REQUEST = 2
"""One may be an accident that the request has nothing to do with; the second is no accident."""
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


def model_server_replica(
    spec: ModelServerSpec, model_folder: Path, deployment_id: str, options: LaunchOptions
) -> ReplicaSpec:
    """A model server for the model in this folder, of the size that its resource plan says."""
    plan = RESOURCE_PLANS[spec.resource_plan]
    threads = str(min(plan.cpus, os.cpu_count() or 1))
    return ReplicaSpec(
        argv=[
            sys.executable,
            *("-m", "mooring.modelserver"),
            *("--model", str(model_folder)),
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
    )
