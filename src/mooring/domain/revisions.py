"""A revision: a deployment rendered with one configuration. What it runs never changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, ClassVar

from mooring.domain import containers
from mooring.domain.containers import Container


class RevisionState(Enum):
    """The life of a revision."""

    STARTING = "starting"  # wanted, no requests yet
    SERVING = "serving"  # gets the requests
    STANDBY = "standby"  # served before; kept for a moment, in case its successor fails
    DRAINING = "draining"  # finishes what it has, then ends
    FAILED = "failed"  # could not serve
    RETIRED = "retired"  # nothing of it runs any more


@dataclass(frozen=True)
class ModelServerSpec:
    """A logged model behind our model server.

    `model_uri` as MLflow understands it; `model_name` is safe in a URL; `resource_plan` names its size.
    """

    KIND: ClassVar = "model-server"

    model_uri: str
    model_name: str
    model_version: str
    resource_plan: str


@dataclass(frozen=True)
class Check:
    """How a server is asked whether it is ready: `GET path` on `port`, or (without a path) whether `port` accepts.

    Once it is, it is asked every `period_seconds`.
    """

    port: int
    path: str | None = None
    initial_delay_seconds: float = 0.0
    timeout_seconds: float = 1.0
    period_seconds: float = 10.0


@dataclass(frozen=True)
class ContainerServerSpec:
    """A server of the user's own in a container, which listens on `port` (HTTP/1.1).

    What lies at `storage_uri` is mounted read-only at `/mnt/models`. `restart_after_seconds`: a ready server that does
    not answer `readiness` for this time is replaced (None: after the installation's usual time). `timeout_seconds`: how
    long a request may wait for its answer (None: the usual time). Today nothing starts more than `min_replicas`.
    """

    KIND: ClassVar = "container"

    container: Container
    port: int
    readiness: Check
    storage_uri: str | None = None
    min_replicas: int = 1
    max_replicas: int = 1
    stop_grace_seconds: float | None = None
    restart_after_seconds: float | None = None
    timeout_seconds: float | None = None


RevisionSpec = ModelServerSpec | ContainerServerSpec
_KINDS: Mapping[str, type[RevisionSpec]] = {kind.KIND: kind for kind in (ModelServerSpec, ContainerServerSpec)}


def to_json(spec: RevisionSpec) -> dict[str, Any]:
    """As kept in the store."""
    return {"kind": spec.KIND, **containers.to_json(spec)}


def from_json(document: Mapping[str, Any]) -> RevisionSpec:
    """Back from the store. Raises ValueError for a kind that this version does not know."""
    facts = dict(document)
    kind = _KINDS.get(facts.pop("kind", ""))
    if kind is None:
        raise ValueError(f"unknown kind of revision: {document.get('kind')!r}")
    return containers.from_json(kind, facts)
