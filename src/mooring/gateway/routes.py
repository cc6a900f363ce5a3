"""What the gateway has to know: which path leads to which replicas."""

from dataclasses import dataclass

from mooring.domain.endpoints import Endpoint


@dataclass(frozen=True)
class DeploymentRoute:
    """`/v2/inference/deployments/{deployment_id}/…` leads to one of these endpoints.

    `retry_unanswered`: a request may be sent again to another replica as long as no byte of an answer has come
    (right for predictions, not for servers with side effects).
    `timeout_seconds`: how long an answer may make no progress, when that is not as long as the gateway usually waits.
    `idle_seconds`: how long a connection to a replica is kept without a request. It has to be shorter than the server's
    own keep-alive, or requests meet connections that are being closed.
    `counted_as`: what these endpoints answer is counted under this name, apart from what others have answered before.
    """

    deployment_id: str
    resource_group: str
    endpoints: tuple[Endpoint, ...]
    retry_unanswered: bool = True
    timeout_seconds: float | None = None
    idle_seconds: float = 50.0
    counted_as: str | None = None


@dataclass(frozen=True)
class ModelRoute:
    """`/models/{name}/…` leads to a deployment."""

    name: str
    deployment_id: str


@dataclass(frozen=True)
class DestinationRoute:
    """`/destinations/{name}/…` leads below `path` (empty, or `/…` without a slash at its end) of a deployment.

    `percent` of the requests go to the canary instead. Copies of `mirror_percent` of the others go to the mirror, too.
    Deployments that have no route, or another resource group than the target's, are left out; without its target, a
    destination answers 503, to those who may use `resource_group`.
    """

    name: str
    resource_group: str
    deployment_id: str
    path: str = ""
    canary_id: str | None = None
    percent: int = 0
    mirror_id: str | None = None
    mirror_percent: int = 100


@dataclass(frozen=True)
class Revocation:
    """Tokens of a client that are refused although they have not run out.

    `issued_before` is in whole seconds since the epoch; None stands for all of its tokens.
    """

    client_id: str
    issued_before: int | None = None


@dataclass(frozen=True)
class Routes:
    """Everything that is routed at one moment, apart from the control plane itself."""

    deployments: tuple[DeploymentRoute, ...] = ()
    models: tuple[ModelRoute, ...] = ()
    revoked: tuple[Revocation, ...] = ()
    destinations: tuple[DestinationRoute, ...] = ()
